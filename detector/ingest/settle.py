"""A file's pieces of one day against each other and against the lake: duplicates out, clashes out, the rest stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from detector.errors import StateError, Where
from detector.ingest.daybuffers import Origin, Piece, piece_of
from detector.ingest.duplicates import KEY, all_distinct, judge
from detector.schema import EVENT_SCHEMA

KEY_SCHEMA = pa.schema([EVENT_SCHEMA.field(name) for name in KEY])


@dataclass(frozen=True)
class Settled:
    """A day's pieces as they go into the lake; `conflicts` are the keys (KEY_SCHEMA) of rows that were left out."""

    pieces: tuple[Piece, ...]
    duplicates: int
    conflicts: pa.Table


def settle_day(day: date, pieces: Sequence[Piece], lake_files: Sequence[Path], origin: Origin) -> Settled:
    """`pieces` in the order they were read; `lake_files` hold that day's events of the same source so far.

    Raises StateError for a file of the lake that cannot be read.
    """
    nothing = KEY_SCHEMA.empty_table()
    if not lake_files and len(pieces) == 1 and pieces[0].distinct:
        return Settled(tuple(pieces), 0, nothing)
    paths = [*lake_files, *(piece.file.path for piece in pieces)]
    ids = [chunk for path in paths for chunk in read_columns(path, ["event_id"])["event_id"].chunks]
    if all_distinct(ids):
        return Settled(tuple(pieces), 0, nothing)
    old = [read_columns(path, KEY) for path in lake_files]
    new = [read_columns(piece.file.path, KEY) for piece in pieces]
    together = pa.concat_tables(new)
    verdicts = judge(pa.concat_tables([KEY_SCHEMA.empty_table(), *old]), together)
    drop = verdicts.duplicate | verdicts.conflict
    kept: list[Piece] = []
    at = 0
    for piece in pieces:
        part = ~drop[at : at + piece.file.rows]
        at += piece.file.rows
        if part.all():
            kept.append(piece)
        elif part.any():
            kept.append(_without(day, piece, pa.array(part), origin))
    return Settled(tuple(kept), int(verdicts.duplicate.sum()), together.filter(pa.array(verdicts.conflict)))


def read_columns(path: Path, columns: Sequence[str]) -> pa.Table:
    """Some columns of one Parquet file. Raises StateError naming it."""
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=list(columns))
    except (OSError, pa.ArrowException) as exc:
        raise StateError(
            f"cannot be read: {str(exc).splitlines()[0]}", where=Where(path), hint="See `detector status`."
        ) from None


def _without(day: date, piece: Piece, keep: pa.BooleanArray, origin: Origin) -> Piece:
    with pq.ParquetFile(piece.file.path) as file:
        table = file.read().filter(keep)
        metadata = file.schema_arrow.metadata or {}
    present = {key.decode(): value.decode() for key, value in metadata.items()}
    # Not the schema that was read: it would come with that file's metadata.
    return piece_of(day, table.cast(EVENT_SCHEMA), origin, present)
