"""Tables that events come in: a column a field (the lake, CSV, Parquet), or a JSON document a row."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Protocol

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from detector.engine import arrow
from detector.errors import InputError
from detector.rules.engine_functions import (
    json_at,
    json_spread,
    json_text,
    json_texts,
    json_types,
    json_value_types,
    json_values,
    where,
)
from detector.rules.fields import NOTHING, Prepared, Raw, Wanted, raw_of

#: Gives a table a name of its own in the engine, so that what many expressions use is worked out once.
View = Callable[[ir.Table], ir.Table]
#: A dotted name of so many pieces is looked for in every mixture of dotted and nested keys: 32 of them.
MOST_MIXED = 6
#: The engine's names of what JSON calls a number.
_NUMBERS = ("UBIGINT", "BIGINT", "UHUGEINT", "HUGEINT", "DOUBLE")


class Source(Protocol):
    """Where events come from. A table that is not `numbered` gives its rows in order, but without their number."""

    @property
    def table(self) -> ir.Table: ...

    @property
    def numbered(self) -> bool: ...

    def prepare(self, wanted: Wanted, view: View) -> Prepared:
        """The same events, ready to give these fields."""

    def looked_at(self, con: Backend, wanted: Wanted, *, rows: int | None = None) -> Source:
        """The source, knowing which of the fields are lists in these rows (in all, where None)."""


@dataclass(frozen=True)
class ColumnSource:
    """A table with a column a field. `names` maps the event's field names to the table's columns."""

    table: ir.Table
    names: Mapping[str, str]
    numbered: bool = True

    @classmethod
    def of(cls, table: ir.Table) -> ColumnSource:
        return cls(table, {name: name for name in table.columns})

    def prepare(self, wanted: Wanted, view: View) -> ColumnSource:
        del wanted, view
        return self

    def looked_at(self, con: Backend, wanted: Wanted, *, rows: int | None = None) -> ColumnSource:
        del con, wanted, rows  # columns have types
        return self

    def raw(self, name: str) -> Raw:
        found = self._find(name)
        if found is None:
            return NOTHING
        raw = raw_of(found.value)
        # a list of objects has a member where any of them has; its other texts are NULL
        return replace(raw, present=_any_there(found.value)) if found.in_list else raw

    def values(self) -> ir.ArrayValue:
        found = [value for column in self.names.values() for value in _members(self.table[column])]
        texts = [raw_of(value).text for value in found if not value.type().is_array()]
        # an empty array of its type, so that a table of lists alone will do
        every = ibis.array([ibis.null("string"), *texts])
        for value in found:
            if value.type().is_array():
                texts_in = value.map(lambda element: raw_of(element).text)
                every = every.concat(ibis.coalesce(texts_in, ibis.array([ibis.null("string")])))
        return every.filter(lambda text: text.notnull())

    def broken(self) -> None:
        return None

    def surprise(self) -> None:
        return None

    def _find(self, name: str) -> _Found | None:
        if name in self.names:
            return _Found(self.table[self.names[name]])
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

    All fields are taken out of a document in one go: it is parsed once. Only fields in `lists` may be lists, or lie
    within lists; their elements cost a second parse, of the rows that have any.
    """

    table: ir.Table
    lists: frozenset[str] = frozenset()
    numbered: bool = False

    def prepare(self, wanted: Wanted, view: View) -> PreparedJson:
        pointers = [pointer for name in wanted.names for pointer in json_pointers(name)]
        asked = [pointer for name in wanted.typed for pointer in json_pointers(name)]
        lists = [name for name in wanted.names if name in self.lists]
        unlisted = [place for name in wanted.names if name not in self.lists for place in _places(name)]
        document = self.table["document"]
        whole: dict[str, ir.Value] = {
            "broken": ~_is_object(document.cast("string")),
            **({"texts": json_texts(document, pointers)} if pointers else {}),
            **({"types": json_types(document, asked)} if asked else {}),
            **({"values": _leaves(document)} if wanted.keywords else {}),
            **({"surprise": _has_list(document, unlisted)} if unlisted else {}),
            **{f"list{index}": _elements(document, name) for index, name in enumerate(lists)},
            **{f"there{index}": _there(document, name) for index, name in enumerate(lists) if name in wanted.present},
        }
        parsed = view(self.table.select(**whole))
        columns: dict[str, ir.Value] = {name: parsed[name] for name in whole if name not in ("texts", "types")}
        columns |= {f"text{index}": parsed["texts"][index] for index in range(len(pointers))}
        columns |= {f"type{index}": parsed["types"][index] for index in range(len(asked))}
        return PreparedJson(view(parsed.select(**columns)), tuple(pointers), tuple(asked), tuple(lists))

    def looked_at(self, con: Backend, wanted: Wanted, *, rows: int | None = None) -> JsonSource:
        names = [name for name in wanted.names if name not in self.lists]
        table = self.table if rows is None else self.table.limit(rows)
        if not names:
            return self
        flags = {f"f{index}": _has_list(table["document"], _places(name)) for index, name in enumerate(names)}
        found = arrow(con, table.select(**flags).aggregate(**{flag: ibis._[flag].any() for flag in flags})).to_pylist()[
            0
        ]
        lists = self.lists | {name for index, name in enumerate(names) if found[f"f{index}"]}
        return replace(self, lists=lists)


