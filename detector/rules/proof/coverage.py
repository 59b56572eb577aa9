"""Which parts of a rule its examples exercise.

A selection *decides* in an event when the rule's outcome there would be another if the selection's were. It is
exercised when it decides both ways: in some event by holding, in another by not holding (modified condition/decision
coverage, as RTCA DO-178C asks it of the conditions of a program). So `s and not other` is exercised only by an event
that `other` alone keeps from matching. An alternative, a value in a list of several, is exercised when some event
matches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend
from sigma.conditions import (
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
)

from detector.rules.checks.conditions import Logic
from detector.rules.checks.truth import selected
from detector.rules.compile import field_parts, has_keywords
from detector.rules.document import read_documents, rule_files
from detector.rules.pack import About, Detection, RulePack
from detector.rules.pipeline import Given
from detector.rules.run import run_rules

#: Alternatives looked at in one rule; a list of thousands is data, not logic.
MOST_ALTERNATIVES = 200


@dataclass(frozen=True)
class Part:
    """One selection or alternative of a rule, and in which ways the examples exercised it. `missing` is for people."""

    file: Path
    line: int
    rule: str
    selection: str
    alternative: str | None
    missing: tuple[str, ...]

    @property
    def covered(self) -> bool:
        return not self.missing

    def as_json(self) -> dict[str, Any]:
        return {
            "file": str(self.file),
            "line": self.line,
            "rule": self.rule,
            "selection": self.selection,
            "alternative": self.alternative,
            "covered": self.covered,
            "missing": list(self.missing),
        }


def coverage(
    con: Backend, paths: Sequence[Path], events: ir.Table, owners: Sequence[Path], given: Given | None = None
) -> tuple[Part, ...]:
    """Every selection and alternative of the rules, in order. `owners`: for each row of `events` its rule's file."""
    rules = list(_logics(paths, given or Given()))
    probes = [probe for number, logic in enumerate(rules) for probe in _probes(number, logic)]
    rows: dict[str, set[int]] = {probe.about.key: set() for probe in probes}
    for hit in run_rules(con, RulePack(tuple(probes)), events):
        rows[hit.rule.about.key].add(hit.rows[0])
    parts: list[Part] = []
    for number, logic in enumerate(rules):
        own = [row for row, owner in enumerate(owners) if owner == logic.document.file]
        found = [*_selections(number, logic, own, rows), *_alternatives(number, logic, set(own), rows)]
        parts += sorted(found, key=lambda part: part.line)
    return tuple(parts)


def _logics(paths: Sequence[Path], given: Given) -> Iterator[Logic]:
    for file in rule_files(paths):
        for document in read_documents(file)[0]:
            logic = Logic.of(document, given.of(file))
            if logic is not None:
                yield logic


def _probes(number: int, logic: Logic) -> Iterator[Detection]:
    """Each selection and each alternative as a rule of its own."""
    for name in logic.used:
        yield _probe(f"{number}/{name}", logic.trees[name], logic)
    for key, leaf in _leaves(number, logic):
        yield _probe(key, leaf, logic)


def _probe(key: str, tree: Any, logic: Logic) -> Detection:
    about = About(key=key, rule_id=key, title=key, level="informational", file=logic.document.file, line=1)
    return Detection(about, (tree,), field_parts([tree]), has_keywords([tree]))


def _selections(number: int, logic: Logic, own: Sequence[int], rows: Mapping[str, set[int]]) -> Iterator[Part]:
    outcomes = {row: {name: row in rows[f"{number}/{name}"] for name in logic.used} for row in own}
    for name in logic.used:
        ways = {
            holds[name]
            for holds in outcomes.values()
            if _holds(logic, holds) != _holds(logic, {**holds, name: not holds[name]})
        }
        missing = [
            said for way, said in ((True, "decides by holding"), (False, "decides by not holding")) if way not in ways
        ]
        yield Part(
            logic.document.file,
            logic.document.line("detection", name),
            _title(logic),
            name,
            None,
            tuple(f"no example in which it {said}" for said in missing),
        )


def _alternatives(number: int, logic: Logic, own: set[int], rows: Mapping[str, set[int]]) -> Iterator[Part]:
    for key, leaf in _leaves(number, logic):
        name = key.split("/")[1]
        missing = () if rows[key] & own else ("no example matches it",)
        said = f"{leaf.field}: {leaf.value}"
        yield Part(logic.document.file, logic.document.line("detection", name), _title(logic), name, said, missing)


def _leaves(number: int, logic: Logic) -> Iterator[tuple[str, Any]]:
    """The values of lists of several, each with a key of its own."""
    found = 0
    for name in logic.used:
        todo = [logic.trees[name]]
        while todo:
            node = todo.pop(0)
            args = getattr(node, "args", [])
            todo += args
            leaves = [arg for arg in args if isinstance(arg, ConditionFieldEqualsValueExpression)]
            for leaf in leaves if isinstance(node, ConditionOR) and len(leaves) > 1 else ():
                found += 1
                if found <= MOST_ALTERNATIVES:
                    yield f"{number}/{name}/{found}", leaf


def _holds(logic: Logic, outcomes: Mapping[str, bool]) -> bool:
    return any(_true(one, outcomes, logic.names) for one in logic.structures)


def _true(node: Any, outcomes: Mapping[str, bool], names: list[str]) -> bool:
    if isinstance(node, ConditionIdentifier):
        return outcomes[node.identifier]
    if isinstance(node, ConditionSelector):
        chosen = [outcomes[name] for name in selected(node, names)]
        return any(chosen) if node.cond_class is ConditionOR else all(chosen)
    below = [_true(arg, outcomes, names) for arg in node.args]
    if isinstance(node, ConditionNOT):
        return not below[0]
    return any(below) if isinstance(node, ConditionOR) else all(below)


def _title(logic: Logic) -> str:
    return str(logic.document.data.get("title") or "")
