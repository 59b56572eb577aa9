"""A file's pieces of one day against each other and against the lake: duplicates out, clashes out, the rest stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from detector.errors import StateError, Where
from detector.ingest.daybuffers import Origin, Piece, piece_of
from detector.ingest.duplicates import KEY, all_distinct, judge, parts_of
from detector.schema import EVENT_SCHEMA

#: What a row costs while its ids are compared: id, hash table, codes.
BYTES_A_ROW: Final = 128
KEY_SCHEMA: Final = pa.schema([EVENT_SCHEMA.field(name) for name in KEY])


@dataclass(frozen=True)
class Settled:
    """A day's pieces as they go into the lake; `conflicts` are the keys (KEY_SCHEMA) of rows that were left out."""

    pieces: tuple[Piece, ...]
    duplicates: int
    conflicts: pa.Table


def settle_day(
    day: date, pieces: Sequence[Piece], lake_files: Sequence[Path], origin: Origin, *, memory_bytes: int
) -> Settled:
    """`pieces` in the order they were read; `lake_files` hold that day's events of the same source so far.

    Ids are compared in parts of about `memory_bytes`. Raises StateError for a file of the lake that cannot be read.
    """
    nothing = KEY_SCHEMA.empty_table()
    if not lake_files and len(pieces) == 1 and pieces[0].distinct:
        return Settled(tuple(pieces), 0, nothing)
    new_files = [piece.file.path for piece in pieces]
    rows = sum(piece.file.rows for piece in pieces)
    parts = 1 + (rows + sum(_rows(path) for path in lake_files)) * BYTES_A_ROW // memory_bytes
    drop = np.zeros(rows, bool)
    duplicates, conflicts = 0, [nothing]
    for part in range(parts):
        ids = [_part(path, ["event_id"], part, parts)["event_id"] for path in (*lake_files, *new_files)]
        if all_distinct([chunk for column in ids for chunk in column.chunks]):
            continue
        old = pa.concat_tables([nothing, *(_part(path, KEY, part, parts) for path in lake_files)])
        new = pa.concat_tables([_part(path, KEY, part, parts) for path in new_files])
        verdicts = judge(old, new)
        drop[np.concatenate(list(_places(new_files, part, parts)))] = verdicts.duplicate | verdicts.conflict
        duplicates += int(verdicts.duplicate.sum())
        conflicts.append(new.filter(pa.array(verdicts.conflict)))
    return Settled(tuple(_kept(day, pieces, drop, origin)), duplicates, pa.concat_tables(conflicts))


def _kept(day: date, pieces: Sequence[Piece], drop: npt.NDArray[np.bool_], origin: Origin) -> Iterator[Piece]:
    at = 0
    for piece in pieces:
        keep = ~drop[at : at + piece.file.rows]
        at += piece.file.rows
        if keep.all():
            yield piece
        elif keep.any():
            yield _without(day, piece, pa.array(keep), origin)


def _part(path: Path, columns: Sequence[str], part: int, parts: int) -> pa.Table:
    table = read_columns(path, columns)
    if parts == 1:
        return table
    return table.filter(pa.array(parts_of(table["event_id"].combine_chunks(), parts) == part))


def _places(paths: Sequence[Path], part: int, parts: int) -> Iterator[npt.NDArray[np.intp]]:
    """Where the rows of a part stand among all rows of the files."""
    start = 0
    for path in paths:
        ids = read_columns(path, ["event_id"])["event_id"].combine_chunks()
        here = np.flatnonzero(parts_of(ids, parts) == part) if parts > 1 else np.arange(len(ids))
        yield start + here
        start += len(ids)


def _rows(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as exc:
        raise _unreadable(path, exc) from None


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of one Parquet file. Raises StateError naming it."""
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=list(columns))
    except (OSError, pa.ArrowException) as exc:
        raise _unreadable(path, exc) from None


def _unreadable(path: Path, exc: Exception) -> StateError:
    return StateError(f"cannot be read: {str(exc).splitlines()[0]}", where=Where(path), hint="See `detector status`.")


def _without(day: date, piece: Piece, keep: pa.BooleanArray, origin: Origin) -> Piece:
    with pq.ParquetFile(piece.file.path) as file:
        table = file.read().filter(keep)
        metadata = file.schema_arrow.metadata or {}
    present = {key.decode(): value.decode() for key, value in metadata.items()}
    # Not the schema that was read: it would come with that file's metadata.
    return piece_of(day, table.cast(EVENT_SCHEMA), origin, present)
