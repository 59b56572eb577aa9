"""Write docs/rules.md and docs/rule-faults.md from the rules and checks themselves: `python docs/rules_page.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.rules.checks import KINDS
from detector.rules.checks.kind import SEVERITIES, Kind
from detector.rules.load import load_rules

HERE = Path(__file__).resolve().parent
HEAD = """\
# The shipped rules

Written by `python docs/rules_page.py` from the rules themselves; do not edit.

Each rule is one file below `rules/`, with its examples beside it. A rule that is informational never raises an alert
alone: it only adds to what another rule or the model has found. Levels are set with the base rate in mind: about 1.3
breaches per 1,000 people and year, so that even a good rule is wrong far more often than right. How to write one:
[writing-rules.md](writing-rules.md).

| rule | level | misuse | what it finds | the legitimate twin | needs |
|---|---|---|---|---|---|
"""
FAULTS_HEAD = """\
# What `detector rules check` finds

Written by `python docs/rules_page.py` from the checks themselves; do not edit.

An *error* refuses the rule: `rules check` leaves with exit code 3, and a scan runs without the rule and says so. A
*warning* is a rule that runs, but hardly as meant; with `--strict` it is an error. A *note* is worth knowing and no
fault. Under each fault are keys that have it and keys that have not; the rest of the rule is as here (a test runs every
one of them):

```yaml
{sound}```
"""
#: A rule with nothing against it but the note that it names a feature.
SOUND = """\
title: A sound rule
id: 5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11
status: experimental
description: Says what it finds.
references: [https://example.org/report]
author: somebody
date: 2026-11-23
tags: [misuse.curiosity]
logsource: {category: record_access, product: police_index}
detection:
  s: {streak_days|gte: 5}
  condition: s
falsepositives: [overtime]
level: low
detector: {risk: notable, explanation: '{count}, day {streak_days}', triage: Ask first.}
"""


def page() -> str:
    pack = load_rules([HERE.parent / "rules"], strict=True)
    rows = []
    for rule in sorted(pack.rules, key=lambda rule: (rule.about.theme, rule.about.title)):
        about = rule.about
        path = about.file.relative_to(HERE.parent)
        twins = "; ".join(about.metadata["falsepositives"])
        needs = ", ".join(about.own.reference_tables) or "the log alone"
        title = f"[{about.title}](../{path.as_posix()})"
        cells = [title, about.level, about.theme, about.description, twins, needs]
        rows.append("| " + " | ".join(cells) + " |")
    return HEAD + "\n".join(rows) + "\n"


def faults_page() -> str:
    """Every kind of fault, gravest first, with its example and its mend."""
    kinds = sorted(KINDS.values(), key=lambda kind: (SEVERITIES.index(kind.severity), kind.id))
    rows = [f"| [`{kind.id}`](#{kind.id}) | {kind.severity} | {_cell(kind.finds)} |" for kind in kinds]
    table = ["| fault | severity | finds |", "|---|---|---|", *rows, ""]
    return "\n".join([FAULTS_HEAD.format(sound=SOUND), *table, *(line for kind in kinds for line in _fault(kind))])


def _fault(kind: Kind) -> Iterator[str]:
    yield f"## {kind.id}\n"
    yield f"{kind.severity.capitalize()}. Finds {kind.finds}.\n"
    if kind.good:
        yield f"```yaml\n# wrong\n{kind.bad}# right\n{kind.good}```\n"
    elif kind.bad:
        yield f"For example: {kind.bad}.\n"
    yield f"{kind.mend}\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (HERE / "rule-faults.md").write_text(faults_page(), encoding="utf-8")
    (HERE / "rules.md").write_text(page(), encoding="utf-8")
