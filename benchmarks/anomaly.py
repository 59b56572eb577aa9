"""Measures the forest: training, scoring a large night, explaining it; and what anchors are worth.

    python -m benchmarks.anomaly [--rows 1000000] [--features 24] [--trees 200] [--threads 2] [--anchors]

Every run makes its own data from a fixed seed. Wall-clock seconds, and those of all threads
together; peak memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector.anomaly.artifact import load, save
from detector.anomaly.findings import forest_findings
from detector.anomaly.night import score_parts
from detector.anomaly.score import score
from detector.anomaly.specification import ModelSpecification, load_specification
from detector.anomaly.train import train

NIGHT = date(2026, 9, 1)
ACTORS, UNITS, ROLES = 3000, 40, 7
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BenchFeature:
    direction: str
    model: bool = True


def catalogue(features: int) -> dict[str, BenchFeature]:
    return {f"f{j:02d}": BenchFeature("both" if j % 6 == 0 else "high") for j in range(features)}


def night(rows: int, features: int, seed: int, *, nights: int = 1) -> pa.Table:
    """Look-ups of 3,000 actors: counts that follow the unit, sparse and rare features, some missing."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, ACTORS, rows)
    start = datetime(NIGHT.year, NIGHT.month, NIGHT.day, tzinfo=UTC)
    micros = int(start.timestamp() * 1e6) + rng.integers(0, 86_400_000_000, rows)
    columns = {
        "night": pa.array([NIGHT + timedelta(days=int(d)) for d in rng.integers(0, nights, rows)], pa.date32()),
        "event_id": pa.array([f"e{seed}-{i}" for i in range(rows)]),
        "event_time": pa.array(micros, pa.timestamp("us", tz="UTC")),
        "actor_id": pa.array([f"actor-{i}" for i in who]),
        "organisation": pa.array([f"organisation-{i % 3}" for i in who]),
        "unit": pa.array([f"unit-{i % UNITS}" for i in who]),
        "role": pa.array([f"role-{i % ROLES}" for i in who]),
    }
    for j, name in enumerate(catalogue(features)):
        columns[name] = pa.array(_values(rng, who, j), from_pandas=True)
    return pa.table(columns)


def _values(rng: np.random.Generator, who: npt.NDArray[np.int64], j: int) -> Doubles:
    rows = len(who)
    if j % 4 == 0:
        values = rng.normal(5, 1, rows)
    elif j % 4 == 1:
        values = rng.poisson(3 + who % UNITS, rows).astype(np.float64)
    elif j % 4 == 2:
        values = rng.exponential(20, rows) * (rng.random(rows) < 0.05)
    else:
        values = (rng.random(rows) < 0.001).astype(np.float64)
    if j % 5 == 0:
        values[rng.random(rows) < 0.1] = np.nan
    return values


@contextmanager
def timed(what: str) -> Iterator[None]:
    start, busy = time.perf_counter(), time.process_time()
    yield
    wall, busy = time.perf_counter() - start, time.process_time() - busy
    print(f"{what:<64} {wall:8.2f} s {busy:8.2f} s of processor", flush=True)


def told(feature: str, value: float, own: float | None, peers: float | None) -> str:
    return f"{feature} is {value:g}; usual for this actor {own}, peers {peers}"


def speed(rows: int, features: int, spec: ModelSpecification) -> None:
    sample = night(300_000, features, 1, nights=60)
    with timed("train (300,000 sampled rows, 60 nights, thinned to max_rows)"):
        model = train(sample, spec, catalogue(features), through=NIGHT + timedelta(days=60), now=datetime.now(UTC))
    with TemporaryDirectory() as folder:
        with timed("save"):
            model = save(model, Path(folder))
        size = sum(path.stat().st_size for path in (Path(folder) / model.version).iterdir())
        with timed(f"load ({size / 1e6:.1f} MB)"):
            model = load(Path(folder), model.version)
    tonight = night(rows, features, 2)
    with timed(f"score ({rows:,} x {features}, {spec.trees} trees, 1 thread)"):
        score(model, tonight, threads=1)
    with timed(f"score ({rows:,} x {features}, {spec.trees} trees, {spec.threads} threads)"):
        score(model, tonight)
    step = spec.threads * spec.chunk_rows
    with timed("score in parts, with drift and the strange actors"):
        scored = score_parts(model, (tonight.slice(at, step) for at in range(0, rows, step)))
    with timed(f"findings and explanations ({len(scored.actors)} actors)"):
        forest_findings(model, scored, {}, NIGHT, sentence=told)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory, with {tonight.nbytes / 1e6:.0f} MB of test data itself: {peak:.0f} MB")


def anchors(features: int, spec: ModelSpecification) -> None:
    """Share of planted look-ups among the strangest 1 % and 0.1 %, by anchors per tree."""
    ordinary, sample = night(100_000, features, 3), night(100_000, features, 1, nights=60)
    dense, rare = range(0, features, 4), range(3, features, 4)
    plants = {
        "1 rare feature": _planted(features, rare, 1, 1.0),
        "2 rare features": _planted(features, rare, 2, 1.0),
        "3 dense features at 4 spreads": _planted(features, dense, 3, 9.0),
        "1 dense feature at 10 spreads": _planted(features, dense, 1, 15.0),
    }
    print(f"\n{'anchors':>8} " + " ".join(f"{name:>30}" for name in plants))
    for count in (0.0, 0.5, 1.0, 2.0):
        own = spec.model_copy(update={"anchors_per_tree": count})
        model = train(sample, own, catalogue(features), through=NIGHT + timedelta(days=60), now=datetime.now(UTC))
        limits = np.quantile(score(model, ordinary), (0.99, 0.999))
        shares = [[float(np.mean(score(model, table) > limit)) for limit in limits] for table in plants.values()]
        print(f"{count:>8g} " + " ".join(f"{one:>20.0%} {few:>9.0%}" for one, few in shares), flush=True)


def _planted(features: int, among: range, how_many: int, value: float) -> pa.Table:
    rng = np.random.default_rng(4)
    table = night(400, features, 5)
    names = list(catalogue(features))
    chosen = np.stack([rng.choice(np.asarray(among), how_many, replace=False) for _ in range(400)])
    for j in among:
        values = table.column(names[j]).to_numpy().copy()
        values[(chosen == j).any(axis=1)] = value
        table = table.set_column(table.column_names.index(names[j]), names[j], pa.array(values, from_pandas=True))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=24)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--anchors", action="store_true", help="measure what anchors are worth instead")
    given = parser.parse_args()
    spec = load_specification().model_copy(update={"trees": given.trees, "threads": given.threads})
    if given.anchors:
        anchors(given.features, spec)
    else:
        speed(given.rows, given.features, spec)


if __name__ == "__main__":
    main()
