"""What the logic of a rule's conditions gives away: parts that can never hold, that change nothing, that are not used.

Looked at are the boolean structure and which comparisons of one field can hold together (possible.py), by truth tables
of up to truth.MOST_ATOMS atoms. What is said to be impossible is; not everything impossible is found.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sigma.conditions import (
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    SigmaCondition,
)
from sigma.exceptions import SigmaError
from sigma.rule.detection import SigmaDetectionItem

from detector.errors import RuleError
from detector.rules.checks.fields import comparisons_of
from detector.rules.checks.kind import check
from detector.rules.checks.possible import Covering, flat, holds_for_all, is_plain, takes
from detector.rules.checks.truth import MOST_ATOMS, Table, key_of, selected
from detector.rules.compile import leaves
from detector.rules.document import Document
from detector.rules.parse_detection import parse_selections
from detector.rules.pipeline import Given


@dataclass(frozen=True)
class Logic:
    """A rule's conditions as written (`structures`) and its selections as trees, `trees`, by name."""

    document: Document
    structures: tuple[Any, ...]
    trees: Mapping[str, Any]

    @classmethod
    def of(cls, document: Document, given: Given | None = None) -> Logic | None:
        """None for what is no detection rule, or was refused. `given`: what the run gives this document's file."""
        if document.kind != "detection":
            return None
        try:
            detections = parse_selections(document, given or Given())
            trees = {name: SigmaCondition(name, detections).parse() for name in detections.detections}
            structures = tuple(_structure(one) for one in detections.parsed_condition)
            used = {name for one in structures for name in names_in(one, list(trees))}
        except (RuleError, SigmaError, RecursionError):
            return None
        known = all(tree is not None for tree in trees.values()) and used and used <= set(trees)
        return cls(document, structures, trees) if known else None

    @property
    def names(self) -> list[str]:
        return list(self.trees)

    @property
    def used(self) -> list[str]:
        found = {name for one in self.structures for name in names_in(one, self.names)}
        return [name for name in self.names if name in found]

    @cached_property
    def table(self) -> Table | None:
        """None where the rule has too many different comparisons."""
        return Table.of([self.trees[name] for name in self.used])

    def outcome(self, given: Mapping[str, int] | None = None) -> int:
        """Of the whole rule, with the outcomes of some selections given."""
        table = self.table
        assert table is not None  # noqa: S101 - asked for by every caller
        found = 0
        for one in self.structures:
            found |= table.of_structure(
                one,
                lambda name: (given or {})[name] if name in (given or {}) else table.of_tree(self.trees[name]),
                self.names,
            )
        return found


@check(
    "unused-selection",
    "error",
    finds="a selection that no condition names",
    mend="Name it in the condition, or take it out.",
    bad="detection:\n  s: {action: view}\n  t: {unit: Traffic}\n  condition: s\n",
    good="detection:\n  s: {action: view}\n  t: {unit: Traffic}\n  condition: s and t\n",
)
def unused_selection(document: Document) -> Iterator[RuleError]:
    detection = document.data.get("detection")
    if not isinstance(detection, dict):
        return
    conditions = detection.get("condition")
    text = " ".join(map(str, conditions if isinstance(conditions, list) else [conditions]))
    words = set(re.findall(r"[\w*-]+", text))
    if "them" in words:
        return
    wanted = [re.compile(re.escape(word).replace(r"\*", ".*")) for word in words]
    for name in detection:
        if name not in ("condition", "timeframe") and not any(one.fullmatch(str(name)) for one in wanted):
            yield document.error(
                f"selection {name!r} is never used", "detection", name, hint="Name it in the condition, or take it out."
            )


@check(
    "never-true",
    "error",
    finds="a condition that no event can meet: `x and not x`, `gt: 5` and `lt: 3` of one field, two values at once",
    mend="Mostly an `and` that should be an `or`, or a comparison the wrong way round.",
    bad="detection:\n  s: {streak_days|gt: 5}\n  t: {streak_days|lt: 3}\n  condition: s and t\n",
    good="detection:\n  s: {streak_days|gt: 5}\n  t: {streak_days|lt: 3}\n  condition: s or t\n",
)
def never_true(logic: Logic) -> Iterator[RuleError]:
    if logic.table and not logic.table.can_hold(logic.outcome()):
        yield logic.document.error(
            "no event can meet the condition", "detection", "condition", hint=_impossible_hint(logic)
        )


@check(
    "always-true",
    "error",
    finds="a condition that every event meets: `x or not x`, `gt: 3` or `lte: 3` of a field that is always there",
    mend="Mostly a `not` or an `or` too many.",
    bad="detection:\n  s: {action: view}\n  condition: s or not s\n",
    good="detection:\n  s: {action: view}\n  condition: s\n",
)
def always_true(logic: Logic) -> Iterator[RuleError]:
    if logic.table and logic.table.same(logic.outcome(), logic.table.full):
        yield logic.document.error(
            "every event meets the condition",
            "detection",
            "condition",
            hint="A `not` or an `or` too many, or a bound that all meet.",
        )


