"""What the condition of a correlation gives away, with the rules that it builds on at hand: never met, or always.

How many different values a field can have in the events of a rule is worked out from what the rule asks of the field:
one where the correlation groups by it, those of an enumeration that the rule lets through, no limit for a text. What is
said to be impossible is; not everything impossible is found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionOR
from sigma.types import SigmaBool, SigmaNumber, SigmaString

from detector.errors import RuleError
from detector.rules.checks.kind import check
from detector.rules.checks.possible import bounds, takes
from detector.rules.checks.truth import Table
from detector.rules.document import Document
from detector.rules.measures import COMPARE
from detector.rules.names import ENUMERATIONS, field_bounds, field_kind
from detector.rules.pack import NUMERIC, Base, Correlation, Detection, RulePack

_CONDITION: Final = ("correlation", "condition")
_TEMPORAL: Final = frozenset({"temporal", "temporal_ordered"})
#: Rules of a temporal correlation that are looked at in every combination.
_MOST_RULES: Final = 8
_HEAD: Final = "title: Viewed\nname: viewed\ndetection:\n  s: {action: view}\n  condition: s\n---\ntitle: Many\n"


@dataclass(frozen=True)
class Linked:
    """A correlation, where it is written, and the rules of its pack by key."""

    document: Document
    rule: Correlation
    rules: Mapping[str, Detection | Correlation]


@check(
    "impossible-count",
    "error",
    finds="a correlation that no events can meet: more different values than there are (of the field it groups by, "
    "there is one), a mean above the largest value",
    mend="Count another field, lower the number, or group by less.",
    bad=_HEAD
    + "correlation: {type: value_count, rules: viewed, group-by: [actor_id], timespan: 1h, "
    + "condition: {field: outcome, gte: 40}}\n",
    good=_HEAD
    + "correlation: {type: value_count, rules: viewed, group-by: [actor_id], timespan: 1h, "
    + "condition: {field: record_id, gte: 40}}\n",
    whole=True,
)
def impossible_count(linked: Linked) -> Iterator[RuleError]:
    rule = linked.rule
    if rule.type == "value_count":
        most, why = _most(linked)
        if most is not None and not any(_met(rule, count) for count in range(1, most + 1)):
            said = "only one value" if most == 1 else f"at most {most} different values" if most else "no value"
            names = " and ".join(rule.values)
            yield linked.document.error(f"no window meets this condition: {names} has {said}", *_CONDITION, hint=why)
    elif rule.type in NUMERIC:
        low, high = _reach(linked)
        tries = [*_edges(rule), *(edge for edge in (low, high) if edge is not None)]
        around = sorted({number + step for number in tries for step in (-1, -0.5, 0, 0.5, 1)})
        inside = [n for n in around if (low is None or n >= low) and (high is None or n <= high)]
        if (low, high) != (None, None) and not any(_met(rule, number) for number in inside):
            yield linked.document.error(
                f"no window meets this condition: {rule.values[0]} never adds up to it"
                if rule.type == "value_sum"
                else f"no window meets this condition: {rule.values[0]} is never that much",
                *_CONDITION,
                hint=f"{takes(rule.bases[0].values[0])}.",
            )


@check(
    "idle-correlation",
    "warning",
    finds="a correlation that every single event of its rules meets: a count of at least one, a `temporal` of one rule",
    mend="Report the rule itself (take the correlation away), or raise the number.",
    bad=_HEAD
    + "correlation: {type: event_count, rules: viewed, group-by: [actor_id], timespan: 1h, condition: {gte: 1}}\n",
    good=_HEAD
    + "correlation: {type: event_count, rules: viewed, group-by: [actor_id], timespan: 1h, condition: {gte: 2}}\n",
    whole=True,
)
def idle_correlation(linked: Linked) -> Iterator[RuleError]:
    rule = linked.rule
    if rule.type in _TEMPORAL and not rule.bounds:
        always = len(rule.bases) <= _MOST_RULES and rule.type == "temporal" and _any_holds(rule)
        always = always or (rule.type == "temporal_ordered" and len(rule.bases) == 1)
    elif rule.type in NUMERIC:
        always = False
    else:
        most = _most(linked)[0] if rule.type == "value_count" else len(rule.bases) if rule.type in _TEMPORAL else None
        top = most if most is not None else max(math.floor(edge) + 2 for edge in _edges(rule))
        always = top > 0 and all(_met(rule, count) for count in range(1, min(top, 1000) + 1)) and top <= 1000
    if always:
        one = "its only rule" if len(rule.rules) == 1 else "any of its rules"
        yield linked.document.error(
            f"every event of {one} meets this condition",
            *(_CONDITION if "condition" in linked.document.data["correlation"] else ("correlation", "rules")),
            hint="Mostly a number that is too low, or a rule that is missing.",
        )


@check(
    "repeated-rule",
    "warning",
    finds="the same rule twice where the order does not matter",
    mend="Name each once; for one after the other of the same rule, write `type: temporal_ordered`.",
    bad=_HEAD + "correlation: {type: temporal, rules: [viewed, viewed], group-by: [actor_id], timespan: 1h}\n",
    good=_HEAD + "correlation: {type: temporal_ordered, rules: [viewed, viewed], group-by: [actor_id], timespan: 1h}\n",
    whole=True,
)
def repeated_rule(linked: Linked) -> Iterator[RuleError]:
    named = linked.document.data["correlation"].get("rules")
    if linked.rule.type == "temporal_ordered" or not isinstance(named, list):
        return
    for index, name in enumerate(named):
        if name in named[:index]:
            yield linked.document.error(
                f"{name!r} is named twice, and counts once",
                "correlation",
                "rules",
                index,
                hint="For one after the other, write `type: temporal_ordered`.",
            )


@check(
    "text-as-number",
    "warning",
    finds="a text that is added up or averaged: an event whose value is no number is no part of it",
    mend="Measure a number, or count the different values (value_count).",
    bad=_HEAD
    + "correlation: {type: value_sum, rules: viewed, group-by: [actor_id], timespan: 1h, "
    + "condition: {field: record_id, gte: 5}}\n",
    good=_HEAD
    + "correlation: {type: value_sum, rules: viewed, group-by: [actor_id], timespan: 1h, "
    + "condition: {field: result_count, gte: 5}}\n",
    whole=True,
)
def text_as_number(linked: Linked) -> Iterator[RuleError]:
    if linked.rule.type not in NUMERIC:
        return
    kinds = {"text": "a text", "boolean": "true or false", "time": "a time"}
    for name in dict.fromkeys(base.values[0] for base in linked.rule.bases if base.values[0] not in base.given):
        kind = kinds.get(field_kind(name))
        if kind:
            yield linked.document.error(
                f"{name} is {kind}, and {linked.rule.type} reckons with numbers",
                *_CONDITION,
                "field",
                hint="Measure a number such as result_count, or count the different values with value_count.",
            )


@check(
    "count-of-measures",
    "warning",
    finds="a count of the different values of a measure (a score, a share, hours): nearly each event has its own",
    mend="Count events beyond a bound instead: a rule with `rate_z|gte: 4`, and event_count.",
    bad=_HEAD
    + "correlation: {type: value_count, rules: viewed, group-by: [actor_id], timespan: 1h, "
    + "condition: {field: rate_z, gte: 3}}\n",
    good=_HEAD
    + "correlation: {type: value_count, rules: viewed, group-by: [actor_id], timespan: 1h, "
    + "condition: {field: record_id, gte: 3}}\n",
    whole=True,
)
def count_of_measures(linked: Linked) -> Iterator[RuleError]:
    if linked.rule.type != "value_count":
        return
    for name in dict.fromkeys(name for base in linked.rule.bases for name in base.values if name not in base.given):
        if field_kind(name) == "decimal" and not field_bounds(name)[2]:
            yield linked.document.error(
                f"{name} is a measure: how many different values it has says little",
                *_CONDITION,
                "field",
                hint=f"Count the events of a rule with a bound on {name}, or measure it with value_avg.",
            )


CHECKS: Final = (impossible_count, idle_correlation, repeated_rule, text_as_number, count_of_measures)


def linked(pack: RulePack, documents: Sequence[Document]) -> Iterator[Linked]:
    """Every correlation of the pack, where it is written."""
    places = {document.key: document for document in documents}
    rules = {rule.about.key: rule for rule in pack.all}
    for rule in pack.correlations:
        yield Linked(places[rule.about.key], rule, rules)


def _met(rule: Correlation, value: float) -> bool:
    return all(COMPARE[name](value, number) for name, number in rule.bounds)


def _edges(rule: Correlation) -> list[float]:
    return [number for _, number in rule.bounds] or [0]


def _any_holds(rule: Correlation) -> bool:
    """Is the condition met by whichever of the rules have occurred, be it one?"""
    indexes = range(len(rule.bases))
    return all(
        any(set(way.bases) <= set(some) and not set(way.without) & set(some) for way in rule.ways)
        for number in range(1, len(rule.bases) + 1)
        for some in combinations(indexes, number)
    )


def _reach(linked: Linked) -> tuple[float | None, float | None]:
    """The least and the greatest that is measured, of all bases."""
    lows, highs = [], []
    for base in linked.rule.bases:
        name = base.values[0]
        low, high = (None, None) if name in base.given else bounds(name)[:2]
        lows.append(low)
        highs.append(None if linked.rule.type == "value_sum" and (high is None or high > 0) else high)
    if linked.rule.type == "value_sum" and any(low is not None and low < 0 for low in lows):
        lows = [None]
    least = None if None in lows else min(low for low in lows if low is not None)
    most = None if None in highs else max(high for high in highs if high is not None)
    return least, most


def _most(linked: Linked) -> tuple[int | None, str | None]:
    """How many different values there can be in a window, and why; None where there is no knowing."""
    most, why = 1, None
    for index, name in enumerate(linked.rule.values):
        if all(base.values[index] in base.group_by for base in linked.rule.bases) and _grouped(linked.rule, index):
            why = why or f"The correlation groups by {name}."
            continue
        found: set[Any] = set()
        for base in linked.rule.bases:
            values = _values(linked, base, base.values[index])
            if values is None:
                return None, None
            found |= values
        most *= len(found)
        listed = ", ".join(sorted(map(str, found))) or "none"
        why = f"{name} can be: {listed}."
    return most, why


def _grouped(rule: Correlation, index: int) -> bool:
    """Is the value that of the same group-by field in every base?"""
    return any(
        all(base.group_by[place] == base.values[index] for base in rule.bases) for place in range(len(rule.group_by))
    )


def _values(linked: Linked, base: Base, name: str) -> set[Any] | None:
    """The values that the field can have in the events of a base; None where there is no knowing."""
    rule = linked.rules.get(base.key)
    if name in base.given:
        return None
    if isinstance(rule, Correlation):
        found: set[Any] = set()
        for below in rule.bases:
            values = _values(linked, below, name)
            if values is None:
                return None
            found |= values
        return found
    if rule is None or not (possible := _all_values(name)):
        return None
    tree = ConditionOR(list(rule.trees)) if len(rule.trees) > 1 else rule.trees[0]
    return {text for text, value in possible.items() if _can_be(tree, name, value)}


def _all_values(name: str) -> dict[str, Any]:
    if name in ENUMERATIONS:
        return {text: SigmaString(text) for text in ENUMERATIONS[name]}
    if field_kind(name) == "boolean":
        return {"true": SigmaBool(True), "false": SigmaBool(False)}
    low, high, whole = field_bounds(name) if field_kind(name) == "decimal" else (None, None, False)
    return {"0": SigmaNumber(0), "1": SigmaNumber(1)} if (low, high, whole) == (0.0, 1.0, True) else {}


def _can_be(tree: Any, name: str, value: Any) -> bool:
    both = ConditionAND([tree, ConditionFieldEqualsValueExpression(name, value)])
    table = Table.of([both])
    return table is None or table.can_hold(table.of_tree(both))
