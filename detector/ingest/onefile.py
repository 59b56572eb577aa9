"""One input file from its first byte to its rows in the ledger: read, normalised, written aside, listed, in place."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import transaction
from django.db.utils import DatabaseError

from detector.config import IngestSettings
from detector.errors import InputError, StateError, Where
from detector.home import Home
from detector.ingest import lake
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.bytesource import InputFile, open_bytes
from detector.ingest.daybuffers import DayBuffers, Origin, Piece, RejectBuffer
from detector.ingest.duplicates import KEY
from detector.ingest.expand import DamagedFileError, Meter
from detector.ingest.hashing import Identity, identify
from detector.ingest.normalise import normalise
from detector.ingest.parquet import Written
from detector.ingest.prepare import Prepared, provided
from detector.ingest.readers import open_reader
from detector.ingest.settle import KEY_SCHEMA, Settled, settle_day
from detector.ledger.models import IngestedFile, LakeFile
from detector.records import FileCounts

#: Called with the name of each step as it is done; tests make it fail.
Checkpoint = Callable[[str], None]
#: Called with the lines read so far and the bytes taken from the disk.
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """What ingesting one file needs. An event after `latest` is a reject."""

    file: InputFile
    source: Prepared
    home: Home
    limits: IngestSettings
    now: datetime
    latest: datetime
    checkpoint: Checkpoint
    tell: Tell


@dataclass(frozen=True)
class Aside:
    """A file's rows, all of them written aside."""

    pieces: tuple[Piece, ...]
    rejects: tuple[Written, ...]
    reasons: dict[str, int]
    duplicates: int


def ingest_file(job: Job) -> tuple[FileCounts, frozenset[date]]:
    """Ingest one file; its counts and the days it brought events of.

    Raises InputError when the file as a whole cannot be read (nothing of it is kept then) and StateError when the
    lake or the ledger cannot be written.
    """
    before = _state(job.file)
    with ThreadPoolExecutor(1, "hash") as hasher, ThreadPoolExecutor(job.limits.threads, "ingest") as pool:
        identity = hasher.submit(identify, job.file, job.limits)
        try:
            aside = _Reading(job, identity, pool).run()
            known = identity.result()
        except OSError as exc:
            raise InputError(f"cannot be read: {exc.strerror}", where=Where(job.file.name)) from exc
        except MemoryError as exc:  # Arrow's is one too
            shutil.rmtree(job.home.staging, ignore_errors=True)
            raise StateError(
                "not enough memory",
                where=Where(job.file.name),
                hint="Lower ingest.memory_bytes or ingest.threads, or give the process more memory.",
            ) from exc
        except StateError:  # the disk is full, as a rule: give back what was taken of it
            shutil.rmtree(job.home.staging, ignore_errors=True)
            raise
    if _state(job.file) != before:
        raise InputError(
            "changed while it was read; nothing of it is kept",
            where=Where(job.file.name),
            hint="Ingest it once it is complete.",
        )
    job.checkpoint("staged")
    return _commit(job, known, aside)


