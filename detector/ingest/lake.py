"""The lake: immutable Parquet files that count only once the ledger lists them.

A file is written aside (below `.staging`), listed in a database transaction and then renamed into its place. A run
that is killed between the last two leaves a listed file aside, which `recover` moves; killed earlier, an unlisted one,
which `recover` deletes. Nothing in place is ever deleted only because it is not listed, for the database might be the
wrong one; but what a listed profile table of the same night has replaced is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
from django.db import transaction
from django.db.models import Q

from detector.errors import StateError, Where
from detector.home import Home
from detector.ingest.parquet import Written, disk_error, write_parquet
from detector.ledger.models import IngestedFile, LakeFile

RESTORE = "Restore the lake and the database from the same backup."


@dataclass(frozen=True)
class StagedTable:
    """A table written aside for one night; it appears in the lake by `register_tables`."""

    table: str
    night: date
    file: Written


def event_files(home: Home, night: date) -> list[Path]:
    """The Parquet files with that day's events, in the order they were written.

    Raises StateError when one of them is not there.
    """
    return _there(home, LakeFile.objects.filter(table="events", night=night))


def table_files(home: Home, table: str, *, since: date | None = None, before: date | None = None) -> list[Path]:
    """A table's files of the nights from `since` on and strictly `before`, in the order of the nights.

    Raises StateError when one of them is not there.
    """
    chosen = Q(table=table)
    if since is not None:
        chosen &= Q(night__gte=since)
    if before is not None:
        chosen &= Q(night__lt=before)
    return _there(home, LakeFile.objects.filter(chosen))


def write_table(home: Home, table: str, night: date, data: pa.Table) -> StagedTable:
    """Write `data` aside as that night's `table` (`findings`, or the name of a profile table). Raises StateError."""
    return StagedTable(table, night, write_parquet(home.staging / "tables", data))


def register_tables(home: Home, staged: Sequence[StagedTable], *, now: datetime) -> None:
    """List the staged tables; call it inside a transaction. They appear in the lake when that commits, else never.

    A profile table replaces what was there for that night; findings are added to.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("register_tables belongs inside a transaction")
    gone: list[Path] = []
    listed = []
    for each in staged:
        path = _place(home, each.table, each.night, each.file)
        if each.table != "findings":
            old = LakeFile.objects.filter(table=each.table, night=each.night).exclude(path=path)
            gone += [home.lake / name for name in old.values_list("path", flat=True)]
            old.delete()
        if not LakeFile.objects.filter(path=path).exists():
            row(home, each.table, each.night, each.file, now).save(force_insert=True)
        listed.append((each.file.path, home.lake / path))

    def publish() -> None:
        rename(listed)
        for path in gone:
            path.unlink(missing_ok=True)

    transaction.on_commit(publish)


def row(
    home: Home, table: str, night: date | None, file: Written, now: datetime, source: IngestedFile | None = None
) -> LakeFile:
    """The ledger's row for a file, not saved yet."""
    return LakeFile(
        path=_place(home, table, night, file),
        table=table,
        night=night,
        rows=file.rows,
        bytes=file.bytes,
        sha256=file.sha256,
        source=source,
        created_at=now,
    )


def rename(moves: Iterable[tuple[Path, Path]]) -> None:
    """Move listed files into their places, for good even if the machine loses power. Raises StateError."""
    folders = set()
    for aside, place in moves:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            aside.replace(place)
        except FileNotFoundError:
            if not place.exists():
                raise StateError("a file of the lake is missing", where=Where(place), hint=RESTORE) from None
        except OSError as exc:
            raise disk_error(exc, place) from exc
        folders.add(place.parent)
    for folder in sorted(folders):
        _sync(folder)


def recover(home: Home) -> None:
    """Put right what a killed run left: move what is listed, mark it done, delete the rest of what lies aside.

    Call it before anything else is written, holding the lock. Raises StateError when a listed file is nowhere.
    """
    aside = sorted(home.staging.rglob("*.parquet")) if home.staging.is_dir() else []
    for path in aside:
        # Names are those of the bytes: an empty table of one night has the same name as that of another, in its place.
        listed = LakeFile.objects.filter(path__endswith=f"/{path.name}").values_list("path", flat=True)
        for place in (home.lake / name for name in listed):
            if not place.exists():
                copy = path.with_suffix(".copy")
                shutil.copyfile(path, copy)
                rename([(copy, place)])
    for ingested in IngestedFile.objects.filter(state=IngestedFile.COMMITTING):
        _there(home, ingested.lake_files.all())
        ingested.state = IngestedFile.DONE
        ingested.save(update_fields=["state"])
    _drop_replaced(home)
    if home.staging.is_dir():
        shutil.rmtree(home.staging)


def _drop_replaced(home: Home) -> None:
    """Delete the profile files whose successor is listed: a run was killed before it could."""
    kept = LakeFile.objects.exclude(table__in=("events", "rejects", "findings")).values_list("path", flat=True)
    listed = {home.lake / path for path in kept}
    folders = {path.parent for path in listed}
    for path in sorted((home.lake / "profiles").rglob("*.parquet")):
        if path not in listed and path.parent in folders:
            path.unlink()


def verify_lake(home: Home, *, contents: bool = True) -> list[str]:
    """One plain sentence for each file of the lake that is missing, altered, or not ours; empty when all is well.

    Without `contents` only names and sizes are compared, which takes a moment; with it every byte is read.
    """
    return list(_faults(home, contents))


def _faults(home: Home, contents: bool) -> Iterator[str]:
    listed = set()
    for file in LakeFile.objects.order_by("path"):
        path = home.lake / file.path
        listed.add(path)
        try:
            size = path.stat().st_size
            if size != file.bytes or (contents and _sha256(path) != file.sha256):
                yield f"{file.path} was altered after it was written"
        except FileNotFoundError:
            if not any(home.staging.rglob(path.name)):  # else the next writing command moves it
                yield f"{file.path} is missing"
        except OSError as exc:
            yield f"{file.path} cannot be read: {exc.strerror}"
    for path in sorted((home.lake / "events").rglob("*.parquet")):
        if path not in listed:
            yield f"{path.relative_to(home.lake)} was not written by any run; it is not read"


def _place(home: Home, table: str, night: date | None, file: Written) -> str:
    """Where a file belongs, relative to the lake."""
    if night is None:
        folder = home.rejects_dir()
    elif table == "events":
        folder = home.events_dir(night)
    elif table == "findings":
        folder = home.findings_dir(night)
    else:
        folder = home.profile_dir(table, night)
    return (folder / file.name).relative_to(home.lake).as_posix()


def _there(home: Home, files: Iterable[LakeFile]) -> list[Path]:
    paths = [home.lake / file.path for file in sorted(files, key=lambda file: (file.night or date.min, file.id))]
    for path in paths:
        if not path.exists():
            raise StateError("a file of the lake is missing", where=Where(path), hint=RESTORE)
    return paths


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
