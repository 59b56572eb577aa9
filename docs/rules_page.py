"""Write docs/rules.md, the catalogue of the shipped rules: `python docs/rules_page.py`."""

from __future__ import annotations

from pathlib import Path

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


if __name__ == "__main__":
    (HERE / "rules.md").write_text(page(), encoding="utf-8")
