"""One input file's events and rejects on their way to Parquet: sorted into days, held up to a bound, written aside."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.ingest.batch import Reject
from detector.ingest.duplicates import all_distinct
from detector.ingest.memory import large_pool
from detector.ingest.parquet import Written, write_parquet
from detector.schema import EVENT_SCHEMA, REJECT_SCHEMA

EPOCH = date(1970, 1, 1)
DAY_US = 86_400_000_000
#: Rejects are held until their texts come to this many bytes.
REJECT_BYTES = 16 << 20
#: A view of a table keeps all of it alive: only a part of at least one in so many rows may be one.
LEAST_VIEW = 3


@dataclass(frozen=True)
class Origin:
    """Where rows come from; the same for a whole file. `sha256` may have to wait until the file is hashed."""

    source_name: str
    source_file: str
    ingested_at: datetime
    folder: Path
    sha256: Callable[[], str]
    masked: Sequence[str] = ()

    @cached_property
    def aside(self) -> Path:
        return self.folder / self.sha256()


@dataclass(frozen=True)
class Piece:
    """Some of a file's events of one day, written aside. `distinct`: no id comes twice in it."""

    day: date
    file: Written
    first: datetime
    last: datetime
    masked: int
    distinct: bool


@dataclass
class _Day:
    tables: list[pa.Table] = field(default_factory=list)
    bytes: int = 0


class DayBuffers:
    """Takes tables of events in the order they were read; gives pieces, each of one day.

    What is held stays below a quarter of `memory_bytes` (what is being written comes on top); beyond it, the fullest
    day goes out first. What goes out when depends on the data alone, never on the threads.
    """

    def __init__(self, origin: Origin, pool: ThreadPoolExecutor, *, memory_bytes: int, writes: int) -> None:
        self._origin = origin
        self._pool = pool
        self._bound = memory_bytes // 4
        self._writes = writes
        self._days: dict[int, _Day] = {}
        self._held = 0
        self._present: dict[str, None] = {}
        self._waiting: deque[Future[Piece]] = deque()
        self._pieces: list[Piece] = []

    def provide(self, columns: Iterable[str]) -> None:
        """Event columns that the source gives, for the files' metadata."""
        self._present |= dict.fromkeys(columns)

    def add(self, table: pa.Table) -> None:
        """Events (all of EVENT_SCHEMA but what Origin says), of any days."""
        table = table.drop_columns([name for name in table.column_names if table[name].null_count == table.num_rows])
        for day, part in _by_day(table):
            held = self._days.setdefault(day, _Day())
            held.tables.append(part)
            held.bytes += part.nbytes
            self._held += part.nbytes
        while self._held > self._bound:
            self._out(max(self._days, key=lambda day: (self._days[day].bytes, -day)))

    def finish(self) -> list[Piece]:
        """Write what is left; all pieces in the order they went out."""
        for day in sorted(self._days):
            self._out(day)
        while self._waiting:
            self._pieces.append(self._waiting.popleft().result())
        return self._pieces

    def _out(self, day: int) -> None:
        held = self._days.pop(day)
        self._held -= held.bytes
        while len(self._waiting) >= self._writes:
            self._pieces.append(self._waiting.popleft().result())
        present = tuple(self._present)
        self._waiting.append(self._pool.submit(write_piece, day, held.tables, self._origin, present))


def write_piece(day: int, tables: Sequence[pa.Table], origin: Origin, present: Sequence[str]) -> Piece:
    """One day's events to a file aside; `day` counts from 1970-01-01."""
    table = with_origin(pa.concat_tables(tables, promote_options="default"), origin)
    return piece_of(EPOCH + timedelta(days=day), table, origin, {"present_columns": ",".join(present)})


def piece_of(day: date, table: pa.Table, origin: Origin, metadata: dict[str, str]) -> Piece:
    """A day's complete events (EVENT_SCHEMA, at least one) to a file aside."""
    ids = [chunk for chunk in table["event_id"].chunks if len(chunk)]
    times = pc.min_max(table["event_time"])
    masked = 0
    if origin.masked:
        masked = pc.sum(pc.is_in(table["operator_id"], pa.array(origin.masked, pa.string()))).as_py()
    file = write_parquet(origin.aside, table, metadata)
    return Piece(day, file, _utc(times["min"]), _utc(times["max"]), masked, all_distinct(ids))


