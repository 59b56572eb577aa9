"""A Parquet file -> batches of text, a bounded number of rows at a time; nested fields by dotted name."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.config import IngestSettings
from detector.errors import InputError, Where
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import show
from detector.ingest.expand import RefusedFileError
from detector.ingest.headers import distinct_columns, fits_header
from detector.ingest.mapping import Mapping
from detector.ingest.textlines import shown

ROWS: Final = 8_192
#: Text of one batch; a page of few bytes can name one long text many times over.
BATCH_BYTES: Final = 64 << 20
#: How much of the end of a file is kept to find its directory in.
FOOTER_BYTES: Final = 32 << 20


def read_parquet(
    stream: BinaryIO, name: str, mapping: Mapping, limits: IngestSettings, *, path: Path | None = None
) -> Iterator[RawBatch | list[Reject]]:
    """Rows as text; line numbers are row numbers from 1. `path`: where the same bytes lie on disk, if they do; else
    the file has to fit into memory, because its directory is at its end.

    Raises InputError for what is no Parquet file of this mapping.

    A value longer than limits.max_line_bytes makes its row a reject. Where the file is damaged, what was read before
    stays and one reject stands for the rest.
    """
    where = Where(name)
    file = _open(path if path is not None else _whole(stream, where, limits.memory_bytes), where)
    if not fits_header(column_names(file.schema_arrow), mapping):
        needed = ", ".join(mapping.header.must) if mapping.header else "a header"
        raise InputError(f"lacks columns that mapping {mapping.name} needs", where=where, hint=f"It needs {needed}.")
    names = distinct_columns(column_names(file.schema_arrow), name, mapping)
    first = 1
    try:
        for group in range(file.num_row_groups):  # each on its own: what is damaged in one leaves those before it
            for batch in file.iter_batches(batch_size=ROWS, row_groups=[group], use_threads=False):
                for piece in _pieces(pa.Table.from_batches([batch]), limits.memory_bytes, where):
                    yield from _read(piece, names, first, limits.max_line_bytes)
                    first += piece.num_rows
    except (pa.ArrowException, OSError) as exc:
        detail = f"the Parquet data cannot be read on ({_first_line(exc)})"
        yield [Reject(first, "corrupt_file", detail, "")]


def parquet_header(stream: BinaryIO, name: str) -> list[str]:
    """Names of the columns, from the file's end. Raises InputError."""
    tail = b""
    while piece := stream.read(FOOTER_BYTES):
        tail = (tail + piece)[-FOOTER_BYTES:]
    return column_names(_open(io.BytesIO(tail), Where(name)).schema_arrow)


def column_names(schema: pa.Schema) -> list[str]:
    """Top-level names, and dotted ones for the fields of structures."""
    names: list[str] = []
    todo = [(field.name, field.type) for field in schema]
    while todo:
        name, kind = todo.pop(0)
        if pa.types.is_struct(kind):
            todo = [(f"{name}.{field.name}", field.type) for field in kind] + todo
        else:
            names.append(name)
    return names


def _whole(stream: BinaryIO, where: Where, most: int) -> io.BytesIO:
    data = stream.read(most + 1)
    if len(data) > most:
        raise RefusedFileError(
            f"a compressed Parquet file of more than {most >> 20} MiB",
            where=where,
            hint="Unpack it and give the file itself, or raise ingest.memory_bytes.",
        )
    return io.BytesIO(data)


