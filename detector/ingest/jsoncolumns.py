"""JSON lines as whole columns, by Arrow's JSON reader.

The meaning is that of `jsonlines.RowReader`, record by record. This way is taken only for a block of which it is
certain that it gives the same rows: every line is one object, nothing in it is said twice, and each field that the
mapping reads has one plain type throughout.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from detector.ingest import jsonpath
from detector.ingest.batch import RawBatch
from detector.ingest.blocks import Block, LineTexts, holds_long_line
from detector.ingest.mapping import JsonShape
from detector.ingest.memory import large_pool

#: Brackets opened in one line: far below what the record-wise reader can nest, far above what a log does.
MOST_BRACKETS: Final = 200
#: From this size on a float no longer tells every whole number from its neighbours as text would.
EXACT: Final = 1e15
#: Digits of a number that Python refuses to read (sys.int_info.default_max_str_digits).
_LONG_NUMBER: Final = re.compile(rb"\d{4300}")
#: What Arrow takes for a number and JSON does not; also inside a text that looks so.
_NO_NUMBER: Final = re.compile(rb"[:,\[]\s*-?(?:NaN|Inf)")
#: After so many blocks or pieces that had to be read record by record, with fewer read as columns, no more is tried.
PATIENCE: Final = 48


class _OtherwiseError(Exception):
    """The block is not certain to come out the same: it is to be read record by record."""


class Columns:
    """Reads blocks of one file; learns from each what the next one needs."""

    def __init__(self, fields: Sequence[str], shape: JsonShape | None, *, objects: Collection[str]) -> None:
        """`objects`: the fields that may hold a whole object; Arrow does not keep how that was written."""
        self._objects = frozenset(objects)
        self._paths = [jsonpath.compile_path(field) for field in fields]
        values = shape.values if shape else {}
        self._values = [(jsonpath.compile_path(path), pa.array(allowed)) for path, allowed in values.items()]
        self._texts: set[tuple[str, ...]] = set()  # fields that Arrow would take for times
        self._read = self._failed = 0
        self._given_up = False

    @property
    def worth_trying(self) -> bool:
        """False once a file has shown that its records are too unlike each other, or hold what only text keeps."""
        return not self._given_up and (self._failed < PATIENCE or self._read > self._failed)

    def read(self, block: Block, max_line_bytes: int) -> RawBatch | None:
        """The block's rows, or None where only the record-wise reader can tell."""
        lines = LineTexts(block.data)
        try:
            _check(block.data, lines, max_line_bytes)
            columns = self._columns(block.data, len(lines.ends))
        except (_OtherwiseError, pa.ArrowException):
            self._failed += 1
            return None
        self._read += 1
        count = len(lines.ends)
        # As in textlines.batch_of: a table of no columns would forget how many rows it has.
        table = pa.table(columns) if columns else pa.table({"": pa.nulls(count, pa.string())})
        numbers = pa.array(np.arange(block.first_line, block.first_line + count, dtype=np.int64))
        return RawBatch(table, numbers, lines.text)

    def _columns(self, data: bytes, count: int) -> dict[str, pa.ChunkedArray]:
        while True:
            table = _parse(data, self._texts)
            if table.num_rows != count:
                raise _OtherwiseError
            known = len(self._texts)
            columns = {path.text: self._column(table, path) for path in self._paths}
            values = [(self._column(table, path), allowed) for path, allowed in self._values]
            if len(self._texts) == known:
                break
        for column, allowed in values:
            if column is None or not pc.all(pc.fill_null(pc.is_in(column, allowed), False)).as_py():
                raise _OtherwiseError
        return {name: column for name, column in columns.items() if column is not None}

    def _column(self, table: pa.Table, path: jsonpath.Path) -> pa.ChunkedArray | None:
        """A field as text, None when no row has it."""
        flat = path.text in table.column_names
        first = path.steps[0].key in table.column_names
        if not flat and not first:
            return None
        if flat:
            if path.is_nested and first:
                raise _OtherwiseError  # which of the two counts is decided row by row
            return self._text(table.column(path.text), (path.text,), path)
        column = table.column(path.steps[0].key)
        place: tuple[str, ...] = (path.steps[0].key,)
        for index, step in enumerate(path.steps):
            if index:
                if not pa.types.is_struct(column.type) or column.type.get_field_index(step.key) < 0:
                    return None
                column, place = pc.struct_field(column, step.key), (*place, step.key)
            if step.picks:
                return _picked(column, (jsonpath.Step("", step.picks), *path.steps[index + 1 :]))
        return self._text(column, place, path)

    def _text(self, column: pa.ChunkedArray, place: tuple[str, ...], path: jsonpath.Path) -> pa.ChunkedArray | None:
        kind = column.type
        if column.null_count == len(column):
            return None
        if pa.types.is_string(kind):
            return column
        if pa.types.is_int64(kind) or pa.types.is_boolean(kind):
            return column.cast(pa.string())
        if pa.types.is_temporal(kind):
            self._texts.add(place)  # and the block is read once more
            return None
        if pa.types.is_floating(kind):
            return _numbers(column)
        if pa.types.is_list(kind):
            return _written(column.to_pylist())
        self._given_up = path.text in self._objects
        raise _OtherwiseError


