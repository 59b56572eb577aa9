"""The fields of an event as rules see them: by name, whatever the table beneath is.

Two tables are read: one with a column a field (the lake, CSV, Parquet), and one with a whole JSON document a row.
Either gives, for every field that a rule names, a set of views: its text, its text folded for comparing without
regard to case, its number, its time. A view is NULL where the event has no such value; all views of all fields are
columns of one projection, so that a thousand rules on one field fold its text once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from detector.rules.engine_functions import epoch_microseconds, json_texts, json_types, json_values, make_timestamp
from detector.rules.network import ipv4_number, ipv6_digits

#: A decimal number as a person writes it; neither `1_000`, nor ` 12 `, nor `inf`, which a cast alone would take.
NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
#: ISO 8601 to the minute or finer, or a day, with an offset, Z, or neither (then UTC).
TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?$"
)
OFFSET = r"([+-])([0-9]{2}):?([0-9]{2})$"
#: Between two values in the one text that keywords are looked for in.
SEPARATOR = "\x1f"

Kind = Literal["text", "integer", "decimal", "boolean", "time", "document"]


#: What a matcher can look at.
Part = Literal["text", "folded", "number", "time", "present", "ipv4", "ipv6"]


@dataclass(frozen=True)
class Views:
    """One field of every event. `kind` is the column's own type.

    `text` is NULL where there is no value, `folded` its lower case, `number` its number (also of a text that reads as
    one), `time` UTC without zone, `ipv4` and `ipv6` as in network.py; `present` is never NULL.
    """

    kind: Kind
    text: ir.StringValue
    folded: ir.StringValue
    number: ir.NumericValue
    time: ir.TimestampValue
    present: ir.BooleanValue
    ipv4: ir.IntegerValue
    ipv6: ir.StringValue


@dataclass(frozen=True)
class Raw:
    """One field as a source has it: its text, its own typed value where the column has a type, whether it is there."""

    kind: Kind
    text: ir.StringValue
    present: ir.BooleanValue
    native: ir.Value | None = None

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

    def view(self, name: str) -> Views:
        found = {
            part: self.table[f"{self.prefixes[name]}{part}"] if part in self.parts[name] else nothing
            for part, nothing in absent().items()
        }
        return Views(kind=self.kinds[name], **found)

    def all_text(self) -> ir.StringValue:
        return self.table["_all_text"]

    def all_values(self) -> ir.ArrayValue:
        return self.table["_all_values"]


#: Puts a table aside and gives it back with the column `row`, numbered from 0 in its order.
Store = Callable[[ir.Table], ir.Table]


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


class Source(Protocol):
    """Where events come from."""

    @property
    def table(self) -> ir.Table: ...

    def prepare(self, wanted: Wanted, store: Store) -> Prepared:
        """The same events, ready to give these fields, their rows numbered."""


class Prepared(Protocol):
    """A table that can say what its fields are."""

    @property
    def table(self) -> ir.Table: ...

    def raw(self, name: str) -> Raw:
        """A field; all NULL when no event has it."""

    def values(self) -> ir.ArrayValue: ...

    def broken(self) -> ir.BooleanValue | None:
        """Is the row no event at all? None where that cannot be."""


def project(source: Prepared, wanted: Wanted, keep: Mapping[str, ir.Value]) -> Projected:
    """One projection of a prepared source: the views of its fields and `keep` (under names of its own, never `_f…`)."""
    prefixes = {name: f"_f{index}_" for index, name in enumerate(wanted.names)}
    kinds: dict[str, Kind] = {}
    columns: dict[str, ir.Value] = dict(keep)
    for name in wanted.names:
        raw = source.raw(name)
        kinds[name] = raw.kind
        columns |= {f"{prefixes[name]}{part}": raw.part(part) for part in sorted(wanted.parts[name])}
    if wanted.keywords:
        columns["_all_values"] = source.values()
        columns["_all_text"] = columns["_all_values"].join(SEPARATOR).lower()
    return Projected(source.table.select(**columns), kinds, prefixes, wanted.parts)


@dataclass(frozen=True)
class ColumnSource:
    """A table with a column a field. `names` maps the event's field names to the table's columns."""

    table: ir.Table
    names: Mapping[str, str]
    numbered: bool = True

    @classmethod
    def of(cls, table: ir.Table) -> ColumnSource:
        return cls(table, {name: name for name in table.columns})

    def prepare(self, wanted: Wanted, store: Store) -> ColumnSource:
        if self.numbered:
            return self
        columns = list(dict.fromkeys(self.names.values()))
        if not wanted.keywords:
            needed = self._needed(wanted.names)
            columns = [column for column in columns if column in needed] or columns[:1]
        names = {name: column for name, column in self.names.items() if column in columns}
        return ColumnSource(store(self.table.select(*columns)), names)

    def raw(self, name: str) -> Raw:
        value = self._find(name)
        return _NOTHING if value is None else raw_of(value)

    def values(self) -> ir.ArrayValue:
        texts = [raw_of(self.table[column]).text for column in self.names.values()]
        return ibis.array(texts).filter(lambda text: text.notnull())

    def broken(self) -> None:
        return None

    def _needed(self, names: Iterable[str]) -> set[str]:
        """The columns that these fields are in: by their own name, or the struct that a dotted name begins with."""
        heads = {".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2)}
        return {self.names[head] for head in heads if head in self.names}

    def _find(self, name: str) -> ir.Value | None:
        if name in self.names:
            return self.table[self.names[name]]
        # a struct column (nested Parquet) by dotted name; the longest column name that fits wins
        head, dot, tail = name.rpartition(".")
        rest: list[str] = []
        while dot:
            rest.insert(0, tail)
            if head in self.names:
                return _inside(self.table[self.names[head]], rest)
            head, dot, tail = head.rpartition(".")
        return None


@dataclass(frozen=True)
class JsonSource:
    """A table with one JSON document a row, in the column `document`; NULL for a line that is not JSON.

    All fields are taken out of a document in one go and put aside as columns of text: a document is parsed once.
    """

    table: ir.Table

    def prepare(self, wanted: Wanted, store: Store) -> PreparedJson:
        pointers = [pointer for name in wanted.names for pointer in json_pointers(name)]
        asked = [pointer for name in wanted.present for pointer in json_pointers(name)]
        document = self.table["document"]
        whole: dict[str, ir.Value] = {
            "broken": ~document.cast("string").re_search(r"\A\s*[{]").fill_null(False),
            **({"texts": json_texts(document, pointers)} if pointers else {}),
            **({"types": json_types(document, asked)} if asked else {}),
            **({"values": json_values(document)} if wanted.keywords else {}),
        }
        parsed = self.table.select(**whole)
        columns: dict[str, ir.Value] = {name: parsed[name] for name in ("broken", "values") if name in whole}
        columns |= {f"text{index}": parsed["texts"][index] for index in range(len(pointers))}
        columns |= {f"type{index}": parsed["types"][index] for index in range(len(asked))}
        return PreparedJson(store(parsed.select(**columns)), tuple(pointers), tuple(asked))


@dataclass(frozen=True)
class PreparedJson:
    """Columns `text0…` by `pointers`, `type0…` by `asked` (fields whose mere presence matters), `broken`, `values`."""

    table: ir.Table
    pointers: tuple[str, ...]
    asked: tuple[str, ...]

    def raw(self, name: str) -> Raw:
        paths = json_pointers(name)
        text = _first([self.table[f"text{self.pointers.index(path)}"] for path in paths])
        present = text.notnull()
        if paths[0] in self.asked:
            present = _first([self.table[f"type{self.asked.index(path)}"] for path in paths]).notnull()
        return Raw("document", text, present)

    def values(self) -> ir.ArrayValue:
        return self.table["values"].filter(lambda text: text.notnull())

    def broken(self) -> ir.BooleanValue:
        return self.table["broken"]


def _first(values: list[ir.Value]) -> ir.Value:
    return values[0] if len(values) == 1 else ibis.coalesce(*values)


def json_pointers(name: str) -> list[str]:
    """RFC 6901 pointers of a dotted name: the key written so first, then every way to read its dots as nesting."""
    escaped = name.replace("~", "~0").replace("/", "~1")
    pieces = escaped.split(".")
    if len(pieces) > 6:
        return ["/" + escaped, "/" + "/".join(pieces)]
    pointers = []
    for cuts in range(1 << (len(pieces) - 1)):
        path = pieces[0]
        for position, piece in enumerate(pieces[1:]):
            path += ("/" if cuts >> position & 1 else ".") + piece
        pointers.append("/" + path)
    return pointers


def absent() -> Mapping[Part, ir.Value]:
    """The parts of a field that no event has."""
    return {
        "text": ibis.null("string"),
        "folded": ibis.null("string"),
        "number": ibis.null("float64"),
        "time": ibis.null("timestamp"),
        "present": ibis.literal(False),
        "ipv4": ibis.null("int64"),
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
    if kind.is_timestamp():
        text = _utc(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ").re_replace(r"[.]000000Z$", "Z")
        return Raw("time", text, value.notnull(), value)
    return Raw("text", value if kind.is_string() else value.cast("string"), value.notnull())


def _number(raw: Raw) -> ir.NumericValue:
    if raw.kind in ("integer", "decimal"):
        return raw.native
    if raw.kind in ("boolean", "time"):
        return ibis.null("float64")
    return ibis.ifelse(raw.text.re_search(NUMBER), raw.text.try_cast("float64"), ibis.null("float64"))


def _time(raw: Raw) -> ir.TimestampValue:
    return _utc(raw.native) if raw.kind == "time" else parse_time(raw.text)


def _utc(value: ir.TimestampValue) -> ir.TimestampValue:
    return make_timestamp(epoch_microseconds(value))


_PARTS: Mapping[Part, Callable[[Raw], ir.Value]] = {
    "text": lambda raw: raw.text,
    "folded": lambda raw: raw.text.lower(),
    "number": _number,
    "time": _time,
    "present": lambda raw: raw.present,
    "ipv4": lambda raw: ipv4_number(raw.text),
    "ipv6": lambda raw: ipv6_digits(raw.text.lower()),
}
_NOTHING = Raw("text", ibis.null("string"), ibis.literal(False))


def parse_time(text: ir.StringValue) -> ir.TimestampValue:
    """ISO 8601 text as UTC without a zone; NULL when it is anything else. Without an offset it is taken as UTC."""
    # The engine's own cast to a timestamp reads an offset and drops it, so the offset is taken off here.
    sign = ibis.ifelse(text.re_extract(OFFSET, 1) == "-", -1, 1)
    minutes = sign * (_digits(text, 2) * 60 + _digits(text, 3))
    has_offset = text.re_search(":.*" + OFFSET)
    local = epoch_microseconds(text.try_cast("timestamp"))
    utc = ibis.ifelse(has_offset, local - minutes.fill_null(0) * 60_000_000, local)
    return ibis.ifelse(text.re_search(TIME), make_timestamp(utc), ibis.null("timestamp"))


def _digits(text: ir.StringValue, group: int) -> ir.IntegerValue:
    return text.re_extract(OFFSET, group).try_cast("int64")


def _inside(value: ir.Value, keys: list[str]) -> ir.Value | None:
    for key in keys:
        kind = value.type()
        if not isinstance(kind, dt.Struct) or key not in kind.names:
            return None
        value = value[key]
    return value
