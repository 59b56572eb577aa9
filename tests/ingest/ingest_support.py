"""Small canonical logs and a short way to ingest them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from detector.config import Settings
from detector.home import Home
from detector.ingest.lake import recover
from detector.ingest.run import IngestSummary, ingest_paths
from detector.ledger.models import LakeFile
from detector.progress import Silent

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HEADER = "event_id,event_time,system,action,operator_id,reason_text"


def line(event_id: object, time: str = "2026-11-01T10:00:00Z", who: str = "op1", why: str = "because") -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([event_id, time, "PNC", "search", who, why])
    return out.getvalue()


def log(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="")
    return path


def ingest(home: Home, *paths: Path, settings: Settings | None = None, **more: Any) -> IngestSummary:
    """As a writing command does it: recover first."""
    recover(home)
    options: dict[str, Any] = {"source": None, "now": NOW, "progress": Silent(), "env": {}} | more
    return ingest_paths(list(paths), home=home, settings=settings or Settings(), **options)


def lake_rows(home: Home, table: str = "events", columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Everything the ledger lists of a table, in the order it was listed."""
    rows: list[dict[str, Any]] = []
    for file in LakeFile.objects.filter(table=table).order_by("night", "id"):
        rows += pq.ParquetFile(home.lake / file.path).read(columns=columns).to_pylist()
    return rows


def ids(home: Home) -> list[str]:
    return [row["event_id"] for row in lake_rows(home)]


def rejects(home: Home) -> list[tuple[int, str, str]]:
    return [(row["source_line"], row["reason"], row["raw"]) for row in lake_rows(home, "rejects")]


#: The lake's files with their bytes, the ledger's input files, its lake files.
Snapshot = tuple[dict[str, bytes], list[Any], list[Any]]


def snapshot(home: Home) -> Snapshot:
    """Everything a run leaves: the lake's files with their bytes, and the ledger without its own row numbers."""
    from detector.ledger.models import IngestedFile

    files = {
        path.relative_to(home.lake).as_posix(): path.read_bytes() for path in home.lake.rglob("*") if path.is_file()
    }
    ingested = list(IngestedFile.objects.order_by("sha256").values_list(
        "sha256", "bytes", "source_file", "source_name", "mapping_fingerprint", "state", "lines", "events",
        "duplicates", "rejects", "reject_reasons", "masked", "first_event_time", "last_event_time",
    ))  # fmt: skip
    listed = list(
        LakeFile.objects.order_by("path").values_list(
            "path", "table", "night", "rows", "bytes", "sha256", "source__sha256"
        )
    )
    return files, ingested, listed
