"""How long a night's features and roll-ups take, and how that grows with history.

    python benchmarks/features.py                              a small force: 15,000 events a night, 112 nights
    python benchmarks/features.py --events 1000000 --nights 30 --nights 180
                                                               a large one: 30,000 actors, 3,000,000 records

All data are generated. A few nights are really computed; the others of the history are the same rows under other
dates, which costs a later night the same: what it is joined with was never looked up tonight.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from detector.config import FeatureSettings
from detector.engine import connect
from detector.features.compute import night_features, read_back_days
from detector.features.profiles import PROFILE_TABLES, roll_up
from detector.schema import EVENT_SCHEMA, TIMESTAMP

TONIGHT = date(2026, 6, 30)
REASONS = ("", "routine enquiry, traffic stop", "investigation of burglary", "missing person", "theft from vehicle")


def made_events(day: date, events: int, actors: int, records: int, seed: int) -> pa.Table:
    """A day of look-ups by people on nine-hour shifts at three terminals each, uniform over actors and records."""
    rng = np.random.default_rng(seed)
    start = np.datetime64(day, "us").astype("int64")
    who = rng.integers(0, actors, events)
    clock = (who % 24 * 3_600_000_000 + rng.integers(0, 9 * 3_600_000_000, events)) % 86_400_000_000
    order = np.argsort(clock)
    who = who[order]
    times = pa.array(start + clock[order], pa.int64()).cast(TIMESTAMP)
    columns = {
        "event_id": _named("e", np.arange(events)),
        "event_time": times,
        "utc_offset_minutes": pa.array(np.zeros(events, "int16")),
        "system": pa.array(np.array(["PNC", "CRIS", "ANPR"])[rng.integers(0, 3, events)]),
        "action": pa.array(np.array(["search", "view", "print", "update"])[rng.integers(0, 4, events)]),
        "operator_id": _named("op", who),
        "actor_id": _named("op", who),
        "unit": _named("unit", who % 120),
        "role": pa.repeat("constable", events),
        "terminal_id": _named("T", who % 5000 + rng.integers(0, 3, events)),
        "reason_text": pa.array(np.array(REASONS)[rng.integers(0, len(REASONS), events)]),
        "case_ref": _named("CR/", rng.integers(0, actors * 7, events)),
        "record_id": _named("R", rng.integers(0, records, events)),
        "result_count": pa.array(rng.integers(0, 20, events)),
        "outcome": pa.repeat("success", events),
        "source_name": pa.repeat("benchmark", events),
        "source_file": pa.repeat("benchmark.csv", events),
        "source_line": pa.array(np.arange(events)),
        "source_sha256": pa.repeat("0" * 64, events),
        "ingested_at": times,
    }
    arrays = [
        columns[field.name].cast(field.type) if field.name in columns else pa.nulls(events, field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.table(arrays, schema=EVENT_SCHEMA)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=15_000, help="events a night")
    parser.add_argument("--actors", type=int, help="default: one for 33 events")
    parser.add_argument("--records", type=int, help="default: three for an event")
    parser.add_argument("--nights", type=int, action="append", help="nights of history; may be given again")
    parser.add_argument("--distinct", type=int, default=3, help="nights of history that are really computed")
    parser.add_argument("--repeat", type=int, default=3, help="times that each night is measured")
    parser.add_argument("--folder", type=Path, help="keep the generated lake here (default: a temporary folder)")
    options = parser.parse_args(arguments)
    options.actors = options.actors or max(options.events // 33, 3)
    options.records = options.records or options.events * 3
    nights = options.nights or [112]
    settings = FeatureSettings()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        (folder / "spill").mkdir(parents=True, exist_ok=True)
        _make_lake(folder, options, max(nights), settings)
        for count in nights:
            for _ in range(options.repeat):
                before = time.process_time()
                first, second = _measure(folder, count, settings)
                busy = time.process_time() - before
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                print(
                    f"{options.events:,} events, {count} nights: features {first:.2f} s, roll_up {second:.2f} s,"
                    f" together {first + second:.2f} s "
                    f"(processor {busy:.2f} s); peak so far {peak:,.0f} MB",
                    flush=True,
                )
    return 0


def _measure(folder: Path, nights: int, settings: FeatureSettings) -> tuple[float, float]:
    con = connect(
        readable=[folder], threads=settings.threads, memory_limit=settings.memory_limit, spill=folder / "spill"
    )
    try:
        start = time.perf_counter()
        events = con.read_parquet(str(folder / "events.parquet"))
        before = con.read_parquet(str(folder / "before.parquet"))
        profiles = {
            name: con.read_parquet(
                [str(_file(folder, name, TONIGHT - timedelta(days=back))) for back in _back(days, nights)]
            )
            for name, days in read_back_days(settings).items()
        }
        features = night_features(con, TONIGHT, events, before, profiles, settings)
        middle = time.perf_counter()
        roll_up(con, TONIGHT, events, features)
        return middle - start, time.perf_counter() - middle
    finally:
        con.disconnect()


def _make_lake(folder: Path, options: argparse.Namespace, nights: int, settings: FeatureSettings) -> None:
    """Events of two days, and each profile table's nights as far back as it is read."""
    made = folder / f"made-{options.events}-{options.actors}-{options.records}-{nights}"
    if made.exists():
        return
    events = {}
    for name, day, seed in (("events", TONIGHT, 0), ("before", TONIGHT - timedelta(days=1), 1)):
        events[name] = made_events(day, options.events, options.actors, options.records, seed)
        pq.write_table(events[name], folder / f"{name}.parquet", compression="zstd")
    for index in range(options.distinct):
        rolled = _rolled(folder, options, index, settings)
        for name, days in read_back_days(settings).items():
            for back in _back(days, nights)[index :: options.distinct]:
                _write(folder, name, rolled[name], TONIGHT - timedelta(days=back))
    made.touch()


def _rolled(folder: Path, options: argparse.Namespace, index: int, settings: FeatureSettings) -> Mapping[str, pa.Table]:
    import ibis

    day = TONIGHT - timedelta(days=2 + index)
    events = made_events(day, options.events, options.actors, options.records, 2 + index)
    con = connect(
        readable=[folder], threads=settings.threads, memory_limit=settings.memory_limit, spill=folder / "spill"
    )
    try:
        empty = {name: ibis.memtable(schema.empty_table()) for name, schema in PROFILE_TABLES.items()}
        table = ibis.memtable(events)
        features = night_features(con, day, table, ibis.memtable(EVENT_SCHEMA.empty_table()), empty, settings)
        return roll_up(con, day, table, features)
    finally:
        con.disconnect()


def _back(days: int, nights: int) -> list[int]:
    return list(range(1, min(days, nights) + 1))


def _write(folder: Path, name: str, table: pa.Table, night: date) -> None:
    path = _file(folder, name, night)
    path.parent.mkdir(parents=True, exist_ok=True)
    index = table.schema.get_field_index("night")
    nights = pa.repeat(pa.scalar(night, pa.date32()), table.num_rows)
    table = table.set_column(index, table.schema.field("night"), nights)
    pq.write_table(table, path, compression="zstd")


def _file(folder: Path, name: str, night: date) -> Path:
    return folder / name / f"{night.isoformat()}.parquet"


def _named(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add(prefix, numbers.astype(str)))


if __name__ == "__main__":
    sys.exit(main())
