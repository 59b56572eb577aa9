"""The few functions of the engine that Ibis has no name for, declared so that they are called with values, not text."""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir


@ibis.udf.scalar.builtin(name="json_extract_string")  # type: ignore[untyped-decorator]
def _extract_strings(document: dt.json, paths: dt.Array[str]) -> dt.Array[str]:
    """The values at `paths` as texts; a JSON string without its quotes, NULL for JSON null and for nothing."""


@ibis.udf.scalar.builtin(name="json_type")  # type: ignore[untyped-decorator]
def _types(document: dt.json, paths: dt.Array[str]) -> dt.Array[str]:
    """The JSON types of the values at `paths`; NULL where there is none."""


@ibis.udf.scalar.builtin(name="json_extract_string")  # type: ignore[untyped-decorator]
def _extract_wild(document: dt.json, path: str) -> dt.Array[str]:
    """The values that a JSON path with a wildcard finds, as texts."""


@ibis.udf.scalar.builtin(name="json_type")  # type: ignore[untyped-decorator]
def _types_wild(document: dt.json, path: str) -> dt.Array[str]:
    """The types of the values that a JSON path with a wildcard finds."""


@ibis.udf.scalar.builtin(name="json_type")  # type: ignore[untyped-decorator]
def _type(document: dt.json) -> dt.string:
    """The JSON type of a value."""


@ibis.udf.scalar.builtin(name="json_extract")  # type: ignore[untyped-decorator]
def _extract(document: dt.json, path: str) -> dt.json:
    """The value at a JSON pointer; NULL where there is none."""


@ibis.udf.scalar.builtin(name="json_extract")  # type: ignore[untyped-decorator]
def _extract_each(document: dt.json, path: str) -> dt.Array[dt.json]:
    """The values that a JSON path with a wildcard finds."""


@ibis.udf.scalar.builtin(name="json_extract_string")  # type: ignore[untyped-decorator]
def _extract_string(document: dt.json, path: str) -> dt.string:
    """The value at a path as text; NULL for JSON null."""


@ibis.udf.scalar.builtin(name="list_where")  # type: ignore[untyped-decorator]
def _where(values: dt.Array[str], mask: dt.Array[bool]) -> dt.Array[str]:
    """The values whose place in the mask is true."""


@ibis.udf.scalar.builtin(name="epoch_us")  # type: ignore[untyped-decorator]
def _epoch_us(moment: dt.timestamp) -> dt.int64:
    """Microseconds since 1970-01-01T00:00Z."""


@ibis.udf.scalar.builtin(name="epoch_us")  # type: ignore[untyped-decorator]
def _epoch_us_zoned(moment: dt.Timestamp("UTC")) -> dt.int64:  # type: ignore[valid-type]
    """Microseconds since 1970-01-01T00:00Z."""


@ibis.udf.scalar.builtin(name="make_timestamp")  # type: ignore[untyped-decorator]
def _make_timestamp(microseconds: dt.int64) -> dt.timestamp:
    """A time without zone from microseconds since 1970."""


def json_texts(document: ir.Value, paths: list[str]) -> ir.ArrayValue:
    """The values at JSON pointers, as one array of texts."""
    return _extract_strings(document, paths)


def json_types(document: ir.Value, paths: list[str]) -> ir.ArrayValue:
    """The types of the values at JSON pointers, as one array; NULL where the document has no such key."""
    return _types(document, paths)


def json_values(document: ir.Value) -> ir.ArrayValue:
    """Every value of a document at any depth, as one array of texts."""
    # as a sum of two texts, because a plain one would be parsed on the way by sqlglot, which does not know `..`
    return _extract_wild(document, ibis.literal("$.") + ".*")


def json_value_types(document: ir.Value) -> ir.ArrayValue:
    """The type of every value that json_values gives, in the same order."""
    return _types_wild(document, ibis.literal("$.") + ".*")


def where(values: ir.ArrayValue, mask: ir.ArrayValue) -> ir.ArrayValue:
    """The values whose place in the mask is true."""
    return _where(values, mask)


def json_spread(document: ir.Value, pointer: str) -> ir.ArrayValue:
    """The elements of the list at a pointer; what is no list as the only element of one."""
    found = _extract(document, pointer)
    return ibis.ifelse(_type(found) == "ARRAY", _extract_each(found, "$[*]"), ibis.array([found]))


def json_at(document: ir.Value, pointer: str) -> ir.Value:
    """The value at a JSON pointer, a JSON null too; NULL where there is none."""
    return _extract(document, pointer)


def json_text(document: ir.Value) -> ir.StringValue:
    """A JSON value as text: a string without its quotes, NULL for JSON null."""
    return _extract_string(document, "$")


def epoch_microseconds(moment: ir.TimestampValue) -> ir.IntegerValue:
    """Microseconds since 1970-01-01T00:00Z; a time without zone is taken as UTC, whatever the session's zone."""
    return _epoch_us_zoned(moment) if moment.type().timezone else _epoch_us(moment)


def make_timestamp(microseconds: ir.IntegerValue) -> ir.TimestampValue:
    """UTC without a zone, from microseconds since 1970."""
    return _make_timestamp(microseconds)
