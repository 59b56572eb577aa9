"""One document to a Correlation, or its refusal. What can be run is in TYPES; everything else says what would do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, get_args

from sigma.correlations import SigmaCorrelationTimespan, SigmaCorrelationType
from sigma.exceptions import SigmaTimespanError

from detector.rules.about import about
from detector.rules.document import Document
from detector.rules.names import nearest
from detector.rules.pack import Bound, Correlation, CorrelationType, Detection
from detector.rules.parse_detection import refuse_unknown

TYPES: tuple[str, ...] = get_args(CorrelationType)
OPERATORS = frozenset({"gt", "gte", "lt", "lte", "eq", "neq"})
KEYS = frozenset({"type", "rules", "group-by", "timespan", "condition", "generate", "aliases"})
_ALL_TYPES = frozenset(item.name.lower() for item in SigmaCorrelationType)
#: A hundred years: a longer span is a slip, and would not fit the engine's 64-bit microseconds a million times over.
_LONGEST = timedelta(days=36525)


def parse_correlation(
    document: Document, detections: Sequence[Detection], refused: Collection[str], correlations: Collection[str]
) -> Correlation:
    """Raises RuleError for whatever cannot be run with its full meaning."""
    body = document.data["correlation"]
    if not isinstance(body, dict):
        raise document.error("`correlation` must be a mapping", "correlation")
    error = refuse_unknown(document, body, KEYS, "correlation")
    if error:
        raise error
    kind = _type(document, body.get("type"))
    if body.get("aliases"):
        raise document.error(
            "aliases are not supported yet",
            "correlation",
            "aliases",
            hint="Group by a field that all the rules' events have under one name.",
        )
    if "generate" in body and not isinstance(body["generate"], bool):
        raise document.error("`generate` must be true or false", "correlation", "generate")
    rules = tuple(
        _reference(document, str(name), detections, refused, correlations) for name in _list(document, body, "rules")
    )
    if not rules:
        raise document.error("a correlation needs `rules`", "correlation")
    bounds, values = _condition(document, kind, body.get("condition"), len(rules))
    return Correlation(
        about=about(document, reported=True),
        type=kind,
        rules=rules,
        timespan=_timespan(document, body.get("timespan")),
        group_by=tuple(str(name) for name in _list(document, body, "group-by")),
        bounds=bounds,
        values=values,
    )


def _type(document: Document, kind: Any) -> CorrelationType:
    if kind in TYPES:
        return kind  # type: ignore[no-any-return]
    if kind in _ALL_TYPES:
        raise document.error(
            f"correlation type {kind} is not supported yet",
            "correlation",
            "type",
            hint=f"Supported: {', '.join(TYPES)}.",
        )
    raise document.error(
        "a correlation needs a type" if kind is None else f"unknown correlation type {kind!r}",
        "correlation",
        "type",
        hint=nearest(str(kind), _ALL_TYPES),
    )


def _reference(
    document: Document,
    name: str,
    detections: Sequence[Detection],
    refused: Collection[str],
    correlations: Collection[str],
) -> str:
    at = ("correlation", "rules")
    if name in correlations:
        raise document.error(
            f"{name!r} is itself a correlation: chains are not supported yet", *at, hint="Name detection rules only."
        )
    found = [rule.about.key for rule in detections if name in (rule.about.name, rule.about.metadata.get("id"))]
    if len(found) == 1:
        return found[0]
    if found:
        raise document.error(f"{name!r} is the name of {len(found)} rules", *at, hint="Give each a name of its own.")
    if name in refused:
        raise document.error(f"builds on {name!r}, which was refused", *at, hint="Mend that rule first.")
    known = [rule.about.name for rule in detections if rule.about.name]
    raise document.error(f"no rule is named {name!r}", *at, hint=nearest(name, known) if known else None)


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


def _condition(
    document: Document, kind: CorrelationType, condition: Any, rules: int
) -> tuple[tuple[Bound, ...], tuple[str, ...]]:
    at = ("correlation", "condition")
    if condition is None and kind == "temporal":
        return (("gte", rules),), ()
    if isinstance(condition, str):
        raise document.error(
            "extended conditions are not supported yet", *at, hint="Use a mapping, for example `gte: 2`, over `rules`."
        )
    if not isinstance(condition, dict):
        raise document.error("a correlation needs a condition", *at, hint="For example `gte: 10`.")
    error = refuse_unknown(document, condition, OPERATORS | {"field"}, *at)
    if error:
        raise error
    bounds = []
    for name in sorted(OPERATORS & set(condition)):
        number = condition[name]
        if isinstance(number, bool) or not isinstance(number, int | float) or number != number:  # noqa: PLR0124
            raise document.error(f"{number!r} is no number", *at, name)
        bounds.append((name, number))
    if not bounds:
        raise document.error(
            "the condition compares nothing", *at, hint=f"One or more of {', '.join(sorted(OPERATORS))}."
        )
    field = condition.get("field")
    if (field is not None) != (kind == "value_count"):
        text = "needs" if kind == "value_count" else "takes no"
        raise document.error(f"{kind} {text} `field` in its condition", *at)
    values = field if isinstance(field, list) else [] if field is None else [field]
    return tuple(bounds), tuple(map(str, values))


def _list(document: Document, body: dict[str, Any], key: str) -> list[Any]:
    value = body.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(item, str) and item for item in items):
        raise document.error(f"`{key}` must be a name or a list of names", "correlation", key)
    return items
