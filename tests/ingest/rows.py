"""Small helpers: rows as dictionaries to a batch, to events, to rejects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from detector.config import Settings
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.bytesource import InputFile, head, open_bytes
from detector.ingest.mapping import Mapping as SourceMapping
from detector.ingest.mapping import load_mappings
from detector.ingest.normalise import normalise, prepare
from detector.ingest.readers import open_reader
from detector.ingest.recognise import recognise

SETTINGS = Settings()


@cache
def shipped() -> dict[str, SourceMapping]:
    """The shipped mappings, read once for all tests."""
    return load_mappings()


def mapping_of(source: str, settings: Settings) -> SourceMapping:
    folders = settings.ingest.mapping_dirs
    return (load_mappings(folders) if folders else shipped())[source]


def batch(rows: Sequence[Mapping[str, str | None]]) -> RawBatch:
    """Rows as a batch; a key that a row lacks is NULL there, a key that all lack is no column."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}
    table = pa.table(columns) if columns else pa.table({"": pa.nulls(len(rows), pa.string())})
    return RawBatch(table, pa.array(range(1, len(rows) + 1), pa.int64()), lambda i: str(dict(rows[i])))


def both(
    rows: Sequence[Mapping[str, str | None]], source: str = "canonical", settings: Settings = SETTINGS
) -> tuple[list[dict[str, Any]], list[Reject]]:
    table, rejects = normalise(batch(rows), prepare(mapping_of(source, settings), settings, env={}))
    assert table.num_rows + len(rejects) == len(rows)
    return table.to_pylist(), rejects


def events(
    rows: Sequence[Mapping[str, str | None]], source: str = "canonical", settings: Settings = SETTINGS
) -> list[dict[str, Any]]:
    """All rows as events; none may be rejected."""
    found, rejects = both(rows, source, settings)
    assert rejects == []
    return found


def plain(path: Path) -> InputFile:
    return InputFile(path, None, "plain")


def recognised(path: Path) -> list[str]:
    file, limits = plain(path), SETTINGS.ingest
    return recognise(file.name, head(file, limits), shipped(), whole=lambda: open_bytes(file, limits))


def read_raw(path: Path, source: str, settings: Settings = SETTINGS) -> Iterator[RawBatch | list[Reject]]:
    file = plain(path)
    with open_bytes(file, settings.ingest) as stream:
        yield from open_reader(file, stream, mapping_of(source, settings), settings.ingest)


def read_file(
    path: Path, source: str, settings: Settings = SETTINGS
) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Events without their empty columns, and line and reason of the rejects."""
    prepared = prepare(mapping_of(source, settings), settings, env={})
    found: list[dict[str, Any]] = []
    rejects: list[tuple[int, str]] = []
    for item in read_raw(path, source, settings):
        bad = item
        if isinstance(item, RawBatch):
            table, bad = normalise(item, prepared)
            found += [{k: v for k, v in event.items() if v is not None} for event in table.to_pylist()]
        assert isinstance(bad, list)
        rejects += [(reject.line, reject.reason) for reject in bad]
    return found, sorted(rejects)
