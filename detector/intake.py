"""The first step of a scan alone: what is new is read, nothing is scanned."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from detector.config import Settings
from detector.home import Home
from detector.ingest.run import IngestSummary, ingest_paths
from detector.progress import Progress
from detector.writing import Stopwatch, writing


def ingest_only(
    paths: Sequence[Path],
    *,
    home: Home,
    settings: Settings,
    source: str | None,
    now: datetime,
    progress: Progress,
    env: Mapping[str, str] = os.environ,
) -> IngestSummary:
    """Read what is new under a lock of its own. Raises DetectorError subclasses; files finished before stay."""
    watch = Stopwatch()
    with writing(home, "ingest", now, env) as run:
        with watch.stage("ingest"):
            summary = ingest_paths(
                paths, home=home, settings=settings, source=source, now=now, progress=progress, env=env
            )
        run.stage_seconds = dict(watch.seconds)
        run.exit_code = summary.exit_code(settings)
    return summary
