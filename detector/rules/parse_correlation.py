"""One document to a Correlation, or its refusal: whatever cannot be run with its full meaning says what would do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, get_args

from sigma.correlations import SigmaCorrelationTimespan
from sigma.exceptions import SigmaTimespanError

from detector.rules.about import about
from detector.rules.document import Document
from detector.rules.measures import COMPARE
from detector.rules.names import nearest
from detector.rules.pack import NUMERIC, Base, Bound, Correlation, CorrelationType, Detection, Together
from detector.rules.parse_detection import refuse_unknown
from detector.rules.parse_ways import all_of, names_of, parse_ways

TYPES: tuple[str, ...] = get_args(CorrelationType)
OPERATORS = frozenset(COMPARE)
KEYS = frozenset({"type", "rules", "group-by", "timespan", "condition", "generate", "aliases"})
TEMPORAL = frozenset({"temporal", "temporal_ordered"})
#: A hundred years: a longer span is a slip, and would not fit the engine's 64-bit microseconds a million times over.
_LONGEST = timedelta(days=36525)
_CONDITION = ("correlation", "condition")

#: Gives the rule of a name (and the path of that name in the document), or raises RuleError.
Resolve = Callable[[str, tuple[str | int, ...]], Detection | Correlation]
Aliases = dict[str, dict[str, str]]


def named_rules(document: Document) -> list[tuple[str, tuple[str | int, ...]]]:
    """The rules that a correlation names, each with its path; nothing is checked yet."""
    body = document.data.get("correlation")
    if not isinstance(body, dict):
        return []
    rules = body.get("rules")
    if rules is None and isinstance(body.get("condition"), str):
        return [(name, _CONDITION) for name in names_of(body["condition"])]
    names = rules if isinstance(rules, list) else [] if rules is None else [rules]
    return [(name, ("correlation", "rules", index)) for index, name in enumerate(names) if isinstance(name, str)]


def parse_correlation(document: Document, resolve: Resolve, *, reported: bool) -> Correlation:
    """Raises RuleError for whatever cannot be run with its full meaning."""
    body = document.data["correlation"]
    if not isinstance(body, dict):
        raise document.error("`correlation` must be a mapping", "correlation")
    error = refuse_unknown(document, body, KEYS, "correlation")
    if error:
        raise error
    kind = _type(document, body.get("type"))
    if "generate" in body and not isinstance(body["generate"], bool):
        raise document.error("`generate` must be true or false", "correlation", "generate")
    group_by = tuple(dict.fromkeys(_list(document, body, "group-by")))
    names = _rule_names(document, body)
    rules = {name: resolve(name, path) for name, path in names}
    order = [name for name, _ in names]
    if kind != "temporal_ordered":
        order = list({rules[name].about.key: name for name in reversed(order)}.values())[::-1]
    timespan = _timespan(document, body.get("timespan"))
    condition: Any = body.get("condition")
    bounds: tuple[Bound, ...] = ()
    values: tuple[str, ...] = ()
    ways: tuple[Together, ...] = ()
    percentile = None
    if condition is None and kind in TEMPORAL:
        ways = all_of(len(order))
    elif isinstance(condition, str):
        if kind not in TEMPORAL:
            raise document.error(
                f"{kind} takes no condition in words", *_CONDITION, hint="A mapping, for example `gte: 10`."
            )
        ways = parse_ways(document, condition, order, ordered=kind == "temporal_ordered")
    else:
        bounds = _bounds(document, condition)
        values, percentile = _measured(document, kind, condition)
        ways = _check_reachable(document, kind, bounds, len(order))
        bounds = () if ways else bounds
    aliases = _aliases(document, body.get("aliases"), rules, {*group_by, *values})
    return Correlation(
        about=about(document, reported=reported),
        type=kind,
        bases=tuple(_base(rules[name], group_by, values, aliases) for name in order),
        timespan=timespan,
        group_by=group_by,
        bounds=bounds,
        values=values,
        ways=ways,
        percentile=percentile,
    )


def _type(document: Document, kind: Any) -> CorrelationType:
    if kind in TYPES:
        return kind  # type: ignore[no-any-return]
    raise document.error(
        "a correlation needs a type" if kind is None else f"unknown correlation type {kind!r}",
        "correlation",
        "type",
        hint=nearest(str(kind), TYPES),
    )


def _rule_names(document: Document, body: dict[str, Any]) -> list[tuple[str, tuple[str | int, ...]]]:
    _list(document, body, "rules")
    names = named_rules(document)
    if not names:
        raise document.error("a correlation needs `rules`", "correlation")
    return names


def _base(rule: Detection | Correlation, group_by: Sequence[str], values: Sequence[str], aliases: Aliases) -> Base:
    def field(name: str) -> str:
        return aliases.get(name, {}).get(rule.about.key, name)

    given = frozenset(rule.group_by) if isinstance(rule, Correlation) else frozenset()
    return Base(rule.about.key, tuple(map(field, group_by)), tuple(map(field, values)), given)


def _aliases(document: Document, body: Any, rules: dict[str, Detection | Correlation], used: set[str]) -> Aliases:
    """Alias -> key of a rule -> field of its events. A rule that an alias does not name has a field of that name."""
    at = ("correlation", "aliases")
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise document.error("`aliases` must be a mapping", *at, hint="alias: {rule name: field}")
    for alias, fields in body.items():
        if not isinstance(alias, str) or not isinstance(fields, dict) or not fields:
            raise document.error("an alias needs a field for each rule", *at, str(alias), hint="{rule name: field}")
        if alias not in used:
            raise document.error(
                f"alias {alias!r} is never used",
                *at,
                alias,
                hint="Name it in `group-by` or as the condition's `field`, or take it out.",
            )
        for name, field in fields.items():
            if name not in rules:
                raise document.error(
                    f"{name!r} is not among `rules`", *at, alias, str(name), hint=nearest(str(name), rules)
                )
            if not isinstance(field, str) or not field:
                raise document.error("the name of a field must be a text", *at, alias, str(name))
    return {alias: {rules[name].about.key: field for name, field in fields.items()} for alias, fields in body.items()}


def _timespan(document: Document, spec: Any) -> timedelta:
    try:
        span = timedelta(seconds=SigmaCorrelationTimespan(spec).seconds)
    except (SigmaTimespanError, OverflowError):
        span = timedelta(0)
    if not timedelta(0) < span <= _LONGEST:
        raise document.error(
            f"timespan {spec!r} is not a time span",
            "correlation",
            "timespan",
            hint="A whole number and a unit: 30s, 15m, 24h, 7d, 4w, 3M (months) or 1y.",
        )
    return span


def _bounds(document: Document, condition: Any) -> tuple[Bound, ...]:
    if not isinstance(condition, dict):
        raise document.error("a correlation needs a condition", *_CONDITION, hint="For example `gte: 10`.")
    error = refuse_unknown(document, condition, OPERATORS | {"field", "percentile"}, *_CONDITION)
    if error:
        raise error
    bounds = []
    for name in sorted(OPERATORS & set(condition)):
        number = condition[name]
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise document.error(
                f"{number!r} is no number", *_CONDITION, name, hint="Write a plain number, without quotes: `gte: 10`."
            )
        bounds.append((name, number))
    if not bounds:
        raise document.error(
            "the condition compares nothing", *_CONDITION, hint=f"One or more of {', '.join(sorted(OPERATORS))}."
        )
    return tuple(bounds)


def _measured(
    document: Document, kind: CorrelationType, condition: dict[str, Any]
) -> tuple[tuple[str, ...], float | None]:
    """The fields measured, and which percentile."""
    field = condition.get("field")
    takes = kind == "value_count" or kind in NUMERIC
    if (field is not None) != takes:
        raise document.error(f"{kind} {'needs' if takes else 'takes no'} `field` in its condition", *_CONDITION)
    names = field if isinstance(field, list) else [] if field is None else [field]
    if not all(isinstance(name, str) and name for name in names) or (takes and not names):
        raise document.error("`field` must be the name of a field, or a list of names", *_CONDITION, "field")
    if kind in NUMERIC and len(names) > 1:
        raise document.error(
            f"{kind} measures one field, not {len(names)}", *_CONDITION, "field", hint="Write a correlation for each."
        )
    percentile = condition.get("percentile")
    if (percentile is not None) != (kind == "value_percentile"):
        raise document.error(
            f"{kind} {'needs' if percentile is None else 'takes no'} `percentile` in its condition",
            *_CONDITION,
            hint="For example `{field: export_count, percentile: 95, gte: 100}`: the value that 95 % do not exceed.",
        )
    if percentile is not None and (
        isinstance(percentile, bool) or not isinstance(percentile, int | float) or not 0 <= percentile <= 100
    ):
        raise document.error(f"{percentile!r} is no percentile", *_CONDITION, "percentile", hint="0 to 100.")
    return tuple(names), percentile


def _check_reachable(
    document: Document, kind: CorrelationType, bounds: tuple[Bound, ...], rules: int
) -> tuple[Together, ...]:
    """Refuse a condition that no window can meet; give the ways where all rules of a temporal one must occur."""
    numbers = [number for _, number in bounds]
    if kind in NUMERIC:
        # the bounds cut the line into points and gaps: try each of them
        points = sorted({*numbers, min(numbers) - 1, max(numbers) + 1})
        tries = [*points, *((low + high) / 2 for low, high in pairwise(points))]
        if not any(_met(bounds, value) for value in tries):
            raise document.error("no number meets this condition", *_CONDITION, hint="Its bounds exclude each other.")
        return ()
    most = rules if kind in TEMPORAL else max(1, *(math.floor(number) + 2 for number in numbers))
    edges = {1, most, *(math.floor(number) + step for number in numbers for step in (-1, 0, 1, 2))}
    counts = [count for count in sorted(edges) if 1 <= count <= most and _met(bounds, count)]
    if counts:
        return all_of(rules) if kind in TEMPORAL and counts == [rules] else ()
    if _met(bounds, 0):
        raise document.error(
            "the condition asks for nothing to happen, but a window is looked at when an event ends it",
            *_CONDITION,
            hint="Silence cannot be seen event by event. With a temporal rule, `condition: a and not b` finds a "
            "without b before it.",
        )
    more = f": there are {rules} rules" if kind in TEMPORAL else ""
    hint = f"Counts are from 1 on{f', and at most {rules}' if kind in TEMPORAL else ''}; all bounds must hold at once."
    raise document.error(f"no count meets this condition{more}", *_CONDITION, hint=hint)


def _met(bounds: tuple[Bound, ...], value: float) -> bool:
    return all(COMPARE[name](value, number) for name, number in bounds)


def _list(document: Document, body: dict[str, Any], key: str) -> list[str]:
    value = body.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) and item for item in items):
        raise document.error(f"`{key}` must be a name or a list of names", "correlation", key)
    return items
