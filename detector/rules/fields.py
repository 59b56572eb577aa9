"""The fields of an event as rules see them: by name, whatever the table beneath is.

Two tables are read: one with a column a field (the lake, CSV, Parquet), and one with a whole JSON document a row.
Either gives, for every field that a rule names, a set of views: its text, its text folded for comparing without
regard to case, its number, its time. A view is NULL where the event has no such value; all views of all fields are
columns of one projection, so that a thousand rules on one field fold its text once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol

import ibis
import ibis.expr.types as ir

from detector.rules.engine_functions import epoch_microseconds, make_timestamp
from detector.rules.network import ipv6_digits

#: A decimal number as a person writes it; neither `1_000`, nor ` 12 `, nor `inf`, which a cast alone would take.
NUMBER = r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[T ][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}([.][0-9]*)?)?"
#: ISO 8601, a day or finer: without a zone, and with an offset, Z or UTC. A cast alone would take `12:00 junk`, too.
NAIVE_TIME = f"{_DAY}({_CLOCK})?$"
ZONED_TIME = f"{_DAY}{_CLOCK}(Z| UTC|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"
#: Of numbers, only those from 1990 to 2200 are taken for times since 1970, in microseconds.
_TIMES = (631_152_000_000_000, 7_258_118_400_000_000)
#: Between two values in the one text that keywords are looked for in.
SEPARATOR = "\x1f"

Kind = Literal["text", "integer", "decimal", "boolean", "time", "document", "list"]


#: What a matcher can look at.
Part = Literal["text", "folded", "number", "numeric", "time", "moment", "present", "ipv6"]


@dataclass(frozen=True)
class Views:
    """One field of every event. `kind` is the column's own type.

    `text` is NULL where there is no value, `folded` its lower case, `number` its number (also of a text that reads as
    one), `numeric` whether it is written as a number and not as a text (never NULL; not known of what lies in a list),
    `time` UTC without zone, `moment` microseconds since 1970 to order by, `ipv6` as in network.py; `present` is
    never NULL. Where the field's value is a list in some event, `elements` has its texts, and NULL for other events.
    """

    kind: Kind
    text: ir.StringValue
    folded: ir.StringValue
    number: ir.NumericValue
    numeric: ir.BooleanValue
    time: ir.TimestampValue
    moment: ir.IntegerValue
    present: ir.BooleanValue
    ipv6: ir.StringValue
    elements: ir.ArrayValue | None = None


@dataclass(frozen=True)
class Raw:
    """One field as a source has it: its text, its own typed value where the column has a type, whether it is there.

    `numeric`, where that is not the same for the whole column: is the value written as a number?
    """

    kind: Kind
    text: ir.StringValue
    present: ir.BooleanValue
    native: ir.Value | None = None
    elements: ir.ArrayValue | None = None
    numeric: ir.BooleanValue | None = None

    def part(self, name: Part) -> ir.Value:
        return _PARTS[name](self)


class Fields(Protocol):
    """What the compiler asks of a table."""

    def view(self, name: str) -> Views:
        """The views of a field; all NULL when no event has it."""

    def all_text(self) -> ir.StringValue:
        """Every value of the event, folded, with SEPARATOR between them."""

    def all_values(self) -> ir.ArrayValue:
        """Every value of the event, as an array of texts."""


@dataclass(frozen=True)
class Projected:
    """Views as columns of one projection over the source, beside the columns that were kept."""

    table: ir.Table
    kinds: Mapping[str, Kind]
    prefixes: Mapping[str, str]
    parts: Mapping[str, frozenset[Part]]
    lists: frozenset[str]
    #: Made once a field: a thousand rules ask for the same few.
    _views: dict[str, Views] = field(default_factory=dict, init=False, repr=False, compare=False)

    def view(self, name: str) -> Views:
        if name not in self._views:
            self._views[name] = self._view(self.prefixes[name], self.parts[name], name)
        return self._views[name]

    def _view(self, prefix: str, parts: frozenset[Part], name: str) -> Views:
        found = {
            part: self.table[f"{prefix}{part}"] if part in parts else nothing for part, nothing in absent().items()
        }
        elements = self.table[f"{prefix}elements"] if name in self.lists else None
        return Views(kind=self.kinds[name], elements=elements, **found)

    def all_text(self) -> ir.StringValue:
        return self.table["_all_text"]

    def all_values(self) -> ir.ArrayValue:
        return self.table["_all_values"]


@dataclass(frozen=True)
class Wanted:
    """What a run asks of a source: fields with the parts needed, and whether keywords are looked for."""

    parts: Mapping[str, frozenset[Part]]
    keywords: bool

    @property
    def names(self) -> list[str]:
        return sorted(self.parts)

    @property
    def present(self) -> list[str]:
        """The fields whose mere presence is asked for."""
        return [name for name in self.names if "present" in self.parts[name]]

    @property
    def typed(self) -> list[str]:
        """The fields whose presence, or whose way of writing, is asked for: a JSON type tells both."""
        return [name for name in self.names if {"present", "numeric"} & self.parts[name]]


class Prepared(Protocol):
    """A table that can say what its fields are."""

    @property
    def table(self) -> ir.Table: ...

    def raw(self, name: str) -> Raw:
        """A field; all NULL when no event has it."""

    def values(self) -> ir.ArrayValue: ...

    def broken(self) -> ir.BooleanValue | None:
        """Is the row no event at all? None where that cannot be."""

    def surprise(self) -> ir.BooleanValue | None:
        """Has the row a list where the source knew of none? None where that cannot be."""


def project(source: Prepared, wanted: Wanted, keep: Mapping[str, ir.Value]) -> Projected:
    """One projection of a prepared source: the views of its fields and `keep` (under names of its own, never `_f…`)."""
    prefixes = {name: f"_f{index}_" for index, name in enumerate(wanted.names)}
    kinds: dict[str, Kind] = {}
    columns: dict[str, ir.Value] = dict(keep)
    lists: set[str] = set()
    for name in wanted.names:
        raw = source.raw(name)
        kinds[name] = raw.kind
        columns |= {f"{prefixes[name]}{part}": raw.part(part) for part in sorted(wanted.parts[name])}
        if raw.elements is not None:
            columns[f"{prefixes[name]}elements"] = raw.elements
            lists.add(name)
    if wanted.keywords:
        columns["_all_values"] = source.values()
        columns["_all_text"] = columns["_all_values"].join(SEPARATOR).lower()
    return Projected(source.table.select(**columns), kinds, prefixes, wanted.parts, frozenset(lists))


def views_of(raw: Raw) -> Views:
    """The views of a value where it stands: of an element within its list."""
    return Views(kind=raw.kind, **{part: raw.part(part) for part in absent()})


@cache
def absent() -> Mapping[Part, ir.Value]:
    """The parts of a field that no event has."""
    return {
        "text": ibis.null("string"),
        "folded": ibis.null("string"),
        "number": ibis.null("float64"),
        "numeric": ibis.literal(False),
        "time": ibis.null("timestamp"),
        "moment": ibis.null("int64"),
        "present": ibis.literal(False),
        "ipv6": ibis.null("string"),
    }


def raw_of(value: ir.Value) -> Raw:
    """One typed column."""
    kind = value.type()
    if kind.is_boolean():
        return Raw("boolean", value.cast("string").lower(), value.notnull(), value)
    if kind.is_numeric():
        text = value.cast("string")
        if not kind.is_integer():
            return Raw("decimal", text.re_replace(r"[.]0*$", ""), value.notnull(), value)
        return Raw("integer", text, value.notnull(), value)
    if kind.is_array():
        texts = value.map(lambda element: raw_of(element).text)
        return Raw("list", value.cast("string"), value.notnull(), elements=texts)
    if kind.is_timestamp():
        text = _utc(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ").re_replace(r"[.]000000Z$", "Z")
        return Raw("time", text, value.notnull(), value)
    return Raw("text", value if kind.is_string() else value.cast("string"), value.notnull())


def _number(raw: Raw) -> ir.NumericValue:
    if raw.kind in ("integer", "decimal"):
        # to the engines, what is no number is greater than all
        native: Any = raw.native
        kind = native.type()
        return ibis.ifelse(native.isnan(), ibis.null(kind), native) if kind.is_floating() else native
    if raw.kind in ("boolean", "time"):
        return ibis.null("float64")
    return ibis.ifelse(raw.text.re_search(NUMBER), raw.text.try_cast("float64"), ibis.null("float64"))


def _time(raw: Raw) -> ir.TimestampValue:
    if raw.kind == "time":
        return _utc(raw.native)
    if raw.kind == "boolean":
        return ibis.null("timestamp")
    epoch = _epoch(_number(raw).cast("float64"))
    # other numbers are hours or minutes themselves, or a date written without signs
    time = ibis.ifelse(epoch.between(*_TIMES), epoch, ibis.null("int64"))
    return ibis.coalesce(parse_time(raw.text), make_timestamp(time))


def _moment(raw: Raw) -> ir.IntegerValue:
    """ISO text, a time, or the time since 1970."""
    time = _utc(raw.native) if raw.kind == "time" else parse_time(raw.text)
    return ibis.coalesce(epoch_microseconds(time), _epoch(_number(raw).cast("float64")))


def _epoch(number: ir.FloatingValue) -> ir.IntegerValue:
    """Microseconds since 1970 of a number of seconds, milliseconds, microseconds or nanoseconds since then.

    Its size tells which: no log has seconds beyond the year 5138, nor finer units before 1973. NULL beyond all times.
    """
    size = number.abs()
    factor = ibis.cases((size < 1e11, 1e6), (size < 1e14, 1e3), (size < 1e17, 1.0), else_=1e-3)
    found = number * factor
    return ibis.ifelse(found.abs() < 9e18, found, ibis.null("float64")).round().cast("int64")


def _utc(value: ir.TimestampValue) -> ir.TimestampValue:
    return make_timestamp(epoch_microseconds(value))


_PARTS: Mapping[Part, Callable[[Raw], ir.Value]] = {
    "text": lambda raw: raw.text,
    "folded": lambda raw: raw.text.lower(),
    "number": _number,
    "numeric": lambda raw: ibis.literal(raw.kind in ("integer", "decimal")) if raw.numeric is None else raw.numeric,
    "time": _time,
    "moment": _moment,
    "present": lambda raw: raw.present,
    "ipv6": lambda raw: ipv6_digits(raw.text.lower()),
}
NOTHING = Raw("text", ibis.null("string"), ibis.literal(False))


def parse_time(text: ir.StringValue) -> ir.TimestampValue:
    """ISO 8601 text as UTC without a zone; NULL when it is anything else. Without an offset it is taken as UTC."""
    # The engine's cast to a time without zone would read an offset and drop it; its cast to one with a zone would take
    # a text without offset for the session's local time. So each gets only what it is right for.
    naive = ibis.ifelse(text.re_search(NAIVE_TIME), text.try_cast("timestamp"), ibis.null("timestamp"))
    zoned = ibis.ifelse(text.re_search(ZONED_TIME), text.try_cast("timestamp('UTC')"), ibis.null("timestamp('UTC')"))
    # most logs say a zone; the other expression is then never tried
    return ibis.coalesce(make_timestamp(epoch_microseconds(zoned)), naive)