@check(
    "impossible-selection",
    "error",
    finds="a selection, or one of its alternatives, that no event can meet",
    mend="Comparisons under one selection must all hold: write alternatives as a list, or as selections of their own.",
    bad="detection:\n  s: {streak_days|gt: 5}\n  t: {rate_z|gt: 5, rate_z|lt: 3}\n  condition: s or t\n",
    good="detection:\n  s: {streak_days|gt: 5}\n  t: {rate_z|gt: 3, rate_z|lt: 5}\n  condition: s or t\n",
)
def impossible_selection(logic: Logic) -> Iterator[RuleError]:
    table = logic.table
    if not table or not table.can_hold(logic.outcome()):
        return
    for name in logic.used:
        tree, written = logic.trees[name], logic.document.data["detection"][name]
        if not table.can_hold(table.of_tree(tree)):
            yield logic.document.error(f"no event can meet the selection {name!r}", "detection", name)
        elif isinstance(written, list) and isinstance(tree, ConditionOR) and len(written) == len(tree.args):
            for index, part in enumerate(tree.args):
                if not table.can_hold(table.of_tree(part)):
                    said = f"no event can meet alternative {index + 1} of the selection {name!r}"
                    yield logic.document.error(said, "detection", name, index)


@check(
    "idle-selection",
    "warning",
    finds="a selection that changes nothing: it holds whenever the rest does, or excludes nothing of it",
    mend="Take it out, or see what it was to exclude.",
    bad="detection:\n  s: {action: print}\n  other: {action: view}\n  condition: s and not other\n",
    good="detection:\n  s: {action: print}\n  other: {unit: Audit}\n  condition: s and not other\n",
)
def idle_selection(logic: Logic) -> Iterator[RuleError]:
    for name, negated, by_true, by_false in _idle(logic):
        if (by_false if negated else by_true) or (by_true and by_false):
            said = "excludes nothing that the rest does not" if negated else "holds whenever the rest does"
            yield logic.document.error(f"selection {name!r} changes nothing: it {said}", "detection", name)


@check(
    "matches-anything",
    "warning",
    finds="a comparison that holds for whatever the field can be: `contains: ''`, `re: '.*'`, `gte: 0` of a count, a "
    "percentile of at most 100",
    mend="If it is to say that the field is there, write `field|exists: true`.",
    bad="detection:\n  s: {result_count|gte: 0}\n  condition: s\n",
    good="detection:\n  s: {result_count|exists: true}\n  condition: s\n",
)
def matches_anything(logic: Logic) -> Iterator[RuleError]:
    for field, modifiers, values, path in comparisons_of(logic.document):
        if not field or not modifiers or "fieldref" in modifiers or "expand" in modifiers:
            continue
        try:
            item = SigmaDetectionItem.from_mapping("|".join([field, *modifiers]), copy.deepcopy(values))
        except SigmaError:
            continue
        for value in flat(item.value):
            if holds_for_all(field, value):
                yield logic.document.error(
                    f"it holds for whatever {field} can be",
                    *path,
                    hint=f"Write `{field}|exists: true` if it only has to be there.",
                )
                break


@check(
    "covered-selection",
    "note",
    finds="a selection in an `or` that another one covers",
    mend="It can be taken out.",
    bad="detection:\n  s: {streak_days|gte: 5}\n  t: {streak_days|gte: 9}\n  condition: s or t\n",
    good="detection:\n  s: {streak_days|gte: 5}\n  t: {streak_days|lt: 1}\n  condition: s or t\n",
)
def covered_selection(logic: Logic) -> Iterator[RuleError]:
    for name, negated, by_true, by_false in _idle(logic):
        if (by_true if negated else by_false) and not (by_true and by_false):
            yield logic.document.error(f"selection {name!r} is covered by the others", "detection", name)


@check(
    "covered-value",
    "note",
    finds="a value in a list that another one covers, or that is there twice",
    mend="It can be taken out.",
    bad="detection:\n  s: {reason_text|contains: [test, testing]}\n  condition: s\n",
    good="detection:\n  s: {reason_text|contains: [test]}\n  condition: s\n",
)
def covered_value(logic: Logic) -> Iterator[RuleError]:
    for name in logic.used:
        for node in _nodes(logic.trees[name]):
            lists: dict[str, list[Any]] = {}
            for leaf in node.args if isinstance(node, ConditionOR) else ():
                if isinstance(leaf, ConditionFieldEqualsValueExpression):
                    lists.setdefault(leaf.field, []).append(leaf)
            for field, items in lists.items():
                yield from _covered(logic, name, field, items)


