"""The values that an example's events may have: those of the column or feature, read as a source's would be.

What no event can have is refused here, with what would do: an example of it would prove nothing.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from detector.rules.names import ENUMERATIONS, field_bounds, field_kind, one_of
from detector.schema import EVENT_SCHEMA

#: Times of events; beyond them lies a slip.
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
#: Events of one example file, repeated ones included: they are built in memory.
MOST_EVENTS: Final = 20_000
#: From here on a whole number is not exact as a feature is kept (float64).
_EXACT: Final = 1 << 53
_WRITE_TIME: Final = "Write it as 2026-03-02T10:00:00Z."


class BadValueError(Exception):
    """What is wrong with a value, and what would do."""

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(message)


def sound(field: str, value: Any) -> Any:
    """The value as the column or feature takes it. Raises BadValueError for what no event can have."""
    if value is None:
        column = EVENT_SCHEMA.field(field) if field in EVENT_SCHEMA.names else None
        if column is not None and not column.nullable:
            raise BadValueError(f"{field} is never missing", "Leave it out for the usual value, or write one.")
        return None
    kind = field_kind(field)
    if kind == "time":
        return moment(field, value)
    if kind == "boolean":
        return _boolean(field, value)
    if kind in ("integer", "decimal"):
        return _number(field, value)
    return _text(field, value)


def moment(field: str, value: Any) -> datetime:
    """A time with its zone; without an offset it is UTC, as in a log."""
    found: datetime | None = None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime.combine(value, time())
    elif isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            found = None
    if found is None:
        raise BadValueError(f"{field} is a time, not {_said(value)}", _WRITE_TIME)
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if not FIRST + timedelta(days=1) <= found <= LAST - timedelta(days=1):
        raise BadValueError(f"{field} is never {_said(value)}", f"A time from {FIRST.year} to {LAST.year - 1} will do.")
    return found


def times(value: Any) -> int:
    """How often an event is repeated."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadValueError(
            f"`times` is a whole number from 1 on, not {_said(value)}", "How many such events there are."
        )
    if value > MOST_EVENTS:
        raise BadValueError(
            f"`times: {_said(value)}` are too many events",
            f"The examples of a file have at most {MOST_EVENTS:,}; try the rule with a smaller number.",
        )
    return value


def every(value: Any) -> timedelta:
    """The time between an event and its repetition; given in minutes."""
    plain = not isinstance(value, bool) and isinstance(value, int | float)
    if not plain or not math.isfinite(value) or value < 0:
        raise BadValueError(f"`every` is a number of minutes, not {_said(value)}", "For example `every: 10`.")
    if value > (LAST - FIRST) / timedelta(minutes=1):
        raise BadValueError(f"`every: {_said(value)}` minutes are too long", _until())
    return timedelta(minutes=value)


def repeated(start: datetime, step: timedelta, number: int) -> list[datetime]:
    """The times of an event and its repetitions."""
    if number > 1 and step > (LAST - start) / (number - 1):
        raise BadValueError("the last of these events lies too far ahead", _until())
    return [start + index * step for index in range(number)]


def _until() -> str:
    return f"Events end with the year {LAST.year - 1}."


def _boolean(field: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise BadValueError(f"{field} is true or false, not {_said(value)}", "Write true or false, without quotes.")


def _number(field: str, value: Any) -> int | float:
    low, high, whole = field_bounds(field)
    takes = _takes(low, high, whole=whole)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValueError(f"{field} is a number, not {_said(value)}", f"It takes {takes}.")
    if isinstance(value, float) and not math.isfinite(value):
        said = f"{field} is a number, not {_said(value)}"
        raise BadValueError(said, f"It takes {takes}, or null if it is not known.")
    beyond = (low is not None and value < low) or (high is not None and value > high)
    if beyond or (whole and value != int(value)):
        raise BadValueError(f"{field} is never {_said(value)}", f"It takes {takes}.")
    if abs(value) >= _EXACT:
        raise BadValueError(f"{field} is {_said(value)}, which is too large to be exact", f"Less than {_EXACT:,}.")
    return int(value) if whole else value


def _takes(low: float | None, high: float | None, *, whole: bool) -> str:
    noun = "a whole number" if whole else "a number"
    if (low, high, whole) == (0.0, 1.0, True):
        return "0 or 1"
    if low is not None and high is not None:
        return f"{noun} from {low:g} to {high:g}"
    return f"{noun} from {low:g} on" if low is not None else noun


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str):
        hint = (
            f"Put it in quotes: '{_short(value)}'." if isinstance(value, int | float | date) else "One text an event."
        )
        if isinstance(value, bool):
            hint = "Put it in quotes: without them YAML reads yes, no, on and off as true or false, too."
        raise BadValueError(f"{field} is a text, not {_said(value)}", hint)
    if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise BadValueError(f"{field} has half a character (a lone surrogate)", "Write the whole character.")
    known = ENUMERATIONS.get(field)
    if known is not None and value not in known:
        raise BadValueError(f"{field} is never {_short(value)!r}", one_of(value, known))
    return value


def _said(value: Any) -> str:
    """A value as an error tells of it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return repr(_short(value)) if isinstance(value, str) else _short(value)


def _short(value: Any) -> str:
    # Python does not write out a whole number of more than 4,300 digits
    text = f"a number of {value.bit_length()} bits" if isinstance(value, int) and abs(value) >= 10**40 else str(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