def with_origin(table: pa.Table, origin: Origin) -> pa.Table:
    """The events with the three columns that are the same for the whole file, in the order of EVENT_SCHEMA; a column
    that none of them has is NULL."""
    same = {
        "source_file": _constant(origin.source_file, table.num_rows),
        "source_sha256": _constant(origin.sha256(), table.num_rows),
        "ingested_at": pa.repeat(pa.scalar(origin.ingested_at, EVENT_SCHEMA.field("ingested_at").type), table.num_rows),
    }
    same |= {
        name: pa.nulls(table.num_rows, EVENT_SCHEMA.field(name).type)
        for name in EVENT_SCHEMA.names
        if name not in same and name not in table.column_names
    }
    columns = [same[name] if name in same else table[name] for name in EVENT_SCHEMA.names]
    fields = [pa.field(f.name, column.type, f.nullable) for f, column in zip(EVENT_SCHEMA, columns, strict=True)]
    return pa.table(columns, schema=pa.schema(fields))


class RejectBuffer:
    """Takes rejects; writes them aside whenever their texts come to REJECT_BYTES, in the order of their lines."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._held: list[Reject] = []
        self._bytes = 0
        self._files: list[Written] = []
        self.reasons: dict[str, int] = {}

    @property
    def count(self) -> int:
        return sum(self.reasons.values())

    def add(self, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            self._held.append(reject)
            self._bytes += len(reject.raw) + len(reject.detail) + 100
            self.reasons[reject.reason] = self.reasons.get(reject.reason, 0) + 1
            if self._bytes > REJECT_BYTES:
                self._out()

    def finish(self) -> list[Written]:
        if self._held:
            self._out()
        return self._files

    def _out(self) -> None:
        rejects = sorted(self._held, key=lambda reject: reject.line)
        self._held, self._bytes = [], 0
        origin = self._origin
        columns = {
            "source_name": [origin.source_name] * len(rejects),
            "source_file": [origin.source_file] * len(rejects),
            "source_line": [reject.line for reject in rejects],
            "source_sha256": [origin.sha256()] * len(rejects),
            "reason": [reject.reason for reject in rejects],
            "detail": [reject.detail for reject in rejects],
            "raw": [reject.raw for reject in rejects],
            "ingested_at": [origin.ingested_at] * len(rejects),
        }
        self._files.append(write_parquet(origin.aside, pa.table(columns, schema=REJECT_SCHEMA)))


def _by_day(table: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """The table's rows by day, in the order of their days and within each in their own.

    A part that is a good share of the table and lies in one piece is a view of it; any other is copied, so that a few
    rows that wait for the rest of their day do not keep the whole table in memory.
    """
    if not table.num_rows:
        return
    days = table["event_time"].cast(pa.int64()).to_numpy() // DAY_US
    lowest, highest = int(days.min()), int(days.max())
    if lowest == highest:
        yield lowest, table
        return
    order = np.argsort(days, kind="stable")
    cuts = [0, *(np.flatnonzero(np.diff(days[order])) + 1).tolist(), len(order)]
    views = {at: _as_view(order[at:end], len(order)) for at, end in pairwise(cuts)}
    ordered = [] if all(views.values()) else [_taken(column, order) for column in table.columns]
    for at, end in pairwise(cuts):
        first = int(order[at])
        if views[at]:
            part = table.slice(first, end - at)
        else:
            part = pa.table([_copy(column.slice(at, end - at)) for column in ordered], schema=table.schema)
        yield int(days[first]), part


def _as_view(rows: npt.NDArray[np.int64], of: int) -> bool:
    return len(rows) * LEAST_VIEW >= of and int(rows[-1]) - int(rows[0]) + 1 == len(rows)


def _taken(column: pa.ChunkedArray, rows: npt.NDArray[np.int64]) -> pa.Array:
    flat = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return pc.take(flat, pa.array(rows), boundscheck=False, memory_pool=large_pool())


def _copy(values: pa.Array) -> pa.Array:
    return pa.concat_arrays([values, values.slice(0, 0)], memory_pool=large_pool())


def _constant(value: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([value], pa.string()))


def _utc(moment: pa.Scalar) -> datetime:
    value: datetime = moment.as_py()
    return value.astimezone(UTC)
