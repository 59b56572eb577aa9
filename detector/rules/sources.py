"""Tables that events come in: a column a field (the lake, CSV, Parquet), or a JSON document a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from detector.rules.engine_functions import json_texts, json_types, json_values
from detector.rules.fields import NOTHING, Prepared, Raw, Wanted, raw_of

#: Puts a table aside and gives it back with the column `row`, numbered from 0 in its order.
Store = Callable[[ir.Table], ir.Table]


class Source(Protocol):
    """Where events come from."""

    @property
    def table(self) -> ir.Table: ...

    def prepare(self, wanted: Wanted, store: Store) -> Prepared:
        """The same events, ready to give these fields, their rows numbered."""


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
        return NOTHING if value is None else raw_of(value)

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
            "broken": ~_is_object(document.cast("string")),
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


def _is_object(text: ir.StringValue) -> ir.BooleanValue:
    # nearly every line begins so, and is then spared the expression
    return ibis.ifelse(text.startswith("{"), True, text.re_search(r"\A\s*[{]")).fill_null(False)


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


def _inside(value: ir.Value, keys: list[str]) -> ir.Value | None:
    for key in keys:
        kind = value.type()
        if not isinstance(kind, dt.Struct) or key not in kind.names:
            return None
        value = value[key]
    return value
