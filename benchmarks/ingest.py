"""How fast and how large ingest is, beside a bare DuckDB COPY of the same file.

    python benchmarks/ingest.py                         5 M rows in the order of their times, three rounds
    python benchmarks/ingest.py --order random          times in no order at all, over 30 days
    python benchmarks/ingest.py --bigger-than-memory    a file larger than the 2 GiB the process may have

Each run is a process of its own; the two kinds alternate, so that a busy moment of the machine strikes both. Wall time
is that of the work, without the start of Python and its imports; peak memory is the process's largest resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

DAYS = 30
GIB = 1 << 30
HONEST_MAPS = {"JE_ARROW_MALLOC_CONF": "retain:false", "MIMALLOC_ARENA_RESERVE": "65536"}


def generate(path: Path, rows: int, order: str) -> None:
    """A canonical CSV of `rows` events over 30 days; the same rows for the same arguments."""
    import ibis

    con = ibis.duckdb.connect(threads=2)
    n = ibis.range(0, rows).unnest().name("n").as_table()

    def pick(salt: int, size: int) -> ibis.expr.types.IntegerValue:
        return (n.n * 2654435761 + salt * 40503 + (n.n // 7) * (salt + 11) * 97) % 1_000_003 % size

    place = (
        n.n.cast("float64") / rows if order == "time" else (n.n * 2654435761 % 1_000_003).cast("float64") / 1_000_003
    )
    micros = (place * DAYS * 86400e6).cast("int64").as_interval("us")
    words = ibis.array(["", "routine enquiry, traffic stop", "investigation of burglary"])
    events = n.select(
        event_id=ibis.literal("e") + n.n.cast("string").lpad(9, "0"),
        event_time=(ibis.timestamp("2026-01-01 00:00:00") + micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        system=ibis.array(["PNC", "CRIS", "ANPR"])[pick(1, 3)],
        action=ibis.array(["search", "view", "print", "update"])[pick(2, 4)],
        operator_id=ibis.literal("op") + pick(3, 30_000).cast("string"),
        unit=ibis.literal("unit") + (pick(3, 30_000) % 120).cast("string"),
        role=ibis.literal("constable"),
        terminal_id=ibis.literal("T") + pick(4, 5_000).cast("string"),
        reason_text=words[pick(5, 3)],
        case_ref=ibis.ifelse(pick(6, 2) == 0, ibis.literal("CR/") + pick(7, 200_000).cast("string"), ""),
        record_type=ibis.literal("person"),
        record_id=ibis.literal("R") + (n.n * 48271 % 3_000_017).cast("string"),
        result_count=pick(8, 20),
        outcome=ibis.literal("success"),
    )
    con.to_csv(events, path, header=True)


Work = Callable[[], None]


def bare(path: Path, folder: Path) -> Work:
    """What a bare engine needs for the same bytes: types guessed, one Parquet file, zstd. Nothing is checked."""
    import ibis

    con = ibis.duckdb.connect(threads=2)
    return lambda: con.to_parquet(con.read_csv(path), folder / "bare.parquet", compression="zstd")


def ours(path: Path, folder: Path) -> Work:
    """The whole way into the lake, with hashing, checks, normalising, days, duplicates and the ledger."""
    from detector.config import Settings
    from detector.database import open_database
    from detector.home import Home

    home = Home(folder / "home")
    open_database(home, {})
    from detector.ingest.run import ingest_paths
    from detector.progress import Silent

    now = datetime(2026, 11, 23, tzinfo=UTC)

    def work() -> None:
        summary = ingest_paths([path], home=home, settings=Settings(), source=None, now=now, progress=Silent(), env={})
        if summary.rejects or not summary.lines:
            raise SystemExit(f"not what was generated: {summary}")

    return work


KINDS: dict[str, Callable[[Path, Path], Work]] = {"bare": bare, "ours": ours}


def child(kind: str, path: Path, data_limit: int) -> None:
    """One measured run; prints seconds, processor seconds and peak bytes as JSON."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        work = KINDS[kind](path, Path(folder))
        if data_limit:
            resource.setrlimit(resource.RLIMIT_DATA, (data_limit, data_limit))
        start, processor = time.perf_counter(), time.process_time()
        work()
        wall, processor = time.perf_counter() - start, time.process_time() - processor
    print(json.dumps({"wall": wall, "processor": processor, "peak": peak_resident()}))


def peak_resident() -> int:
    """Bytes resident at the most, of this process alone: getrusage would count its parent's before the exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def measure(kind: str, path: Path, data_limit: int = 0) -> dict[str, float]:
    """Run one child to its end and return what it measured."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, __file__, "--child", kind, "--file", str(path), "--data-limit", str(data_limit)]
    env = os.environ | {"PYTHONPATH": str(root)} | (HONEST_MAPS if data_limit else {})
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"{kind} failed:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(path: Path, rows: int, rounds: int) -> None:
    """Alternate the two kinds and print every round and the medians."""
    results: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind, each in results.items():
            each.append(measure(kind, path))
            last = each[-1]
            print(
                f"round {number + 1} {kind:5} {last['wall']:6.2f} s wall {last['processor']:6.2f} s processor"
                f" {last['peak'] / GIB:5.2f} GiB peak"
            )
    median = {kind: statistics.median(run["wall"] for run in runs) for kind, runs in results.items()}
    peak = max(run["peak"] for run in results["ours"])
    print(
        f"median wall: bare {median['bare']:.2f} s, ours {median['ours']:.2f} s,"
        f" ratio {median['ours'] / median['bare']:.2f}"
    )
    print(f"ours: {rows / median['ours']:,.0f} rows a second, at most {peak / GIB:.2f} GiB resident")


def bigger_than_memory(path: Path) -> None:
    """One run of ours on a file larger than what the process may have.

    The bound is RLIMIT_DATA, 2 GiB: all that is mapped private and writable, touched or not, so it is harder than 2 GiB
    resident, and a run that goes beyond it fails. Arrow's allocators are told (HONEST_MAPS) to map no more than they
    use and to unmap what they no longer do; otherwise they keep some GiB of empty address space, which costs no
    memory but counts. RLIMIT_AS would also count what is only reserved; Linux does not enforce RLIMIT_RSS.
    """
    size = path.stat().st_size
    result = measure("ours", path, data_limit=2 * GIB)
    print(
        f"{size / GIB:.2f} GiB read in {result['wall']:.1f} s with 2 GiB mapped at most:"
        f" {result['peak'] / GIB:.2f} GiB resident at most"
    )
    if result["peak"] > 2 * GIB:
        raise SystemExit("more than 2 GiB resident")


def main() -> None:
    """Parse the arguments, generate once, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, help="default 5,000,000; 36,000,000 with --bigger-than-memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--order", choices=["time", "random"], default="time")
    parser.add_argument("--bigger-than-memory", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument("--child", choices=list(KINDS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--data-limit", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.file, given.data_limit)
        return
    rows = given.rows or (36_000_000 if given.bigger_than_memory else 5_000_000)
    folder = Path(tempfile.mkdtemp(prefix="detector-benchmark-", dir=given.folder))
    try:
        path = folder / "events.csv"
        generate(path, rows, given.order)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB, times in {given.order} order, seeded")
        if given.bigger_than_memory:
            bigger_than_memory(path)
        else:
            compare(path, rows, given.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
