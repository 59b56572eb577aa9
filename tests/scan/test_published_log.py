"""A real department's published search log, from its file to the ranked list."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from detector import cli

SEARCHES, USERS = 4_294, 147
#: Without blind samples: they borrow a score, and chance is no merit of the ranking.
CONFIG = "sources: {alpr-portal: {local_zone: America/Los_Angeles}}\nbudget: {sample_share: 0}\n"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command says as JSON."""
    assert cli.run([*arguments, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


def published(path: Path) -> dict[str, tuple[datetime, str]]:
    """Search id -> (moment, user) of the export, read with nothing but the standard library."""
    with path.open(newline="", encoding="utf-8") as stream:
        return {
            row["id"]: (datetime.fromisoformat(row["searchDate"]).replace(tzinfo=UTC), row["userId"])
            for row in csv.DictReader(stream)
        }


@pytest.mark.slow
def test_every_search_is_kept_and_who_never_rests_is_near_the_top(
    tmp_path: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = shared_data / "eugene" / "search_audit.csv"
    (tmp_path / "config.yaml").write_text(CONFIG)
    where = ("--home", str(tmp_path / "home"), "--config", str(tmp_path / "config.yaml"))
    summary = answer(capsys, "scan", str(log), *where)
    (file,) = answer(capsys, "status", *where)["files"]
    assert (file["lines"], file["events"], file["duplicates"], file["rejects"]) == (SEARCHES, SEARCHES, 0, 0)

    events = pq.read_table(tmp_path / "home" / "lake" / "events", columns=["event_id", "event_time", "operator_id"])
    kept = {row["event_id"]: (row["event_time"], row["operator_id"]) for row in events.to_pylist()}
    assert kept == published(log)
    nights = [night["night"] for night in summary["nights"]]
    assert nights == sorted(nights)
    assert nights == sorted({moment.date().isoformat() for moment, _ in kept.values()})

    best: dict[str, float] = {}
    for alert in answer(capsys, "alerts", "list", "--all", *where):
        best[alert["actor_id"]] = max(alert["score"], best.get(alert["actor_id"], 0.0))
    ranked = sorted(best, key=lambda actor: -best[actor])
    assert len({user for _, user in kept.values()}) == USERS
    with (shared_data / "eugene" / "streaks_published.csv").open(newline="", encoding="utf-8") as stream:
        restless = {row["user_id"] for row in csv.DictReader(stream)}
    assert restless <= set(ranked[: USERS // 4])
