"""A whole night through the real command, and many nights of catching up.

    python benchmarks/night.py                         1 M events on 30 and on 180 nights of history, side by side
    python benchmarks/night.py --catch-up              112 nights of 15,000 events each, given at once
    python benchmarks/night.py --events 50000          the same, smaller

All data are generated. Of the history a few nights (--distinct) are really ingested and scanned, the last of them the
night before; the rest are their profiles under other dates. A night's cost depends on how many rows of history it
reads, not on what they say. Every scan is a process of its own; wall time includes Python's start.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from features import made_events

from detector.schema import DERIVED, PROVENANCE

TONIGHT = date(2026, 6, 30)


def write_night(folder: Path, day: date, events: int, actors: int, records: int) -> Path:
    """A canonical Parquet log of one day."""
    seed = day.toordinal()
    table = made_events(day, events, actors, records, seed)
    prefix = f"{day:%j}"
    ids = pa.array([prefix + text for text in table["event_id"].to_pylist()])
    ours = {*PROVENANCE, *DERIVED}
    keep = [name for name in table.column_names if name not in ours and table[name].null_count < table.num_rows]
    log = table.set_column(0, "event_id", ids).select(keep)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day.isoformat()}.parquet"
    pq.write_table(log, path, compression="zstd")
    return path


def scan(paths: Iterable[Path], home: Path) -> dict[str, Any]:
    """`detector scan` on the paths: seconds by stage, wall seconds and peak bytes of the process."""
    command = [sys.executable, "-m", "detector", "scan", *map(str, paths), "--home", str(home), "--format", "json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result: dict[str, Any] = json.loads(done.stdout)
    return result | {"wall": wall, "processor": busy, "peak": after.ru_maxrss * 1024}


def lengthen(home_dir: Path, real: list[date], nights: int) -> None:
    """Give the home `nights` nights of profiles before tonight: those of the real nights, under other dates."""
    from detector.database import open_database
    from detector.home import Home

    home = Home(home_dir)
    open_database(home, {})
    from django.db import transaction

    from detector.features.profiles import PROFILE_TABLES
    from detector.ingest.lake import register_tables, table_files, write_table

    for back in range(len(real) + 1, nights + 1):
        night = TONIGHT - timedelta(days=back)
        model = real[back % len(real)]
        staged = []
        for name in PROFILE_TABLES:
            (path,) = table_files(home, name, since=model, before=model + timedelta(days=1))
            table = pq.read_table(path, partitioning=None)
            column = pa.array([night] * table.num_rows, pa.date32())
            staged.append(
                write_table(home, name, night, table.set_column(table.schema.get_field_index("night"), "night", column))
            )
        with transaction.atomic():
            register_tables(home, staged, now=datetime(2026, 6, 30, tzinfo=UTC))


def whole_night(folder: Path, options: argparse.Namespace) -> None:
    """One night on histories of several lengths."""
    actors, records = max(options.events // 33, 3), options.events * 3
    real = [TONIGHT - timedelta(days=back) for back in range(options.distinct, 0, -1)]
    base = folder / "base"
    scan([write_night(folder / "history", day, options.events, actors, records) for day in real], base)
    tonight = write_night(folder / "tonight", TONIGHT, options.events, actors, records)
    walls = {}
    for nights in options.nights:
        home = folder / f"home-{nights}"
        shutil.copytree(base, home)
        # In a process of its own, so that its memory is not counted with the scan's.
        again = [__file__, "--lengthen", str(home), "--nights", str(nights), "--distinct", str(options.distinct)]
        subprocess.run([sys.executable, *again], check=True)
        result = scan([tonight], home)
        walls[nights] = result["wall"]
        stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result["stage_seconds"].items())
        night = result["nights"][0]
        print(
            f"{options.events:,} events on {nights} nights: wall {result['wall']:.1f} s"
            f" (processor {result['processor']:.1f} s), peak {result['peak'] / 2**20:,.0f} MiB; {stages};"
            f" {night['findings']} findings; {night['model_status']}",
            flush=True,
        )
    shortest, longest = min(walls), max(walls)
    if shortest != longest:
        ratio = walls[longest] / walls[shortest]
        print(f"{longest} nights of history against {shortest}: {ratio:.2f} times the wall time")


def catch_up(folder: Path, options: argparse.Namespace) -> None:
    """Many nights at once."""
    days = [TONIGHT - timedelta(days=back) for back in range(options.catch_up_nights, 0, -1)]
    events = options.catch_up_events
    paths = [write_night(folder / "logs", day, events, max(events // 33, 3), events * 3) for day in days]
    result = scan(paths, folder / "home")
    nights = result["nights"]
    if [night["night"] for night in nights] != [day.isoformat() for day in days]:
        raise SystemExit("not every night was scanned, or not in order")
    per_night = [sum(night["stage_seconds"].values()) for night in nights]
    stages = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result["stage_seconds"].items())
    print(
        f"{len(nights)} nights of {events:,} events: wall {result['wall']:.0f} s,"
        f" peak {result['peak'] / 2**20:,.0f} MiB;"
        f" a night {sum(per_night) / len(nights):.2f} s (first ten {sum(per_night[:10]) / 10:.2f} s,"
        f" last ten {sum(per_night[-10:]) / 10:.2f} s); {stages}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="events of the night")
    parser.add_argument("--nights", type=int, nargs="+", default=[30, 180], help="nights of history")
    parser.add_argument("--distinct", type=int, default=3, help="nights of history that are really scanned")
    parser.add_argument("--catch-up", action="store_true")
    parser.add_argument("--catch-up-nights", type=int, default=112)
    parser.add_argument("--catch-up-events", type=int, default=15_000)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--lengthen", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lengthen:
        real = [TONIGHT - timedelta(days=back) for back in range(options.distinct, 0, -1)]
        lengthen(options.lengthen, real, options.nights[0])
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        (catch_up if options.catch_up else whole_night)(Path(temporary), options)


if __name__ == "__main__":
    main()
