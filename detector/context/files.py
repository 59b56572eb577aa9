"""A reference table's file -> its rows as text, each with its line, and the lines that are no rows."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.config import IngestSettings
from detector.context.columns import Shape
from detector.context.rejects import RowReject
from detector.errors import ReferenceTableError, Where
from detector.ingest.batch import RawBatch
from detector.ingest.delimited import read_delimited

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Rows:
    """`columns`: the shape's columns as trimmed text, NULL where blank or absent; `lines`: where each row begins.

    The line of a Parquet row is its number, from 1.
    """

    columns: pa.Table
    lines: pa.Array
    rejects: tuple[RowReject, ...] = ()


def read_rows(path: Path, shape: Shape, limits: IngestSettings) -> Rows:
    """Every row of a file. Raises ReferenceTableError where it cannot be read, or lacks a column it must have."""
    try:
        rows = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path, limits)
    except (pa.ArrowException, csv.Error, UnicodeDecodeError, OSError) as exc:
        raise ReferenceTableError(f"cannot be read: {str(exc).splitlines()[0]}", where=Where(path)) from None
    return Rows(_tidy(rows.columns, shape, path), rows.lines, rows.rejects)


def _read_parquet(path: Path) -> Rows:
    table = pq.ParquetFile(path).read()
    table = pa.table([column.cast(pa.string()) for column in table.columns], names=table.column_names)
    return Rows(table, pa.array(np.arange(1, table.num_rows + 1)))


def _read_csv(path: Path, limits: IngestSettings) -> Rows:
    tables: list[pa.Table] = []
    lines: list[pa.Array] = []
    rejects: list[RowReject] = []
    with path.open("rb") as stream:
        text = stream.readline(limits.max_line_bytes).removeprefix(_MARK).decode("utf-8").strip("\r\n")
        names = next(iter(csv.reader([text], strict=True)), [])
        if not text.strip():
            raise ReferenceTableError("cannot be read: there is no header", where=Where(path, 1))
        found = read_delimited(
            stream, header=_distinct(names), delimiter=",", encoding="utf-8", first_line=2, limits=limits
        )
        for item in found:
            if isinstance(item, RawBatch):
                tables.append(item.columns)
                lines.append(item.lines)
            else:
                rejects += [RowReject(each.line, each.reason, each.detail) for each in item]
    nothing = pa.table({name: pa.array([], pa.string()) for name in _distinct(names)})
    table = pa.concat_tables([nothing, *tables]).rename_columns(names)
    return Rows(table, pa.concat_arrays([pa.array([], pa.int64()), *lines]), tuple(rejects))


def _distinct(names: list[str]) -> list[str]:
    return [f"{index}:{name}" for index, name in enumerate(names)]


def _tidy(table: pa.Table, shape: Shape, path: Path) -> pa.Table:
    found = [name.strip().lower() for name in table.column_names]
    by_name = dict(zip(found, table.columns, strict=True))
    if len(by_name) < len(found):
        raise ReferenceTableError("a column is given twice", where=Where(path, 1), hint="Keep one of the two.")
    for name in shape.required:
        if name not in by_name:
            raise ReferenceTableError(
                f"column {name} is missing",
                where=Where(path, 1),
                hint=f"The table has: {', '.join(table.column_names)}. Expected: {', '.join(shape.columns)}.",
            )
    arrays = [
        _as_text(by_name[name]) if name in by_name else pa.nulls(table.num_rows, pa.string()) for name in shape.columns
    ]
    return pa.table(arrays, names=list(shape.columns))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Trimmed; in a reference table blank means that nobody filled it in, so it is NULL."""
    text = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