class _Reading:
    """The pass over one file; and a second one over its source rows if some clash, for their raw text."""

    def __init__(self, job: Job, identity: Future[Identity], pool: ThreadPoolExecutor) -> None:
        self._job = job
        self._pool = pool
        self._origin = Origin(
            source_name=job.source.name,
            source_file=job.file.name,
            ingested_at=job.now,
            folder=job.home.staging,
            sha256=lambda: identity.result().sha256,
            masked=job.source.mapping.masked,
        )
        self._rejects = RejectBuffer(self._origin)

    def run(self) -> Aside:
        """Everything of the file, written aside."""
        job = self._job
        days = DayBuffers(self._origin, self._pool, memory_bytes=job.limits.memory_bytes, writes=job.limits.threads)
        for done in self._normalised():
            if isinstance(done, list):
                self._rejects.add(done)
            else:
                columns, events, rejects = done
                days.provide(provided(columns, job.source.mapping))
                days.add(events)
                self._rejects.add(rejects)
        pieces = days.finish()
        job.checkpoint("read")
        settled = self._settle(pieces)
        conflicts = pa.concat_tables([KEY_SCHEMA.empty_table(), *(each.conflicts for each in settled)])
        if conflicts.num_rows:
            self._rejects.add(self._conflicts(conflicts))
        return Aside(
            pieces=tuple(piece for each in settled for piece in each.pieces),
            rejects=tuple(self._rejects.finish()),
            reasons=dict(sorted(self._rejects.reasons.items())),
            duplicates=sum(each.duplicates for each in settled),
        )

    def _normalised(self) -> Iterator[tuple[list[str], pa.Table, list[Reject]] | list[Reject]]:
        """Each batch's source columns, events and rejects in the order of the file, and the reader's own rejects."""
        job = self._job
        waiting: deque[Future[tuple[list[str], pa.Table, list[Reject]]] | list[Reject]] = deque()
        for item in self._source_rows():
            if isinstance(item, RawBatch):
                waiting.append(self._pool.submit(_normalise, item, job))
            else:
                waiting.append([job.source.withheld(reject) for reject in item])
            if len(waiting) > job.limits.threads:
                done = waiting.popleft()
                yield done.result() if isinstance(done, Future) else done
        while waiting:
            done = waiting.popleft()
            yield done.result() if isinstance(done, Future) else done

    def _source_rows(self) -> Iterator[RawBatch | list[Reject]]:
        """What the reader gives; damage that it did not turn into a reject itself becomes one."""
        job = self._job
        meter = Meter(Where(job.file.name), job.limits)
        lines = last = 0
        with open_bytes(job.file, job.limits, meter) as stream:
            try:
                for item in open_reader(job.file, stream, job.source.mapping, job.limits):
                    if isinstance(item, RawBatch):
                        lines += len(item.lines)
                        last = max(last, item.lines[-1].as_py()) if len(item.lines) else last
                    else:
                        lines += len(item)
                        last = max(last, *(reject.line for reject in item)) if item else last
                    job.tell(lines, meter.taken or meter.given)
                    yield item
            except DamagedFileError as exc:
                yield [Reject(last + 1, exc.reason, exc.message, "")]

    def _settle(self, pieces: list[Piece]) -> list[Settled]:
        """Every day's pieces without duplicates and clashes, days in their order."""
        by_day = groupby(sorted(pieces, key=lambda piece: piece.day), key=lambda piece: piece.day)
        waiting = []
        for day, group in by_day:
            listed = LakeFile.objects.filter(table="events", night=day, source__source_name=self._origin.source_name)
            files = [self._job.home.lake / path for path in listed.order_by("id").values_list("path", flat=True)]
            bound = self._job.limits.memory_bytes // self._job.limits.threads
            waiting.append(self._pool.submit(settle_day, day, list(group), files, self._origin, memory_bytes=bound))
        return [each.result() for each in waiting]

    def _conflicts(self, keys: pa.Table) -> Iterator[Reject]:
        """The clashing rows as rejects with their raw text, found by reading the file once more."""
        clashing = set(zip(*(keys[name].to_pylist() for name in KEY), strict=True))
        ids = pa.array(sorted({key[0] for key in clashing}), pa.string())
        job = self._job
        for item in self._source_rows():
            if not isinstance(item, RawBatch):
                continue
            # Lines need not be unique (a JSON document may be one line), so rows are numbered by their place instead.
            places = pa.array(np.arange(len(item.lines)))
            events, _ = normalise(RawBatch(item.columns, places, item.raw), job.source, latest=job.latest)
            suspects = events.filter(pc.is_in(events["event_id"], ids))
            found = zip(*(suspects[name].to_pylist() for name in KEY), strict=True)
            for place, key in zip(suspects["source_line"].to_pylist(), found, strict=True):
                if key in clashing:
                    detail = "another event of that day has this id with another time or operator"
                    reject = Reject(item.lines[place].as_py(), "id_conflict", detail, item.raw(place))
                    yield job.source.withheld(reject)


def _normalise(batch: RawBatch, job: Job) -> tuple[list[str], pa.Table, list[Reject]]:
    events, rejects = normalise(batch, job.source, latest=job.latest)
    return batch.columns.column_names, events, rejects


def _commit(job: Job, known: Identity, aside: Aside) -> tuple[FileCounts, frozenset[date]]:
    """List the file and its pieces in one transaction, then move the pieces into their places."""
    events = sum(piece.file.rows for piece in aside.pieces)
    rejects = sum(aside.reasons.values())
    counts = FileCounts(
        source_file=job.file.name,
        source_name=job.source.name,
        lines=events + aside.duplicates + rejects,
        events=events,
        duplicates=aside.duplicates,
        rejects=rejects,
        reject_reasons=aside.reasons,
    )
    try:
        with transaction.atomic():
            ingested = IngestedFile.objects.create(
                sha256=known.sha256,
                bytes=known.bytes,
                source_file=counts.source_file,
                source_name=counts.source_name,
                mapping_fingerprint=job.source.mapping.fingerprint,
                state=IngestedFile.COMMITTING,
                lines=counts.lines,
                events=counts.events,
                duplicates=counts.duplicates,
                rejects=counts.rejects,
                reject_reasons=aside.reasons,
                masked=sum(piece.masked for piece in aside.pieces),
                first_event_time=min((piece.first for piece in aside.pieces), default=None),
                last_event_time=max((piece.last for piece in aside.pieces), default=None),
                ingested_at=job.now,
            )
            rows = [lake.row(job.home, "events", p.day, p.file, job.now, ingested) for p in aside.pieces]
            rows += [lake.row(job.home, "rejects", None, file, job.now, ingested) for file in aside.rejects]
            LakeFile.objects.bulk_create(rows)
        job.checkpoint("listed")
        for row, file in zip(rows, [*(piece.file for piece in aside.pieces), *aside.rejects], strict=True):
            lake.rename([(file.path, job.home.lake / row.path)])
            job.checkpoint("moved")
        IngestedFile.objects.filter(pk=ingested.pk).update(state=IngestedFile.DONE)
    except DatabaseError as exc:
        raise StateError(
            f"the ledger cannot be written: {str(exc).splitlines()[0]}",
            hint="Free some space or mend the database, and run the same command again.",
        ) from exc
    job.checkpoint("done")
    return counts, frozenset(piece.day for piece in aside.pieces)


def _state(file: InputFile) -> tuple[int, int]:
    try:
        found = file.path.stat()
    except OSError as exc:
        raise InputError(f"cannot be read: {exc.strerror}", where=Where(file.name)) from None
    return found.st_size, found.st_mtime_ns
