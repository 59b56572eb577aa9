"""The project's own keys, under `detector:`, and the examples beside the rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from detector.errors import RuleError
from detector.rules.checks.fields import fields_of
from detector.rules.checks.kind import check
from detector.rules.document import Document, examples_file
from detector.rules.names import known_fields, nearest
from detector.schema import REFERENCE_TABLES

#: A risk has levels that fit it: what is weak may not shout, what is grave may not whisper.
RISKS: Final = {
    "weak": frozenset({"informational", "low"}),
    "notable": frozenset({"low", "medium"}),
    "grave": frozenset({"medium", "high", "critical"}),
}
EXPLANATION_NAMES: Final = frozenset({"count", "records", "days", "first", "last", "who"})
_BRACES: Final = re.compile(r"\{([^{}]*)\}")


@check(
    "unknown-risk",
    "error",
    finds="a risk other than weak, notable and grave",
    mend="One of the three.",
    bad="detector: {risk: notble, explanation: Says it, triage: Ask.}\n",
    good="detector: {risk: notable, explanation: Says it, triage: Ask.}\n",
)
def unknown_risk(document: Document) -> Iterator[RuleError]:
    risk = _own(document).get("risk")
    if risk is not None and str(risk) not in RISKS:
        yield document.error(f"unknown risk {risk!r}", "detector", "risk", hint=nearest(risk, RISKS))


@check(
    "level-against-risk",
    "error",
    finds="a level that does not fit the rule's risk: what is weak may not shout, what is grave may not whisper",
    mend="weak: informational, low. notable: low, medium. grave: medium, high, critical.",
    bad="level: high\ndetector: {risk: notable, explanation: Says it, triage: Ask.}\n",
    good="level: medium\ndetector: {risk: notable, explanation: Says it, triage: Ask.}\n",
)
def level_against_risk(document: Document) -> Iterator[RuleError]:
    risk = _own(document).get("risk")
    if isinstance(risk, str) and risk in RISKS and str(document.data.get("level")) not in RISKS[risk]:
        yield document.error(
            f"level {document.data.get('level')} does not fit risk {risk}",
            "level",
            hint=f"Levels for it: {', '.join(sorted(RISKS[risk]))}.",
        )


@check(
    "unknown-table",
    "error",
    finds="a reference table that does not exist",
    mend="Correct its name; the nearest known one is named.",
    bad="detector: {reference_tables: [stuff], risk: notable, explanation: Says it, triage: Ask.}\n",
    good="detector: {reference_tables: [staff], risk: notable, explanation: Says it, triage: Ask.}\n",
)
def unknown_table(document: Document) -> Iterator[RuleError]:
    for name in _tables(document):
        if str(name) not in REFERENCE_TABLES:
            yield document.error(
                f"unknown reference table {name!r}",
                "detector",
                "reference_tables",
                hint=nearest(name, REFERENCE_TABLES),
            )


@check(
    "not-alone-level",
    "error",
    finds="a rule that never stands alone (`not_alone: true`) and is not informational",
    mend="Write `level: informational`.",
    bad="detector: {not_alone: true, risk: notable, explanation: Says it, triage: Ask.}\n",
    good="level: informational\ndetector: {not_alone: true, risk: weak, explanation: Says it, triage: Ask.}\n",
)
def not_alone_level(document: Document) -> Iterator[RuleError]:
    if _own(document).get("not_alone") is True and document.data.get("level") != "informational":
        yield document.error(
            "a rule that never stands alone is informational", "level", hint="Write `level: informational`."
        )


@check(
    "unknown-placeholder",
    "error",
    finds="an explanation with a {name} that is neither a number of the finding nor a feature",
    mend=f"One of {', '.join(sorted(EXPLANATION_NAMES))}, a column or a feature.",
    bad="detector: {explanation: 'Day {streak}', risk: notable, triage: Ask.}\n",
    good="detector: {explanation: 'Day {streak_days}', risk: notable, triage: Ask.}\n",
)
def unknown_placeholder(document: Document) -> Iterator[RuleError]:
    fields = known_fields()
    for name in _BRACES.findall(str(_own(document).get("explanation") or "")):
        if name not in EXPLANATION_NAMES and name not in fields:
            yield document.error(
                f"the explanation names {{{name}}}, which does not exist",
                "detector",
                "explanation",
                hint=nearest(name, EXPLANATION_NAMES | fields),
            )


@check(
    "undeclared-table",
    "warning",
    finds="a rule on a feature that needs a reference table, without naming the table",
    mend="Name the table under `detector.reference_tables`, so that readers see what the rule rests on.",
    bad="",
)
def undeclared_table(document: Document) -> Iterator[RuleError]:
    from detector.features.catalogue import FEATURES

    named = set(map(str, _tables(document)))
    for field, path in fields_of(document):
        missing = sorted(FEATURES[field].needs - named) if field in FEATURES else []
        if missing:
            named.update(missing)
            yield document.error(
                f"{field} needs the reference table {', '.join(missing)}",
                *path,
                hint=f"Write `reference_tables: [{', '.join(missing)}]` under `detector:`.",
            )


@check(
    "no-examples",
    "warning",
    finds="a rule file without examples beside it",
    mend="Write NAME.examples.yml beside NAME.yml: a match and a near miss.",
    bad="a rule.yml without a rule.examples.yml",
)
def no_examples(document: Document) -> Iterator[RuleError]:
    path = examples_file(document.file)
    if document.index == 0 and document.kind != "filter" and not path.is_file():
        yield document.error(
            "the rule has no examples", "title", hint=f"Write {path.name} beside it: a match and a near miss."
        )


CHECKS: Final = (
    unknown_risk,
    level_against_risk,
    unknown_table,
    not_alone_level,
    unknown_placeholder,
    undeclared_table,
    no_examples,
)


def _own(document: Document) -> dict[Any, Any]:
    own = document.data.get("detector")
    return own if isinstance(own, dict) else {}


def _tables(document: Document) -> list[Any]:
    tables = _own(document).get("reference_tables") or []
    return tables if isinstance(tables, list) else [tables]
