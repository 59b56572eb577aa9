"""Killed at any instant and run again, a scan leaves what an undisturbed one leaves: lake, ledger, models, alerts."""

from __future__ import annotations

import csv
import hashlib
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import scan_worker

WORKER = Path(scan_worker.__file__)
NIGHTS, KILLS, BATCHES = 3, 50, 5
#: Rows that a run leaves as its own trace, or that number others.
PASSING = {"ledger_run", "sqlite_sequence", "django_migrations"}
SURROGATES = {"id", "source_id"}


def write_logs(folder: Path) -> Path:
    """A few nights of a few actors, one of whom cannot stop looking at one record."""
    folder.mkdir(parents=True)
    draw = random.Random(11)  # noqa: S311 - made-up logs
    with (folder / "log.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["event_id", "event_time", "system", "action", "operator_id", "unit", "reason_text", "record_id"])
        number = 0
        for day in range(1, NIGHTS + 1):
            for actor in range(8):
                for _ in range(25 if actor == 7 and day == NIGHTS else 5):
                    number += 1
                    when = f"2026-02-{day:02d}T{draw.randrange(8, 18):02d}:{draw.randrange(60):02d}:00Z"
                    record = "R1" if actor == 7 else f"R{draw.randrange(400)}"
                    why = "" if actor == 7 else draw.choice(["stop", "burglary", "missing person"])
                    out.writerow([f"e{number}", when, "PNC", "search", f"op{actor}", "A", why, record])
        file.write("broken line\n")
    (folder.parent / "specification.yaml").write_text(scan_worker.SPECIFICATION)
    return folder


@contextmanager
def worker(logs: Path) -> Iterator[subprocess.Popen[str]]:
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, str(WORKER), str(logs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def run(process: subprocess.Popen[str], home: Path, delay: float | None = None) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{home} {'-' if delay is None else delay}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def snapshot(home: Path) -> dict[str, Any]:
    """Every file of the lake and the models by its SHA-256, every row of the database but the runs."""
    files = {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for top in ("lake", "models")
        for path in sorted((home / top).rglob("*"))
        if path.is_file()
    }
    tables: dict[str, Any] = {}
    with closing(sqlite3.connect(home / "detector.sqlite3")) as db:
        db.row_factory = sqlite3.Row
        for (name,) in db.execute("select name from sqlite_master where type = 'table'").fetchall():
            if name not in PASSING:
                rows = [dict(row) for row in db.execute(f'select * from "{name}"')]  # noqa: S608 - names from the schema
                tables[name] = sorted(repr(_plain(row)) for row in rows)
    return {"files": files, "tables": tables}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without surrogate keys and without how long things took."""
    return {key: value for key, value in row.items() if key not in SURROGATES and key != "stage_seconds"}


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_killed_scan_is_made_good_by_the_next(tmp_path: Path, batch: int) -> None:
    logs = write_logs(tmp_path / "logs")
    draw = random.Random(batch)  # noqa: S311 - the same instants each time
    with worker(logs) as process:
        start = time.monotonic()
        assert run(process, tmp_path / "quiet") == "0"
        took = time.monotonic() - start
        expected = snapshot(tmp_path / "quiet")
        assert len(expected["tables"]["ledger_night"]) == NIGHTS
        assert expected["tables"]["triage_alert"], "nothing was raised, so nothing could be lost"
        assert any(name.endswith("model.skops") for name in expected["files"])
        killed = 0
        for number in range(KILLS // BATCHES):
            home = tmp_path / str(number)
            start = time.monotonic()
            if run(process, home, draw.uniform(0.01, took)) == "killed":
                killed += 1
            else:  # the machine is less busy than it was
                took = min(took, time.monotonic() - start)
            assert run(process, home) == "0"
            assert snapshot(home) == expected
        assert killed >= KILLS // BATCHES // 2, "most scans were over before they could be killed"


def test_a_second_scan_changes_nothing(tmp_path: Path) -> None:
    logs = write_logs(tmp_path / "logs")
    with worker(logs) as process:
        assert run(process, tmp_path / "home") == "0"
        before = snapshot(tmp_path / "home")
        assert before["tables"]["triage_sampledraw"], "no blind samples were drawn"
        assert run(process, tmp_path / "home") == "0"
        assert snapshot(tmp_path / "home") == before
