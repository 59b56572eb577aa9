"""Every feature on Spark, row for row: the cases of tests/features and random nights, as one night of either engine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feature_cases import TONIGHT, as_rows, feature_cases, in_one_night
from feature_world import Nights, table

from detector.config import FeatureSettings
from detector.context.reference import Reference
from detector.engine import arrow, connect
from detector.features.catalogue import FEATURES
from detector.features.compute import EXTRAS, night_features
from detector.features.profiles import FEATURE_TABLES, PROFILE_TABLES, roll_up

EVENT = ("event_id", "source_name")
ON_SPARK = [pytest.mark.server, pytest.mark.slow, pytest.mark.xdist_group("spark")]


@dataclass(frozen=True)
class Answer:
    """A night's features by event, and what it leaves behind."""

    features: Mapping[tuple[Any, ...], Mapping[str, Any]]
    profiles: Mapping[str, pa.Table]


def answer(
    con: Any, tonight: pa.Table, before: pa.Table, profiles: Mapping[str, list[Path]], reference: Reference
) -> Answer:
    events = ibis.memtable(tonight)
    features = night_features(con, TONIGHT, events, ibis.memtable(before), profiles, FeatureSettings(), reference)
    return Answer(as_rows(arrow(con, features), *EVENT), roll_up(con, TONIGHT, events, features, reference.present))


@pytest.fixture(scope="module")
def answers(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Answer]:
    """DuckDB's and Spark's of the same night, from the same profile files."""
    nights, reference = in_one_night(feature_cases())
    rows = {night: table(events) for night, events in nights.items()}
    past = Nights(connect, reference=reference)
    for night in list(rows)[:-1]:
        past.run(night, rows[night])
    folder = tmp_path_factory.mktemp("profiles")
    files = {name: _written(folder / name, parts) for name, parts in past.profiles.items()}
    asked = (rows[TONIGHT], rows[TONIGHT - timedelta(days=1)], files, reference)
    duckdb = connect(readable=[folder])
    try:
        return answer(duckdb, *asked), answer(spark, *asked)
    finally:
        duckdb.disconnect()


def _written(folder: Path, parts: list[pa.Table]) -> list[Path]:
    """One file a night, where the lake has it; none for a night that left nothing."""
    paths = []
    for part in parts:
        if part.num_rows:
            paths.append(folder / f"night={part['night'][0].as_py()}" / "part.parquet")
            paths[-1].parent.mkdir(parents=True)
            pq.write_table(part, paths[-1])
    return paths


def same(one: Any, other: Any) -> bool:
    """Numbers but for their last digits: the engines have logarithms of their own."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


@pytest.mark.parametrize("name", [pytest.param(name, marks=ON_SPARK) for name in (*FEATURES, *EXTRAS)])
def test_every_row_is_the_same_on_spark(answers: tuple[Answer, Answer], name: str) -> None:
    duckdb, spark = (each.features for each in answers)
    assert duckdb.keys() == spark.keys()
    wrong = {
        event: (row[name], spark[event][name])
        for event, row in duckdb.items()
        if not same(row[name], spark[event][name])
    }
    assert wrong == {}
    assert len({row[name] for row in duckdb.values()}) > 1  # the cases tell it something


@pytest.mark.parametrize("name", [pytest.param(name, marks=ON_SPARK) for name in PROFILE_TABLES])
def test_a_night_leaves_the_same_behind_on_spark(answers: tuple[Answer, Answer], name: str) -> None:
    duckdb, spark = (each.profiles[name] for each in answers)
    if name not in FEATURE_TABLES:
        assert spark == duckdb
        return
    assert (spark.schema, spark.num_rows) == (duckdb.schema, duckdb.num_rows)
    rows = zip(duckdb.to_pylist(), spark.to_pylist(), strict=True)
    assert [(a, b) for a, b in rows if not all(same(a[column], b[column]) for column in a)] == []


def test_the_cases_of_the_features_are_all_there() -> None:
    cases = feature_cases()
    nights, reference = in_one_night(cases)
    assert len(cases) >= 39
    assert {row["event_time"].date() for row in nights[TONIGHT]} == {TONIGHT}
    assert max(nights) == TONIGHT
    asked = sum(len(case.rows) for case in cases)
    assert len(nights[TONIGHT]) == asked  # every event of every case, once on the night that is looked at
    assert len({row["event_id"] for row in nights[TONIGHT]}) == asked
    assert reference.present == frozenset(reference.tables)
    assert min(nights) > date(2026, 2, 1)
