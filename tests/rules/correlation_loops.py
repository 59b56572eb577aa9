"""Correlations as anyone would write them down: loops over lists, window by window. Slow, and sharing no code."""

from __future__ import annotations

import itertools
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}
Event = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A correlation over `rules`, each the name of a flag of the events or another Rule."""

    name: str
    kind: str
    rules: tuple[str | Rule, ...]
    span: int
    group_by: tuple[str, ...] = ()
    bounds: dict[str, float] = field(default_factory=dict)
    value: str | None = None
    percentile: float | None = None
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    words: str | None = None

    def __hash__(self) -> int:
        return hash(self.name)

    def field_of(self, alias: str, rule: str | Rule) -> str:
        name = rule if isinstance(rule, str) else rule.name
        return self.aliases.get(alias, {}).get(name, alias)


@dataclass(frozen=True)
class Item:
    time: int
    row: int
    group: tuple[Any, ...]
    value: Any
    rules: frozenset[int]
    events: frozenset[int]


@dataclass(frozen=True)
class Found:
    """An episode. `moments`: for each of its events the first time (and row) at which the condition held with it."""

    group: tuple[Any, ...]
    events: tuple[int, ...]
    moments: dict[int, tuple[int, int]]


def episodes(rule: Rule, events: Sequence[Event]) -> list[Found]:
    found = []
    groups: dict[tuple[Any, ...], list[Item]] = defaultdict(list)
    for item in items(rule, events):
        groups[item.group].append(item)
    for group, members in groups.items():
        members.sort(key=lambda item: (item.time, item.row))
        hits: list[tuple[int, list[Item]]] = []
        for end in sorted({item.time for item in members}):
            window = [item for item in members if end - rule.span <= item.time <= end]
            if holds(rule, window):
                hits.append((end, window))
        runs: list[list[tuple[int, list[Item]]]] = []
        for end, window in hits:
            if runs and any(item is other for item in window for _, before in runs[-1] for other in before):
                runs[-1].append((end, window))
            else:
                runs.append([(end, window)])
        for run in runs:
            moments: dict[int, tuple[int, int]] = {}
            for end, window in run:
                last = max(item.row for item in window if item.time == end)
                for event in sorted(row for item in window for row in item.events):
                    moments.setdefault(event, (end, last))
            ordered = sorted(moments, key=lambda row: (events[row]["t"], row))
            found.append(Found(group, tuple(ordered), moments))
    return found


def items(rule: Rule, events: Sequence[Event]) -> list[Item]:
    made: dict[Any, Item] = {}

    def put(key: Any, item: Item) -> None:
        if item.time is None or None in item.group or (rule.value and item.value is None):
            return
        other = made.get(key)
        if other:
            time, row = min((other.time, other.row), (item.time, item.row))
            item = Item(time, row, item.group, item.value, item.rules | other.rules, item.events)
        made[key] = item

    for index, base in enumerate(rule.rules):
        fields = [rule.field_of(name, base) for name in rule.group_by]
        measured = rule.field_of(rule.value, base) if rule.value else ""
        if isinstance(base, str):
            for row, event in enumerate(events):
                if event[base]:
                    group, value = tuple(event[name] for name in fields), value_of(rule, event.get(measured))
                    put((row, group, value), Item(event["t"], row, group, value, frozenset({index}), frozenset({row})))
        else:
            for number, episode in enumerate(episodes(base, events)):
                own = dict(zip(base.group_by, episode.group, strict=True))
                for row, (time, last) in episode.moments.items():
                    seen = {**events[row], **own}
                    group, value = tuple(seen[name] for name in fields), value_of(rule, seen.get(measured))
                    when = (time,) if rule.kind.startswith("temporal") else ()
                    everything = frozenset(episode.events)
                    item = Item(time, last, group, value, frozenset({index}), everything)
                    put((base.name, number, group, value, *when), item)
    return list(made.values())


def value_of(rule: Rule, value: Any) -> Any:
    if value is None or rule.kind == "value_count":
        return value
    try:
        return float(value)
    except ValueError:
        return None


def holds(rule: Rule, window: Sequence[Item]) -> bool:
    values = [item.value for item in window]
    if rule.words is not None or (rule.kind.startswith("temporal") and not rule.bounds):
        return holds_in_words(rule, window)
    if rule.kind == "event_count":
        measure: float = len(window)
    elif rule.kind == "value_count":
        measure = len(set(values))
    elif rule.kind == "temporal":
        measure = len({index for item in window for index in item.rules})
    elif rule.kind == "temporal_ordered":
        orders = (
            order
            for length in range(len(rule.rules) + 1)
            for order in itertools.combinations(range(len(rule.rules)), length)
        )
        measure = max(len(order) for order in orders if in_order(order, window))
    elif rule.kind == "value_sum":
        measure = sum(values)
    elif rule.kind == "value_avg":
        measure = sum(values) / len(values)
    elif rule.kind == "value_median":
        measure = statistics.median(values)
    else:
        ranked = sorted(values)
        place = (len(ranked) - 1) * (rule.percentile or 0) / 100
        low = int(place)
        high = min(low + 1, len(ranked) - 1)
        measure = ranked[low] + (ranked[high] - ranked[low]) * (place - low)
    return all(OPERATORS[name](measure, bound) for name, bound in rule.bounds.items())


def holds_in_words(rule: Rule, window: Sequence[Item]) -> bool:
    """Any choice of rules that makes the words true, that all occur (in order), and of which nothing else is needed."""
    names = [base if isinstance(base, str) else base.name for base in rule.rules]
    words = rule.words or " and ".join(dict.fromkeys(names))
    seen = {names[index] for item in window for index in item.rules}
    if rule.kind == "temporal":
        return bool(eval(words, {}, {name: name in seen for name in names}))  # noqa: S307 - the test's own words
    for length in range(len(names) + 1):
        for order in itertools.combinations(range(len(names)), length):
            chosen = {names[index] for index in order}
            if len(order) != sum(name in chosen for name in names):
                continue  # a rule that is named twice occurs twice
            if true_with(words, chosen, seen) and in_order(order, window):
                return True
    return False


def true_with(words: str, chosen: set[str], seen: set[str]) -> bool:
    """`a` counts if it is among those put in order, `not a` if it does not occur at all."""

    def read(tokens: list[str], negated: bool) -> bool:
        value = read_and(tokens, negated)
        while tokens and tokens[0] == "or":
            tokens.pop(0)
            other = read_and(tokens, negated)
            value = (value and other) if negated else (value or other)
        return value

    def read_and(tokens: list[str], negated: bool) -> bool:
        value = read_one(tokens, negated)
        while tokens and tokens[0] == "and":
            tokens.pop(0)
            other = read_one(tokens, negated)
            value = (value or other) if negated else (value and other)
        return value

    def read_one(tokens: list[str], negated: bool) -> bool:
        word = tokens.pop(0)
        if word == "not":
            return read_one(tokens, not negated)
        if word == "(":
            value = read(tokens, negated)
            tokens.pop(0)
            return value
        return word not in seen if negated else word in chosen

    return read(words.replace("(", " ( ").replace(")", " ) ").split(), False)


def in_order(order: Sequence[int], window: Sequence[Item]) -> bool:
    """Is there an item for each of these rules, each later, or at the same time in a later row, than the one before?"""
    last = (-1, -1)
    for index in order:
        later = [item for item in window if index in item.rules and (item.time, item.row) > last]
        if not later:
            return False
        last = min((item.time, item.row) for item in later)
    return True
