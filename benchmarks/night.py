"""A whole night through the real command, and many nights of catching up.

    python benchmarks/night.py                         a night of about 1 M events on 30 and on 180 nights of history
    python benchmarks/night.py --catch-up              112 nights of about 15,000 events each, given at once
    python benchmarks/night.py --staff 4400            the first, smaller: about 50,000 events

The events are those of a simulated force (`detector simulate`, seed 1), some eleven look-ups a member of staff and
working day. Of the history a few nights (--distinct) are really scanned, the last of them the night before; the
rest are their profiles under other dates: a night's cost depends on how many rows of history it reads, not on what
they say. Every scan is a process of its own; wall time includes Python's start. `--reference` gives the scans the
force's reference tables as well.
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

#: A Monday, so that few distinct nights are all working days.
START = date(2026, 3, 2)
STAFF, CATCH_UP_STAFF = 87_000, 1_650


def simulate(folder: Path, staff: int, days: int) -> None:
    """A force's look-ups from START on, in `folder/events`, and its tables in `folder/reference`."""
    command = [sys.executable, "-m", "detector", "simulate", folder, "--staff", staff, "--days", days, "--seed", 1]
    subprocess.run(
        [*map(str, command), "--start", START.isoformat(), "--format", "json"], stdout=subprocess.DEVNULL, check=True
    )


def logs_of(folder: Path, first: date, last: date) -> list[Path]:
    """The force's log files of the days first..last."""
    wanted = {(first + timedelta(days=day)).isoformat() for day in range((last - first).days + 1)}
    return sorted(path for path in (folder / "events").rglob("*.parquet") if path.stem[-10:] in wanted)


def scan(paths: Iterable[Path], home: Path, reference: Path | None) -> dict[str, Any]:
    """`detector scan` on the paths: seconds by stage, wall and processor seconds, and peak bytes, of that process."""
    command = [sys.executable, "-m", "detector", "scan", *map(str, paths), "--home", str(home), "--format", "json"]
    start = time.perf_counter()
    # By a process of its own again, so that the peak is this scan's and not that of the largest so far.
    done = subprocess.run(
        [sys.executable, __file__, "--measure", *command, *(["--reference", str(reference)] if reference else [])],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    wall = time.perf_counter() - start
    result: dict[str, Any] = json.loads(done.stdout)
    return result | {"wall": wall}


def measure(command: list[str]) -> None:
    """Run a command that prints JSON; print it with what the process took."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = {"processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}
    print(json.dumps(json.loads(done.stdout) | took))


def lengthen(home_dir: Path, real: list[date], tonight: date, nights: int) -> None:
    """Give the home `nights` nights of profiles before tonight: those of the real nights, under other dates."""
    from detector.database import open_database
    from detector.home import Home

    home = Home(home_dir)
    open_database(home, {})
    from django.db import transaction

    from detector.features.profiles import PROFILE_TABLES
    from detector.ingest.lake import register_tables, table_files, write_table

    for back in range(len(real) + 1, nights + 1):
        night = tonight - timedelta(days=back)
        model = real[back % len(real)]
        staged = []
        for name in PROFILE_TABLES:
            for path in table_files(home, name, since=model, before=model + timedelta(days=1)):
                table = pq.read_table(path, partitioning=None)
                column = pa.array([night] * table.num_rows, pa.date32())
                at = table.schema.get_field_index("night")
                staged.append(write_table(home, name, night, table.set_column(at, "night", column)))
        with transaction.atomic():
            register_tables(home, staged, now=datetime(2026, 6, 30, tzinfo=UTC))


def whole_night(folder: Path, options: argparse.Namespace) -> None:
    """One night on histories of several lengths."""
    force = folder / "force"
    simulate(force, options.staff or STAFF, options.distinct + 1)
    tonight = START + timedelta(days=options.distinct)
    reference = force / "reference" if options.reference else None
    scan(logs_of(force, START, tonight - timedelta(days=1)), folder / "base", reference)
    walls, busy = {}, {}
    for nights in options.nights:
        home = folder / f"home-{nights}"
        shutil.copytree(folder / "base", home)
        # In a process of its own, so that its memory is not counted with the scan's.
        again = [__file__, "--lengthen", str(home), "--nights", str(nights), "--distinct", str(options.distinct)]
        subprocess.run([sys.executable, *again], check=True)
        result = scan(logs_of(force, tonight, tonight), home, reference)
        walls[nights], busy[nights] = result["wall"], result["processor"]
        night = result["nights"][-1]
        print(
            f"{night['events']:,} events on {nights} nights: wall {result['wall']:.1f} s"
            f" (processor {result['processor']:.1f} s), peak {result['peak'] / 2**20:,.0f} MiB; {_stages(result)};"
            f" {night['findings']:,} findings; {night['model_status']}",
            flush=True,
        )
        shutil.rmtree(home)
    short, long = min(walls), max(walls)
    if short != long:
        print(
            f"{long} nights of history against {short}: {walls[long] / walls[short]:.2f} times the wall time,"
            f" {busy[long] / busy[short]:.2f} times the processor time"
        )


def catch_up(folder: Path, options: argparse.Namespace) -> None:
    """Many nights at once."""
    force = folder / "force"
    simulate(force, options.staff or CATCH_UP_STAFF, options.catch_up_nights)
    result = scan([force / "events"], folder / "home", force / "reference" if options.reference else None)
    nights = result["nights"]
    dates = [date.fromisoformat(night["night"]) for night in nights]
    if dates != [dates[0] + timedelta(days=day) for day in range(len(dates))]:
        raise SystemExit("not every night was scanned, or not in order")
    per_night = [sum(night["stage_seconds"].values()) for night in nights]
    events = sum(night["events"] for night in nights)
    print(
        f"{len(nights)} nights, {events:,} events, {sum(night['findings'] for night in nights):,} findings:"
        f" wall {result['wall']:.0f} s (processor {result['processor']:.0f} s), peak {result['peak'] / 2**20:,.0f} MiB;"
        f" a night {sum(per_night) / len(nights):.2f} s (first ten {sum(per_night[:10]) / 10:.2f} s,"
        f" last ten {sum(per_night[-10:]) / 10:.2f} s); {_stages(result)}"
    )


def _stages(result: dict[str, Any]) -> str:
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result["stage_seconds"].items())


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--staff", type=int, help=f"default: {STAFF}, and {CATCH_UP_STAFF} for --catch-up")
    parser.add_argument("--nights", type=int, nargs="+", default=[30, 180], help="nights of history")
    parser.add_argument("--distinct", type=int, default=3, help="nights of history that are really scanned")
    parser.add_argument("--reference", action="store_true", help="scan with the force's reference tables")
    parser.add_argument("--catch-up", action="store_true")
    parser.add_argument("--catch-up-nights", type=int, default=112)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--lengthen", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lengthen:
        real = [START + timedelta(days=day) for day in range(options.distinct)]
        lengthen(options.lengthen, real, START + timedelta(days=options.distinct), options.nights[0])
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        (catch_up if options.catch_up else whole_night)(Path(temporary), options)


if __name__ == "__main__":
    main()