@check(
    "too-many-parts",
    "note",
    finds=f"a rule of more than {MOST_ATOMS} different comparisons: its logic was not looked at for contradictions",
    mend="Nothing; a rule of several smaller ones is easier to tune.",
    bad="detection:\n  condition: 1 of s*\n"
    + "".join(f"  s{index}: {{unit|contains: u{index}, role|contains: r{index}}}\n" for index in range(9)),
    good="detection:\n  condition: s\n  s: {unit|contains: u0, role|contains: r0}\n",
)
def too_many_parts(logic: Logic) -> Iterator[RuleError]:
    if logic.table is None:
        count = len({key_of(leaf) for leaf in leaves([logic.trees[name] for name in logic.used])})
        yield logic.document.error(
            f"{count} different comparisons: contradictions among them were not looked for", "detection", "condition"
        )


#: On documents, and on the logic of those that can be read.
DOCUMENT_CHECKS: Final = (unused_selection,)
LOGIC_CHECKS: Final = (
    never_true,
    always_true,
    impossible_selection,
    idle_selection,
    matches_anything,
    covered_selection,
    covered_value,
    too_many_parts,
)


def names_in(node: Any, names: list[str]) -> Iterator[str]:
    """The selections that a condition as written names, by a pattern too."""
    if isinstance(node, ConditionIdentifier):
        yield node.identifier
    elif isinstance(node, ConditionSelector):
        yield from selected(node, names)
    else:
        for arg in node.args:
            yield from names_in(arg, names)


def _structure(condition: SigmaCondition) -> Any:
    node: Any = condition.parse(postprocess=False)
    while not isinstance(node, ConditionItem):  # brackets around the whole are a list of one
        node = node[0]
    return node


def _idle(logic: Logic) -> Iterator[tuple[str, bool, bool, bool]]:
    """For each selection of several: name, negated or not, whether nothing changes if it always held, and if never."""
    table = logic.table
    if not table or len(logic.used) < 2:
        return
    whole = logic.outcome()
    if not table.can_hold(whole) or table.same(whole, table.full):
        return
    for name in logic.used:
        own = table.of_tree(logic.trees[name])
        if not table.can_hold(own):
            continue  # named by impossible-selection
        signs = {sign for one in logic.structures for sign in _signs(one, name, logic.names, negated=False)}
        if len(signs) != 1:
            continue  # both `s` and `not s`: there is no plain word for what it adds
        by_true = table.same(whole, logic.outcome({name: table.full}))
        by_false = table.same(whole, logic.outcome({name: 0}))
        yield name, signs.pop(), by_true, by_false


def _signs(node: Any, name: str, names: list[str], *, negated: bool) -> Iterator[bool]:
    if isinstance(node, ConditionIdentifier | ConditionSelector):
        if name in names_in(node, names):
            yield negated
        return
    for arg in node.args:
        yield from _signs(arg, name, names, negated=negated != isinstance(node, ConditionNOT))


def _nodes(tree: Any) -> Iterator[Any]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if hasattr(node, "args"):
            todo += node.args
            yield node


def _covered(logic: Logic, name: str, field: str, items: list[Any]) -> Iterator[RuleError]:
    seen: dict[str, Any] = {}
    covering = Covering([item.value for item in items])
    for index, item in enumerate(items):
        said = key_of(item)[1].lower() if is_plain(item.value) else key_of(item)[1]
        wider = [seen[said]] if said in seen else []
        wider += covering.over(index)
        seen.setdefault(said, item.value)
        if wider:
            path = _place(logic.document, name, field, index, len(items))
            yield logic.document.error(f"{_said(item.value)} is covered by {_said(wider[0])}", *path)


def _place(document: Document, name: str, field: str, index: int, count: int) -> tuple[str | int, ...]:
    """Where the value is: its line in the list, if the selection has one list of that field."""
    written = document.data["detection"][name]
    if isinstance(written, dict):
        keys = [
            key for key, value in written.items() if str(key).partition("|")[0] == field and isinstance(value, list)
        ]
        if len(keys) == 1 and len(written[keys[0]]) == count:
            return ("detection", name, keys[0], index)
    return ("detection", name)


def _said(value: Any) -> str:
    return repr(str(value))


def _impossible_hint(logic: Logic) -> str | None:
    table = logic.table
    if not table:
        return None
    for index, atom in enumerate(table.atoms):
        if atom.field is not None and not table.can_hold(table.columns[index]) and (range_ := takes(atom.field)):
            return f"{range_}."
    alone = [name for name in logic.used if not table.can_hold(table.of_tree(logic.trees[name]))]
    if alone:
        return f"The selection {alone[0]} can never hold: its comparisons exclude each other."
    return "Its selections exclude each other." if len(logic.used) > 1 else "It asks for a selection and its opposite."
