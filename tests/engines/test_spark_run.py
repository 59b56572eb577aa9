"""`rules run --engine spark`: the same lines as on DuckDB, and what is said where it cannot run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rule_helpers import rule_text, write_events, write_rules

from detector.errors import ConfigError, InputError
from detector.rules.over_file import rules_over_file
from detector.spark.session import local_session

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return write_rules(
        tmp_path / "rules.yml",
        rule_text(
            "one",
            "s: {user: U3, User: x, a.b|lt: 2, n|gte: 5, l: y4, s.ip|cidr: 10.0.0.0/16}\ncondition: s",
            "name: one\n",
        ),
        rule_text(
            "other",
            "s: {day: '2026-03-02', d: 2.5}\nt: {event_time|hour: 3, naive|minute: 59}\nk: ['y12']\n"
            "u: {_metadata: m, f: 4, 'we`ird': q}\ncondition: s or t or u or (k and not s)",
        ),
        "title: burst\ncorrelation: {type: event_count, rules: one, group-by: s.ip, timespan: 9h, condition: {gte: 1}}",
    )


def events(path: Path) -> Path:
    """Two thousand events in groups of rows, of every type that both engines read; `_metadata` is Spark's own word."""
    numbers = range(2_000)
    times = [START + timedelta(seconds=37 * number) for number in numbers]
    columns = {
        "event_time": pa.array(times, pa.timestamp("us", "UTC")),
        "naive": pa.array([time.replace(tzinfo=None) for time in times], pa.timestamp("us")),
        "user": [f"u{number % 7}" for number in numbers],
        "User": ["X"] * len(numbers),
        "a.b": [number % 5 for number in numbers],
        "we`ird": ["q"] * len(numbers),
        "n": pa.array([number % 11 for number in numbers], pa.uint64()),
        "f": [number / 3 for number in numbers],
        "d": pa.array([Decimal(number) / 4 for number in numbers], pa.decimal128(9, 2)),
        "day": pa.array([date(2026, 3, 1 + number % 9) for number in numbers]),
        "l": [["x", f"y{number % 13}"] for number in numbers],
        "s": [{"ip": f"10.0.{number % 3}.{number % 250}"} for number in numbers],
        "_metadata": ["m"] * len(numbers),
    }
    pq.write_table(pa.table(columns), path, row_group_size=300)
    return path


def lines(rules: Path, path: Path, *, spark: bool) -> list[str]:
    found: list[str] = []
    rules_over_file([rules], path, time_field="event_time", today=date(2026, 3, 2), write=found.append, spark=spark)
    return "".join(found).splitlines()


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_gives_the_lines_that_duckdb_gives(
    spark: Any, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one Spark does for all tests; a name that is a pattern to Spark
    monkeypatch.setattr("detector.spark.session.local_session", lambda **_: nullcontext(spark._session))
    path = events(tmp_path / "nights[1].parquet")
    expected = lines(rules, path, spark=False)
    assert {line.split('"title": "')[1].split('"')[0] for line in expected} == {"other", "burst"}
    assert lines(rules, path, spark=True) == expected

    whole = path.read_bytes()
    for content in (
        b"PAR1 nothing of the kind PAR1",
        whole[:50] + b"\xff" * (len(whole) // 2) + whole[50 + len(whole) // 2 :],
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"nights\[1\]\.parquet: cannot be read by Spark: "):
            lines(rules, path, spark=True)


def test_other_files_are_for_duckdb(rules: Path, tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.jsonl", [{"a": 1}])
    with pytest.raises(InputError, match="Spark reads events of Parquet files only") as caught:
        lines(rules, path, spark=True)
    assert "Leave --engine away" in str(caught.value)
    with pytest.raises(InputError, match="no such events file"):
        lines(rules, tmp_path / "none.parquet", spark=True)


def _without_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.spark.session.importlib.util.find_spec", lambda name: None)


def _without_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.spark.session.importlib.util.find_spec", lambda name: name)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize(
    ("without", "advice"),
    [(_without_pyspark, r"pip install '\.\[spark\]'"), (_without_java, "apt-get install default-jre-headless")],
)
def test_what_is_missing_is_named(
    without: Callable[[pytest.MonkeyPatch], None], advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        without(patched)
        with pytest.raises(ConfigError, match=advice), local_session():
            pass