def _check(data: bytes, lines: LineTexts, max_line_bytes: int) -> None:
    """What Arrow would take otherwise, or not notice."""
    if b"\0" in data or b"\\ud" in data or b"\\uD" in data or holds_long_line(data, max_line_bytes):
        raise _OtherwiseError
    if (b"NaN" in data or b"Inf" in data) and _NO_NUMBER.search(data):
        raise _OtherwiseError
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            raise _OtherwiseError from None
    ends = lines.ends
    starts = np.concatenate(([0], ends[:-1] + 1))
    raw = np.frombuffer(data, np.uint8)
    last = ends - 1
    last = last - (raw[last] == 0x0D)
    # Where every line begins with { and ends with }, no object goes on over a line end: as many rows as lines means
    # one object a line.
    if (last < starts).any() or (raw[starts] != 0x7B).any() or (raw[last] != 0x7D).any():
        raise _OtherwiseError
    brackets = np.count_nonzero(raw == 0x7B) + np.count_nonzero(raw == 0x5B)
    if brackets - len(ends) > MOST_BRACKETS:
        opened = (raw == 0x7B) | (raw == 0x5B)
        if np.add.reduceat(opened, starts, dtype=np.int64).max() > MOST_BRACKETS:
            raise _OtherwiseError
    if (ends - starts).max() >= 4300 and _LONG_NUMBER.search(data):
        raise _OtherwiseError


def _parse(data: bytes, texts: set[tuple[str, ...]]) -> pa.Table:
    """Every field of every record, so that one that is there twice is found (Arrow refuses it)."""
    return json.read_json(
        pa.BufferReader(data),
        read_options=json.ReadOptions(use_threads=False, block_size=len(data) + 1),
        parse_options=json.ParseOptions(explicit_schema=_schema(texts), unexpected_field_behavior="infer"),
        memory_pool=large_pool(),
    )


def _schema(texts: set[tuple[str, ...]]) -> pa.Schema:
    tree: dict[str, Any] = {}
    for place in sorted(texts):
        here = tree
        for key in place[:-1]:
            here = here.setdefault(key, {})
        here[place[-1]] = None

    def kind(node: dict[str, Any] | None) -> pa.DataType:
        return pa.string() if node is None else pa.struct([(key, kind(value)) for key, value in node.items()])

    return pa.schema([(key, kind(value)) for key, value in tree.items()])


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Floats, among which whole numbers may stand, as `jsonpath.text_of` writes them."""
    if not pc.all(pc.less(pc.abs(column), EXACT)).as_py():  # infinity too
        raise _OtherwiseError
    texts = [None if value is None else jsonpath.number_text(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _picked(column: pa.ChunkedArray, steps: Sequence[jsonpath.Step]) -> pa.ChunkedArray | None:
    """What these steps pick out of lists; the first one has picks and no key."""
    inside = ({"": value} for value in column.to_pylist())
    return _written([jsonpath.descend(value, steps) for value in inside])


def _written(values: list[Any]) -> pa.ChunkedArray | None:
    """Values that came out of lists, as text; only of texts, whole numbers and truth values is that certain."""
    texts = []
    for value in values:
        if not _is_plain(value):
            raise _OtherwiseError
        texts.append(jsonpath.text_of(value))
    return pa.chunked_array([pa.array(texts, pa.string())]) if any(text is not None for text in texts) else None


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | int)