@dataclass(frozen=True)
class PreparedJson:
    """Columns `text0…` by `pointers`, `type0…` by `asked` (fields whose presence or type matters), `list0…` by `lists`,
    and `there0…` for those of them whose presence matters.
    """

    table: ir.Table
    pointers: tuple[str, ...]
    asked: tuple[str, ...]
    lists: tuple[str, ...]

    def raw(self, name: str) -> Raw:
        paths = json_pointers(name)
        text = _first([self.table[f"text{self.pointers.index(path)}"] for path in paths])
        present, numeric = text.notnull(), None
        if paths[0] in self.asked:
            kind = _first([self.table[f"type{self.asked.index(path)}"] for path in paths])
            present, numeric = kind.notnull(), kind.isin(_NUMBERS).fill_null(False)
        if name not in self.lists:
            return Raw("document", text, present, numeric=numeric)
        index = self.lists.index(name)
        if f"there{index}" in self.table.columns:
            present = present | self.table[f"there{index}"]
        return Raw("document", text, present, elements=self.table[f"list{index}"], numeric=numeric)

    def values(self) -> ir.ArrayValue:
        return self.table["values"].filter(lambda text: text.notnull())

    def broken(self) -> ir.BooleanValue:
        return self.table["broken"]

    def surprise(self) -> ir.BooleanValue | None:
        return self.table["surprise"] if "surprise" in self.table.columns else None


def _is_object(text: ir.StringValue) -> ir.BooleanValue:
    # nearly every line begins so, and is then spared the expression
    return ibis.ifelse(text.startswith("{"), True, text.re_search(r"\A\s*[{]")).fill_null(False)


def _places(name: str) -> list[str]:
    """Every pointer at which a list would make a field one: of its value, and of what it lies in."""
    steps = [pointer.split("/") for pointer in json_pointers(name)]
    return list(dict.fromkeys("/".join(step[:end]) for step in steps for end in range(2, len(step) + 1)))


def _has_list(document: ir.Value, places: list[str]) -> ir.BooleanValue:
    # most documents have no bracket at all, and are then not parsed for it
    has = json_types(document, places).contains("ARRAY")
    return ibis.ifelse(document.cast("string").contains("["), has, False).fill_null(False)


def _elements(document: ir.Value, name: str) -> ir.ArrayValue:
    """The texts of every element that a dotted name leads to; NULL where no list is on the way."""
    found = [_along(document, pointer.split("/")[1:]) for pointer in json_pointers(name)]
    # not by a concat after another, for which Ibis' SQL copies what it has so far every time
    return ibis.ifelse(_has_list(document, _places(name)), ibis.array(found).flatten(), ibis.null("array<string>"))


def _there(document: ir.Value, name: str) -> ir.BooleanValue:
    """Does a dotted name lead to anything, through a list on the way?"""
    steps = [pointer.split("/")[1:] for pointer in json_pointers(name)]
    # the list that it leads to is something, even an empty one
    found = [_spread(document, on_the_way).map(partial(json_at, pointer="/" + last)) for *on_the_way, last in steps]
    some = [values.filter(lambda value: value.notnull()).length() > 0 for values in found]
    return ibis.ifelse(_has_list(document, _places(name)), reduce(operator.or_, some), False)


def _along(document: ir.Value, keys: list[str]) -> ir.ArrayValue:
    return _spread(document, keys).filter(lambda value: value.notnull()).map(json_text)


