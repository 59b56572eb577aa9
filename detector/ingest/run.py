"""Ingest: every file of the given paths that is a log and is not known yet, one after the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db.models import Max

from detector.config import Settings
from detector.errors import InputError, MappingError, Where
from detector.home import Home
from detector.ingest.bytesource import InputFile, head, list_inputs, open_bytes, real_path
from detector.ingest.hashing import identify
from detector.ingest.mapping import Mapping as SourceMapping
from detector.ingest.mapping import load_mappings, overridden
from detector.ingest.onefile import Checkpoint, Job, ingest_file
from detector.ingest.prepare import notices, prepare
from detector.ingest.recognise import non_log, recognise
from detector.ledger.models import IngestedFile
from detector.progress import Progress
from detector.records import FileCounts


@dataclass(frozen=True)
class IngestSummary:
    """What became of the input.

    `skipped`: known already, nothing changed. `not_recognised`: not read, with the reason; those of them that
    could have been logs but cannot be read are `unreadable` too. `nights_touched`: days that got new events.
    `notices`: what was assumed or overridden, a sentence each.
    """

    files: tuple[FileCounts, ...]
    skipped: tuple[str, ...]
    not_recognised: tuple[tuple[str, str], ...]
    unreadable: tuple[str, ...]
    nights_touched: frozenset[date]
    notices: tuple[str, ...] = ()

    @property
    def lines(self) -> int:
        return sum(file.lines for file in self.files)

    @property
    def rejects(self) -> int:
        return sum(file.rejects for file in self.files)

    @property
    def reject_share(self) -> float:
        """Rejects among the lines of this run, 0-1."""
        return self.rejects / self.lines if self.lines else 0.0

    def exit_code(self, settings: Settings) -> int:
        """4 when more lines than the configured share were rejected or a file could not be read, else 0."""
        too_many = self.reject_share > settings.ingest.reject_share
        return InputError.exit_code if too_many or self.unreadable else 0


@dataclass(frozen=True)
class _Planned:
    file: InputFile
    mapping: SourceMapping
    bytes: int


def ingest_paths(
    paths: Sequence[Path],
    *,
    home: Home,
    settings: Settings,
    source: str | None,
    now: datetime,
    progress: Progress,
    env: Mapping[str, str] = os.environ,
    checkpoint: Checkpoint = lambda _: None,
) -> IngestSummary:
    """Read what is new in `paths` into the lake. The caller holds the lock, has opened the database and recovered.

    A file that cannot be read does not stop the others. Raises MappingError, before anything is written, when two
    mappings fit a file or `source` names none; ConfigError for a pseudonym key that is needed and missing; UsageError
    for a path that does not exist; StateError when the lake cannot be written (files finished before stay).
    """
    refused: dict[str, str] = {}
    other: dict[str, str] = {}
    planned = _plan(paths, home, settings, source, refused, other)
    used = {each.mapping.name: each.mapping for each in planned}
    prepared = {name: prepare(mapping, settings, env=env) for name, mapping in used.items()}
    latest = _latest(now)
    total = sum(each.bytes for each in planned) or 1
    done = 0
    counts: list[FileCounts] = []
    skipped: list[str] = []
    nights: set[date] = set()
    for each in planned:

        def tell(
            lines: int, taken: int, name: str = each.file.name, size: int = each.bytes, so_far: int = done
        ) -> None:
            progress.update(f"reading {name}: {lines:,} lines", min(1.0, (so_far + min(taken, size)) / total))

        tell(0, 0)
        job = Job(each.file, prepared[each.mapping.name], home, settings.ingest, now, latest, checkpoint, tell)
        try:
            if _is_known(each, settings):
                skipped.append(each.file.name)
            else:
                file_counts, days = ingest_file(job)
                counts.append(file_counts)
                nights |= days
        except InputError as exc:
            refused[each.file.name] = _plain(exc)
            shutil.rmtree(home.staging, ignore_errors=True)  # what was written aside of it so far
        done += each.bytes
    shutil.rmtree(home.staging, ignore_errors=True)
    return IngestSummary(
        files=tuple(counts),
        skipped=tuple(skipped),
        not_recognised=tuple(sorted((other | refused).items())),
        unreadable=tuple(sorted(refused)),
        nights_touched=frozenset(nights),
        notices=(*overridden(used), *(said for mapping in used.values() for said in notices(mapping, settings))),
    )


def _latest(now: datetime) -> datetime:
    """When the latest event can have happened: a day ahead of the present is a fault, an hour is a zone.

    A clock that was set back does not count: whatever an earlier run took for the present has been.
    """
    newest = IngestedFile.objects.aggregate(newest=Max("ingested_at"))["newest"]
    return max(now, newest or now) + timedelta(days=1)


def _plan(
    paths: Sequence[Path],
    home: Home,
    settings: Settings,
    source: str | None,
    refused: dict[str, str],
    other: dict[str, str],
) -> list[_Planned]:
    """The logs among the files, each with its mapping; the rest goes to `refused` and `other` with the reason."""
    mappings = load_mappings(settings.ingest.mapping_dirs)
    if source is not None and source not in mappings:
        raise MappingError(f"no source mapping is called {source!r}", hint=f"There are: {', '.join(sorted(mappings))}.")
    own = home.root.resolve()
    planned = []
    for file in list_inputs(paths):
        if real_path(file.path).is_relative_to(own):
            continue  # the lake itself, where the home directory lies among the logs
        try:
            start = head(file, settings.ingest)
            why = non_log(file.name, start)
            fitting = [] if why else [source] if source is not None else _fitting(file, start, mappings, settings)
            size = file.path.stat().st_size
        except (InputError, OSError) as exc:
            refused[file.name] = _plain(exc)
            continue
        if len(fitting) > 1:
            raise MappingError(
                f"fits more than one source mapping: {', '.join(fitting)}",
                where=Where(file.name),
                hint=f"Say which with --source, for example --source {fitting[0]}.",
            )
        if fitting:
            planned.append(_Planned(file, mappings[fitting[0]], size))
        elif why:
            other[file.name] = why
        else:
            refused[file.name] = "no source mapping fits it; name one with --source, or write one"
    return planned


def _fitting(file: InputFile, start: bytes, mappings: Mapping[str, SourceMapping], settings: Settings) -> list[str]:
    limits = settings.ingest
    return recognise(file.name, start, mappings, whole=lambda: open_bytes(file, limits), limits=limits)


def _is_known(each: _Planned, settings: Settings) -> bool:
    """Whether the ledger lists these very bytes. A file of a size never seen cannot be; it is not read for that."""
    if each.file.member is None and not IngestedFile.objects.filter(bytes=each.bytes).exists():
        return False
    try:
        identity = identify(each.file, settings.ingest)
    except OSError as exc:
        raise InputError(f"cannot be read: {exc.strerror}", where=Where(each.file.name)) from exc
    return IngestedFile.objects.filter(sha256=identity.sha256).exists()


def _plain(exc: InputError | OSError) -> str:
    return exc.message if isinstance(exc, InputError) else f"cannot be read: {exc.strerror}"