def _open(source: Path | io.BytesIO, where: Where) -> pq.ParquetFile:
    try:
        schema = pq.ParquetFile(source).schema_arrow
        texts = [f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
        if isinstance(source, io.BytesIO):
            source.seek(0)
        # Texts stay behind their dictionary until their length is known.
        return pq.ParquetFile(source, read_dictionary=texts, page_checksum_verification=True)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise InputError(f"not a readable Parquet file ({_first_line(exc)})", where=where) from None


def _first_line(exc: BaseException) -> str:
    return str(exc).splitlines()[0][:200] if str(exc) else type(exc).__name__


def _pieces(table: pa.Table, most: int, where: Where) -> Iterator[pa.Table]:
    """The table in pieces whose text is bounded."""
    size = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            lengths = [pc.binary_length(part.dictionary).take(part.indices) for part in column.chunks]
            size += pc.fill_null(pa.chunked_array(lengths, pa.int32()), 0).to_numpy().astype(np.int64)
    if size.max(initial=0) > most:
        raise RefusedFileError(f"a row of more than {most >> 20} MiB", where=where)
    start = 0
    while start < table.num_rows:
        until = int(np.searchsorted(np.cumsum(size[start:]), BATCH_BYTES, side="right"))
        count = max(1, min(until, table.num_rows - start))
        yield table.slice(start, count)
        start += count


def _read(table: pa.Table, names: Sequence[str], first: int, max_bytes: int) -> Iterator[RawBatch | list[Reject]]:
    """`names`: of the columns once structures are laid flat."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    texts = pa.table([_text(column) for column in table.columns], names=list(names))
    lines = np.arange(first, first + table.num_rows)
    undecodable = _undecodable(texts)
    if undecodable.any():
        yield [
            Reject(int(lines[i]), "bad_encoding", "a text that is not UTF-8", _raw(texts, int(i)))
            for i in np.flatnonzero(undecodable)
        ]
        texts, lines = texts.filter(pa.array(~undecodable)), lines[~undecodable]
    size = np.zeros(texts.num_rows, np.int64)
    for column in texts.columns:
        size += pc.fill_null(pc.binary_length(column), 0).to_numpy().astype(np.int64)
    long = size > max_bytes
    if long.any():
        yield [
            Reject(int(lines[i]), "line_too_long", f"a row of {int(size[i])} bytes", _raw(texts, int(i)))
            for i in np.flatnonzero(long)
        ]
        texts, lines = texts.filter(pa.array(~long)), lines[~long]
    if texts.num_rows:
        yield RawBatch(texts, pa.array(lines, pa.int64()), lambda row: _raw(texts, row))


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as text. Times in ISO 8601, with Z where the type has a zone; lists as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            utc = column.cast(pa.timestamp(kind.unit, "UTC"))
            return pc.strftime(utc, "%Y-%m-%dT%H:%M:%SZ")
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%S")
    if pa.types.is_floating(kind):
        whole = pc.equal(pc.floor(column), column)
        fits = pc.and_(whole, pc.less(pc.abs(column), 1e15))
        numbers = pc.cast(pc.if_else(fits, column, pa.scalar(None, kind)), pa.int64())
        return pc.if_else(pc.fill_null(fits, False), numbers.cast(pa.string()), column.cast(pa.string()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.chunked_array([pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())])
    if pa.types.is_nested(kind):
        texts = [_nested_text(value) for value in column]
        return pa.chunked_array([pa.array(texts, pa.binary()).view(pa.string())])
    return column.cast(pa.string())


def _nested_text(value: pa.Scalar) -> bytes | None:
    """A list, map or structure as JSON; bytes that are no UTF-8 where something in it is none."""
    try:
        plain = value.as_py()
    except UnicodeDecodeError:
        return b"\xff"
    return None if plain is None else json.dumps(plain, default=str, separators=(",", ":")).encode()


def _undecodable(texts: pa.Table) -> npt.NDArray[np.bool_]:
    """Which rows hold a text that is not UTF-8: Parquet says that it is, and nobody checks."""
    bad = np.zeros(texts.num_rows, bool)
    for column in texts.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            values = column.cast(pa.binary()).to_pylist()
            bad |= np.array([value is not None and _is_bad(value) for value in values], bool)
    return bad


def _is_bad(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False


def _raw(texts: pa.Table, row: int) -> str:
    values = {
        name: None if (value := column[row].cast(pa.binary()).as_py()) is None else show(value)
        for name, column in zip(texts.column_names, texts.columns, strict=True)
    }
    return shown(json.dumps({k: v for k, v in values.items() if v is not None}, ensure_ascii=False))
