"""`rules run` over a million JSON lines and four rules, beside a bare DuckDB query of the same conditions.

    python benchmarks/rules.py [--events 1000000] [--repeat 3]

One rule is a dense event_count: it matches most events, and is one finding per terminal. Both sides run in processes
of their own, imports included, on two threads, and write what they find to a file; the matching rows must be the same.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

RULES = """\
title: views of PNC with many results
detection: {s: {action: view, system: pnc, result_count|gt: 90}, condition: s}
---
title: intel from a network
detection: {s: {source_ip|cidr: 10.16.0.0/12, reason_text|contains: intel}, condition: s}
---
title: nested unit, no reason
detection: {s: {user.unit: A, operator_id|re: 'op19[0-9]{2}$'}, n: {reason_text|exists: true}, condition: s and not n}
---
title: touched
name: touched
detection: {s: {action: [search, view]}, condition: s}
---
title: busy terminals
correlation: {type: event_count, rules: touched, group-by: [terminal_id], timespan: 1h, condition: {gte: 20}}
"""
#: The same by hand. Addresses by prefix, and no episodes, which a bare query does not have.
BARE = """
set threads = 2;
create temp table e as
  select row_number() over () - 1 as row, action, system, result_count, source_ip, reason_text, "user".unit as unit,
         operator_id, terminal_id, event_time
  from read_json('{events}', format = 'newline_delimited');
copy (
  select 'views of PNC with many results' as title, row from e
    where lower(action) = 'view' and lower(system) = 'pnc' and result_count > 90
  union all
  select 'intel from a network', row from e
    where try_cast(split_part(source_ip, '.', 2) as int) between 16 and 31 and starts_with(source_ip, '10.')
      and contains(lower(reason_text), 'intel')
  union all
  select 'nested unit, no reason', row from e
    where lower(unit) = 'a' and regexp_matches(operator_id, 'op19[0-9]{{2}}$') and reason_text is null
  union all
  select 'busy terminals', row from (
    select row, count(*) over (partition by terminal_id order by event_time
      range between interval 1 hour preceding and current row) as n
    from e where lower(action) in ('search', 'view')) where n >= 20
) to '{out}' (format json);
"""


def write_events(path: Path, number: int) -> None:
    rng = random.Random(1)  # noqa: S311
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with path.open("w") as file:
        for index in range(number):
            event = {
                "event_id": f"e{index}",
                "event_time": (start + timedelta(milliseconds=250 * index)).isoformat(),
                "system": rng.choice(["PNC", "CRIS", "ANPR"]),
                "action": rng.choice(["search", "view", "view", "print"]),
                "operator_id": f"op{rng.randrange(2000)}",
                "user": {"unit": rng.choice("AB"), "role": "officer"},
                "terminal_id": f"t{rng.randrange(300)}",
                "record_id": f"r{rng.randrange(50_000)}",
                "result_count": rng.randrange(100),
                "source_ip": f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}",
            }
            reason = rng.choice(["investigation", "Intel check", None, "burglary 22/1"])
            file.write(json.dumps(event if reason is None else {**event, "reason_text": reason}) + "\n")


def timed(command: list[str], out: Path) -> float:
    start = time.perf_counter()
    with out.open("w") as file:
        subprocess.run(command, check=True, stdout=file)
    return time.perf_counter() - start


def detections(path: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for line in path.read_text().splitlines():
        match = json.loads(line)
        row = match.get("row", match.get("event"))
        if row is not None:
            found.setdefault(match["title"], []).append(row)
    return {title: sorted(rows) for title, rows in found.items() if title != "busy terminals"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        events, rules = Path(folder, "events.jsonl"), Path(folder, "rules.yml")
        ours, bare_out = Path(folder, "ours.jsonl"), Path(folder, "bare.jsonl")
        rules.write_text(RULES)
        write_events(events, given.events)
        bare = f"import duckdb; duckdb.connect().execute({BARE.format(events=events, out=bare_out)!r})"
        run = [sys.executable, "-m", "detector", "rules", "run", "--rules", str(rules), "--events", str(events)]
        pairs = []
        for turn in range(given.repeat):
            seconds = timed([sys.executable, "-c", bare], Path(folder, "nothing")), timed(run, ours)
            pairs.append(seconds)
            print(f"run {turn + 1}: bare {seconds[0]:.2f} s, rules run {seconds[1]:.2f} s")
        if detections(ours) != detections(bare_out):
            raise SystemExit("the two do not match the same rows")
        bare_median, our_median = (statistics.median(column) for column in zip(*pairs, strict=True))
        size = events.stat().st_size / 1e6
        print(
            f"{given.events:,} events ({size:.0f} MB), 4 rules: bare {bare_median:.2f} s, rules run {our_median:.2f} s"
        )
        print(f"ratio {our_median / bare_median:.2f}")


if __name__ == "__main__":
    main()
