"""The frame around every command that writes: lock, database, recovery, and the run's row in the ledger."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from detector.database import open_database
from detector.errors import DetectorError, UsageError, Where
from detector.home import Home
from detector.ingest.lake import recover
from detector.ingest.lock import hold
from detector.ledger.models import Run


class Stopwatch:
    """Seconds spent in each named stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)


@contextmanager
def writing(home: Home, command: str, now: datetime, env: Mapping[str, str] = os.environ) -> Iterator[Run]:
    """The home directory for one writing command: locked, its database open, what a killed run left put right.

    Yields the run's row; it is marked as succeeded or failed on the way out.
    """
    try:
        home.root.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(
            f"the home directory cannot be made: {exc.strerror}", where=Where(home.root), hint="Name another by --home."
        ) from None
    with hold(home, command, now):
        open_database(home, env)
        recover(home)
        Run.objects.filter(state=Run.RUNNING).update(state=Run.FAILED, error="was killed")
        run = Run.objects.create(command=command, started_at=now)
        try:
            yield run
        except BaseException as exc:
            run.state, run.error = Run.FAILED, str(exc) or type(exc).__name__
            run.exit_code = exc.exit_code if isinstance(exc, DetectorError) else 5
            raise
        else:
            run.state = Run.SUCCEEDED
        finally:
            run.finished_at = _later(now)
            run.save()


def _later(now: datetime) -> datetime:
    """The present, but never before the start: a clock set back must not end a run before it began."""
    return max(now, datetime.now(now.tzinfo))
