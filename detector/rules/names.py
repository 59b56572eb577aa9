"""The names a rule of the project may use, what values they take, and the nearest known one to a name that is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import pyarrow as pa

from detector.schema import ACTIONS, EVENT_SCHEMA, OUTCOMES

#: Modifiers that compare by size, and those that take a part of a time; the values of both are numbers.
ORDER: Final = frozenset({"gt", "gte", "lt", "lte"})
TIME_PARTS: Final = frozenset({"minute", "hour", "day", "week", "month", "year"})
#: Columns with a fixed set of values.
ENUMERATIONS: Final[Mapping[str, tuple[str, ...]]] = {"action": ACTIONS, "outcome": OUTCOMES}
#: Values of a column, or of a feature by its unit, where they are bounded; both ends included.
_COLUMN_BOUNDS: Final[Mapping[str, tuple[float | None, float | None]]] = {
    "utc_offset_minutes": (-1440.0, 1440.0),
    "result_count": (0.0, None),
    "scope_count": (0.0, None),
    "export_count": (0.0, None),
    "source_line": (0.0, None),
}
_UNIT_BOUNDS: Final[Mapping[str, tuple[float | None, float | None]]] = {
    "0 or 1": (0.0, 1.0),
    "share": (0.0, 1.0),
    "percent": (0.0, 100.0),
    **dict.fromkeys(
        ("look-ups", "times", "days", "coefficient of variation", "records", "stories", "minutes"), (0.0, None)
    ),
}

Kind = Literal["text", "integer", "decimal", "boolean", "time", "other"]


def feature_names() -> frozenset[str]:
    """The features of the catalogue."""
    from detector.features.catalogue import FEATURES

    return frozenset(FEATURES)


def known_fields() -> frozenset[str]:
    """Columns of an event and features of the catalogue."""
    return frozenset(EVENT_SCHEMA.names) | feature_names()


def field_kind(field: str) -> Kind:
    """What the values of a column or feature are; `other` for a field that is neither."""
    if field in feature_names():
        return "decimal"
    if field not in EVENT_SCHEMA.names:
        return "other"
    kind = EVENT_SCHEMA.field(field).type
    if pa.types.is_timestamp(kind):
        return "time"
    return "integer" if pa.types.is_integer(kind) else "boolean" if pa.types.is_boolean(kind) else "text"


def field_bounds(field: str) -> tuple[float | None, float | None, bool]:
    """The least and the greatest number that the field can be, and whether it is always a whole one."""
    from detector.features.catalogue import FEATURES

    if field in FEATURES:
        unit = FEATURES[field].unit
        return *_UNIT_BOUNDS.get(unit, (None, None)), unit == "0 or 1"
    return *_COLUMN_BOUNDS.get(field, (None, None)), field_kind(field) == "integer"


def one_of(name: object, known: Sequence[str]) -> str:
    """The nearest, if any is near, and all of a short list."""
    close = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.5)
    return f"{f'Did you mean {close[0]}? ' if close else ''}One of {', '.join(known)}."


def nearest(name: object, known: Iterable[str]) -> str:
    """`Did you mean x?`, or the first few known names where none is near."""
    names = sorted(set(known))
    close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known here: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}."