def _spread(document: ir.Value, keys: list[str]) -> ir.ArrayValue:
    """The values that keys lead to, lists as their elements."""
    values = ibis.array([document])
    for key in keys:
        values = values.map(partial(json_spread, pointer="/" + key)).flatten()
    return values


def _leaves(document: ir.Value) -> ir.ArrayValue:
    """Every text, number and truth of a document; not the text of an object or list, which has keys in it."""
    # not by a zip, for which Ibis' SQL copies both arrays once for each of their values
    single = json_value_types(document).map(lambda kind: ~kind.isin(["OBJECT", "ARRAY"]))
    return where(json_values(document), single)


def _first(values: list[ir.Value]) -> ir.Value:
    return values[0] if len(values) == 1 else ibis.coalesce(*values)


def json_pointers(name: str) -> list[str]:
    """RFC 6901 pointers of a dotted name: the key written so first, then every way to read its dots as nesting.

    Of more than MOST_MIXED pieces, for which that would be too many, the ways with at most one key that has dots in it.
    """
    escaped = name.replace("~", "~0").replace("/", "~1")
    pieces = escaped.split(".")
    size = len(pieces)
    if size > MOST_MIXED:
        runs = [(first, last) for first in range(size) for last in range(size, first + 1, -1)]
        mixed = ["/".join((*pieces[:a], ".".join(pieces[a:b]), *pieces[b:])) for a, b in runs]
        return ["/" + path for path in (*mixed, "/".join(pieces))]
    pointers = []
    for cuts in range(1 << (len(pieces) - 1)):
        path = pieces[0]
        for position, piece in enumerate(pieces[1:]):
            path += ("/" if cuts >> position & 1 else ".") + piece
        pointers.append("/" + path)
    return pointers


@dataclass(frozen=True)
class _Found:
    """What a dotted name leads to; `in_list`: within each element of a list, and so a list itself."""

    value: ir.Value
    in_list: bool = False


def _any_there(values: ir.ArrayValue) -> ir.BooleanValue:
    return (values.filter(lambda value: value.notnull()).length() > 0).fill_null(False)


def _inside(value: ir.Value, keys: list[str]) -> _Found | None:
    """What lies within a struct, a map, or every element of a list of them.

    Any run of keys may be one name with dots in it: the longest that a struct has wins.
    """
    if not keys:
        return _Found(value)
    kind = value.type()
    if isinstance(kind, dt.Array):
        probe = _inside(value[0], keys)
        if probe is None:
            return None
        inner = value.map(lambda element: _inside(element, keys).value)  # type: ignore[union-attr]
        return _Found(inner.flatten() if isinstance(probe.value.type(), dt.Array) else inner, in_list=True)
    if isinstance(kind, dt.Map) and kind.key_type.is_string():
        return _inside(value.get(keys[0]), keys[1:])
    if isinstance(kind, dt.Struct):
        for end in range(len(keys), 0, -1):
            name = ".".join(keys[:end])
            if name in kind.names and (found := _inside(_member(value, name), keys[end:])) is not None:
                return found
    return None


def in_one(values: Sequence[ir.Value]) -> ir.ArrayValue:
    """The texts of several values as a list; NULL where there is none."""
    texts = [raw_of(value).text for value in values]
    return ibis.ifelse(ibis.coalesce(*texts).notnull(), ibis.array(texts), ibis.null("array<string>"))


def _member(value: ir.StructValue, name: str) -> ir.Value:
    """Raises InputError for a member without a name: no engine can say it."""
    if not name:
        raise InputError(
            "a rule looks at a struct with a member that has no name, which the engine cannot read",
            hint="Give it a name in the file, or run rules that do not look there.",
        )
    return value[name]


def _members(value: ir.Value) -> Iterator[ir.Value]:
    """A column itself, or what is within its structs at any depth: of structs in a list, a list for each member."""
    kind = value.type()
    if isinstance(kind, dt.Struct):
        for name in kind.names:
            yield from _members(_member(value, name))
    elif isinstance(kind, dt.Array) and isinstance(kind.value_type, dt.Struct):
        for name in kind.value_type.names:
            inner = value.map(lambda element, name=name: _member(element, name))
            yield from _members(inner.flatten() if isinstance(inner.type().value_type, dt.Array) else inner)
    else:
        yield value
