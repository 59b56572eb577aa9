"""The fields of an event as rules see them: by name, whatever the table beneath is.

Two tables are read: one with a column a field (the lake, CSV, Parquet), and one with a whole JSON document a row.
Either gives, for every field that a rule names, a set of views: its text, its text folded for comparing without
regard to case, its number, its time. A view is NULL where the event has no such value; all views of all fields are
columns of one projection, so that a thousand rules on one field fold its text once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from detector.rules.engine_functions import epoch_microseconds, json_texts, json_types, json_values, make_timestamp

#: A decimal number as a person writes it; neither `1_000`, nor ` 12 `, nor `inf`, which a cast alone would take.
NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
#: ISO 8601 to the minute or finer, or a day, with an offset, Z, or neither (then UTC).
TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?( ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?$"
OFFSET = r"([+-])([0-9]{2}):?([0-9]{2})$"
#: Between two values in the one text that keywords are looked for in.
SEPARATOR = "\x1f"

Kind = Literal["text", "integer", "decimal", "boolean", "time", "document"]


@dataclass(frozen=True)
class Views:
    """One field of every event. `kind` is the column's own type; `text` is NULL where there is no value."""

    kind: Kind
    text: ir.StringValue
    folded: ir.StringValue
    number: ir.NumericValue
    time: ir.TimestampValue
    present: ir.BooleanValue

    def columns(self) -> Mapping[str, ir.Value]:
        return {name: getattr(self, name) for name in ("text", "folded", "number", "time", "present")}


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

    def view(self, name: str) -> Views:
        prefix = self.prefixes[name]
        column = {part: self.table[f"{prefix}{part}"] for part in ("text", "folded", "number", "time", "present")}
        return Views(kind=self.kinds[name], **column)  # type: ignore[arg-type]

    def all_text(self) -> ir.StringValue:
        return self.table["_all_text"]

    def all_values(self) -> ir.ArrayValue:
        return self.table["_all_values"]


class Source(Protocol):
    """A table that can say what its fields are."""

    @property
    def table(self) -> ir.Table: ...

    def prepare(self, names: Iterable[str]) -> Source:
        """The same source, ready to give these fields."""

    def view(self, name: str) -> Views: ...

    def values(self) -> ir.ArrayValue: ...

    def broken(self) -> ir.BooleanValue | None:
        """Is the row no event at all? None where that cannot be."""


def project(
    source: Source, names: Iterable[str], *, keep: Callable[[Source], Mapping[str, ir.Value]], keywords: bool
) -> Projected:
    """One projection with the views of `names` and what `keep` gives (under names of its own, never `_f…`)."""
    wanted = sorted(set(names))
    ready = source.prepare(wanted)
    prefixes = {name: f"_f{index}_" for index, name in enumerate(wanted)}
    kinds: dict[str, Kind] = {}
    columns: dict[str, ir.Value] = dict(keep(ready))
    for name in wanted:
        views = ready.view(name)
        kinds[name] = views.kind
        columns |= {f"{prefixes[name]}{part}": value for part, value in views.columns().items()}
    if keywords:
        columns["_all_values"] = ready.values()
        columns["_all_text"] = columns["_all_values"].join(SEPARATOR).lower()
    return Projected(ready.table.select(**columns), kinds, prefixes)


@dataclass(frozen=True)
class ColumnSource:
    """A table with a column a field. `names` maps the event's field names to the table's columns."""

    table: ir.Table
    names: Mapping[str, str]

    @classmethod
    def of(cls, table: ir.Table) -> ColumnSource:
        return cls(table, {name: name for name in table.columns})

    def prepare(self, names: Iterable[str]) -> ColumnSource:
        del names
        return self

    def view(self, name: str) -> Views:
        value = self._find(name)
        return absent() if value is None else views_of(value)

    def values(self) -> ir.ArrayValue:
        texts = [views_of(self.table[column]).text for column in self.names.values()]
        return ibis.array(texts).filter(lambda text: text.notnull())

    def broken(self) -> None:
        return None

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

    All fields are taken out of the document in one go: two array columns, `_texts` and `_types`, by `slots`.
    """

    table: ir.Table
    slots: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, table: ir.Table) -> JsonSource:
        return cls(table, {})

    def prepare(self, names: Iterable[str]) -> JsonSource:
        paths: list[str] = []
        slots: dict[str, tuple[int, ...]] = {}
        for name in names:
            pointers = json_pointers(name)
            slots[name] = tuple(range(len(paths), len(paths) + len(pointers)))
            paths += pointers
        if not paths:
            return replace(self, slots=slots)
        document = self.table["document"]
        return JsonSource(
            self.table.mutate(_texts=json_texts(document, paths), _types=json_types(document, paths)), slots
        )

    def view(self, name: str) -> Views:
        texts = [self.table["_texts"][slot] for slot in self.slots[name]]
        types = [self.table["_types"][slot] for slot in self.slots[name]]
        text = texts[0] if len(texts) == 1 else ibis.coalesce(*texts)
        kind = types[0] if len(types) == 1 else ibis.coalesce(*types)
        return replace(text_views(text), kind="document", present=kind.notnull())

    def values(self) -> ir.ArrayValue:
        return json_values(self.table["document"]).filter(lambda text: text.notnull())

    def broken(self) -> ir.BooleanValue:
        return ~self.table["document"].cast("string").re_search(r"\A\s*[{]").fill_null(False)


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


def absent() -> Views:
    """A field that no event has."""
    return Views(
        kind="text",
        text=ibis.null("string"),
        folded=ibis.null("string"),
        number=ibis.null("float64"),
        time=ibis.null("timestamp"),
        present=ibis.literal(False),
    )


def views_of(value: ir.Value) -> Views:
    """The views of one typed column."""
    for fits, build in _BUILDERS:
        if fits(value.type()):
            return build(value)
    return text_views(value.cast("string"))


def text_views(text: ir.StringValue) -> Views:
    number = ibis.ifelse(text.re_search(NUMBER), text.try_cast("float64"), ibis.null("float64"))
    return Views("text", text, text.lower(), number, parse_time(text), text.notnull())


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


def _number_views(value: ir.NumericValue) -> Views:
    text = value.cast("string")
    if value.type().is_floating():
        text = text.re_replace(r"[.]0$", "")
    kind: Kind = "integer" if value.type().is_integer() else "decimal"
    return Views(kind, text, text.lower(), value, ibis.null("timestamp"), value.notnull())


def _boolean_views(value: ir.BooleanValue) -> Views:
    text = value.cast("string").lower()
    return Views("boolean", text, text, ibis.null("float64"), ibis.null("timestamp"), value.notnull())


def _time_views(value: ir.TimestampValue) -> Views:
    moment = make_timestamp(epoch_microseconds(value))
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").re_replace(r"[.]000000Z$", "Z")
    return Views("time", text, text.lower(), ibis.null("float64"), moment, value.notnull())


def _inside(value: ir.Value, keys: list[str]) -> ir.Value | None:
    for key in keys:
        kind = value.type()
        if not isinstance(kind, dt.Struct) or key not in kind.names:
            return None
        value = value[key]
    return value


_BUILDERS: tuple[tuple[Callable[[dt.DataType], bool], Callable[[Any], Views]], ...] = (
    (lambda kind: kind.is_string(), text_views),
    (lambda kind: kind.is_boolean(), _boolean_views),
    (lambda kind: kind.is_numeric(), _number_views),
    (lambda kind: kind.is_timestamp(), _time_views),
)
