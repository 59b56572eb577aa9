"""`rules run` over a million JSON lines, beside a bare DuckDB query of the same conditions and another Sigma engine.

    python benchmarks/rules.py                                     1 M events, 4 rules, five rounds
    python benchmarks/rules.py --rules 500 --rounds 3              the same events, 500 rules
    python benchmarks/rules.py --zircolite DIR --python PYTHON     and the peer: its source, and what runs it

The four rules are three detections and one dense event_count, which most events match and which is one finding a
terminal; what is beyond four are more detections. All sides run in processes of their own, imports included, in turn,
on two threads, and write what they find as JSON lines. The bare query is written by hand for these events: it declares
their columns, keeps nothing it does not need, and gives the same matches, episodes included; that they are the same is
checked. The peer is given what it gets right (see rules.md), and its matches must be as many.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPAN, LEAST = timedelta(hours=1), 20
DENSE = "busy terminals"
OURS = "rules run"
#: The fields that rules look at; a peer that renames what it does not know is told of them.
FIELDS = [
    "event_time",
    "system",
    "action",
    "operator_id",
    "user.unit",
    "terminal_id",
    "record_id",
    "result_count",
    "source_ip",
    "reason_text",
]


@dataclass(frozen=True)
class Rule:
    """A detection as Sigma has it, and the same condition by hand."""

    title: str
    selections: Mapping[str, Mapping[str, object]]
    condition: str
    sql: str


FIRST = (
    Rule(
        "views of PNC with many results",
        {"s": {"action": "view", "system": "pnc", "result_count|gt": 90}},
        "s",
        "action = 'view' and system = 'pnc' and result_count > 90",
    ),
    Rule(
        "intel from a network",
        {"s": {"source_ip|startswith": "10.2", "reason_text|contains": "intel"}},
        "s",
        "starts_with(source_ip, '10.2') and contains(reason, 'intel')",
    ),
    Rule(
        "nested unit, no reason",
        {"s": {"user.unit": "A", "operator_id|re": "op19[0-9]{2}$"}, "n": {"reason_text": None}},
        "s and n",
        "unit = 'a' and regexp_matches(operator_id, 'op19[0-9]{2}$') and reason is null",
    ),
)


def more_rules(number: int) -> list[Rule]:
    """Detections that differ, of six shapes in turn, each of which some hundreds of a million events match."""
    found = {rule.sql: rule for rule in itertools.islice(_endless_rules(), 2 * number)}
    return list(found.values())[:number]


def _endless_rules() -> Iterator[Rule]:
    rng = random.Random(2)  # noqa: S311
    for index in itertools.count():
        operators = [f"op{rng.randrange(2000)}" for _ in range(3)]
        terminal, network, digits = rng.randrange(300), rng.randrange(256), rng.randrange(10, 100)
        system, action = rng.choice(["PNC", "CRIS", "ANPR"]), rng.choice(["search", "view", "print"])
        title = f"generated {index}"
        match index % 6:
            case 0:
                listed = ", ".join(f"'{name}'" for name in operators)
                sigma: dict[str, dict[str, object]] = {"s": {"operator_id": operators, "action": action}}
                yield Rule(title, sigma, "s", f"operator in ({listed}) and action = '{action}'")
            case 1:
                sigma = {"s": {"terminal_id": f"T{terminal}", "reason_text|contains": "BURGLARY"}}
                sql = f"terminal = 't{terminal}' and contains(reason, 'burglary')"
                yield Rule(title, sigma, "s", sql)
            case 2:
                sigma = {"s": {"source_ip|startswith": f"10.{network}.", "result_count|gte": digits}}
                yield Rule(title, sigma, "s", f"starts_with(source_ip, '10.{network}.') and result_count >= {digits}")
            case 3:
                sigma = {"s": {"operator_id|endswith": f"{digits}7", "system": system}, "n": {"action": action}}
                sql = (
                    f"ends_with(operator, '{digits}7') and system = '{system.lower()}' "
                    f"and coalesce(action, '') <> '{action}'"
                )
                yield Rule(title, sigma, "s and not n", sql)
            case 4:
                sigma = {"s": {"record_id|re": f"^r{digits}[0-4]{{2}}$"}}
                yield Rule(title, sigma, "s", f"regexp_matches(record_id, '^r{digits}[0-4]{{2}}$')")
            case _:
                sigma = {"s": {"record_id": f"R{digits}*7", "user.unit": "B"}}
                sql = f"record like 'r{digits}%7' and unit = 'b'"
                yield Rule(title, sigma, "s", sql)


def write_rules(path: Path, rules: Sequence[Rule], *, dense: bool) -> None:
    """One file of YAML documents (JSON is YAML)."""
    documents: list[dict[str, object]] = []

    def put(title: str, body: Mapping[str, object]) -> None:
        about = {"title": title, "id": f"5d9a7c1e-6c0e-4f1f-9d52-{len(documents):012d}", "status": "test"}
        documents.append({**about, "level": "low", **body})

    source = {"logsource": {"category": "record_access", "product": "police_index"}}
    for rule in rules:
        put(rule.title, {**source, "detection": {**rule.selections, "condition": rule.condition}})
    if dense:
        seen = {"s": {"action": ["search", "view"]}, "condition": "s"}
        put("touched", {**source, "name": "touched", "detection": seen})
        counted = {"type": "event_count", "rules": ["touched"], "group-by": ["terminal_id"]}
        hours = f"{SPAN // timedelta(hours=1)}h"
        put(DENSE, {"correlation": {**counted, "timespan": hours, "condition": {"gte": LEAST}}})
    path.write_text("---\n".join(json.dumps(document) + "\n" for document in documents))


def bare_query(events: Path, out: Path, rules: Sequence[Rule], *, dense: bool) -> str:
    """Texts folded once; a query a detection; of the event_count the hits, where a run begins, and what lies in it."""
    detections = "\n  union all\n  ".join(
        f"select '{rule.title}' as title, [rowid] as rows from e where {rule.sql}"  # noqa: S608
        for rule in rules
    )
    hour = f"interval {SPAN // timedelta(hours=1)} hour"
    episodes = f"""
  union all
  select '{DENSE}', list(row order by event_time, row) from touched join (
      select terminal_id as place, min(event_time) - {hour} as begins, max(event_time) as ends
      from (
        select *, count(*) filter (opens) over (partition by terminal_id order by event_time) as episode
        from (
          select *, coalesce(event_time - lag(event_time) over (partition by terminal_id order by event_time) > {hour},
                             true) as opens
          from (
            select terminal_id, event_time, count(*) over (partition by terminal_id order by event_time
              range between {hour} preceding and current row) as seen from touched
          ) where seen >= {LEAST}
        )
      ) group by terminal_id, episode
    ) on terminal_id = place and event_time between begins and ends group by place, begins"""  # noqa: S608
    return f"""
set threads = 2;
create temp table e as
  select event_time, lower(system) as system, lower(action) as action, operator_id, lower(operator_id) as operator,
         lower("user".unit) as unit, terminal_id, lower(terminal_id) as terminal, record_id, lower(record_id) as record,
         result_count, source_ip, lower(reason_text) as reason
  from read_json('{events}', format = 'newline_delimited', columns = {{
    event_time: 'TIMESTAMPTZ', system: 'VARCHAR', action: 'VARCHAR', operator_id: 'VARCHAR',
    "user": 'STRUCT(unit VARCHAR)', terminal_id: 'VARCHAR', record_id: 'VARCHAR', result_count: 'BIGINT',
    source_ip: 'VARCHAR', reason_text: 'VARCHAR'}});
copy (
  with touched as (select rowid as row, terminal_id, event_time from e where action in ('search', 'view'))
  {detections}
  {episodes if dense else ""}
) to '{out}' (format json);
"""  # noqa: S608


def write_events(path: Path, number: int) -> None:
    """Four events a second; the same for the same number."""
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


@dataclass(frozen=True)
class Run:
    """One process from start to end: seconds, and bytes resident at the most. `ended`: it had no more time."""

    wall: float
    processor: float
    peak: int
    ended: bool = False


def measured(command: Sequence[object], out: Path, *, at_most: float = 3600) -> Run:
    """Run it with its standard output in a file; a process that takes longer than `at_most` seconds is ended."""
    late = threading.Event()

    def end() -> None:
        late.set()
        process.kill()

    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with out.open("w") as file, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=file, stderr=errors, env=env)
        timer = threading.Timer(at_most, end)
        timer.start()
        # of this child alone, and of what it started
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode and not late.is_set():
            errors.seek(0)
            raise SystemExit(f"{command[0]} failed:\n{errors.read().decode()[-2000:]}")
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, late.is_set())


Matches = Mapping[str, list[list[int]]]


def matches(path: Path) -> Matches:
    """What was found, by the rule's title: the rows of each match, in order."""
    found: dict[str, list[list[int]]] = {}
    with path.open() as file:
        for line in file:
            match = json.loads(line)
            rows = match["rows"] if "rows" in match else match.get("events") or [match["event"]]
            found.setdefault(match["title"], []).append(rows)
    return {title: sorted(rows) for title, rows in found.items()}


@dataclass(frozen=True)
class Peer:
    """Zircolite: where its source lies, what runs it, and the seconds it may take."""

    source: Path
    python: Path
    seconds: float

    def run(self, events: Path, rules: Path, out: Path) -> Run:
        """Raises SystemExit where it fails."""
        config = out.with_suffix(".config.json")
        # a name that its mappings lack loses all that is no letter or digit, and no rule finds it any more
        config.write_text(json.dumps({"mappings": {name: name for name in FIELDS}, "useless": [None, ""]}))
        given = ["--jsonl", "--timefield", "event_time", "--quiet", "--config", config, "--logfile", f"{out}.log"]
        program = [self.python, self.source / "zircolite.py", *given]
        return measured(
            [*program, "-e", events, "-r", rules, "-o", out], out.with_suffix(".said"), at_most=self.seconds
        )


def counts_of_peer(out: Path) -> dict[str, int]:
    return {rule["title"]: len(rule["matches"]) for rule in json.loads(out.read_text())}


@dataclass(frozen=True)
class Round:
    """All sides once, one after the other."""

    bare: Run
    ours: Run
    peer: Run | None


def compare(events: Path, number: int, rules: Sequence[Rule], *, dense: bool, rounds: int, peer: Peer | None) -> None:
    """Print every round, then the least and the median, and the ratios of the medians."""
    folder = events.parent
    written, ours_out, bare_out, peer_out = (folder / name for name in ("r.yml", "ours", "bare", "peer.json"))
    write_rules(written, rules, dense=dense)
    bare = f"import duckdb; duckdb.connect().execute({bare_query(events, bare_out, rules, dense=dense)!r})"
    program = [sys.executable, "-m", "detector", "rules", "run", "--rules", written, "--events", events]
    title = f"{number:,} events, {len(rules) + dense:,} rules"
    print(f"{title} ({events.stat().st_size / 1e6:,.0f} MB)")
    done = []
    for turn in range(rounds):
        last = Round(
            measured([sys.executable, "-c", bare], folder / "nothing"),
            measured(program, ours_out),
            peer.run(events, written, peer_out) if peer else None,
        )
        done.append(last)
        for name, run in sides(last):
            ended = " (ended)" if run.ended else ""
            figures = f"{run.wall:8.2f} s wall {run.processor:8.2f} s processor {run.peak / 1e6:7,.0f} MB{ended}"
            print(f"round {turn + 1} {name:10}{figures}", flush=True)
    found = matches(ours_out)
    if found != matches(bare_out):
        raise SystemExit("rules run and the bare query do not find the same")
    print(f"the same {sum(map(len, found.values())):,} matches of {len(found):,} rules")
    runs = {name: [dict(sides(each))[name] for each in done] for name, _ in sides(done[0])}
    for name, each in runs.items():
        summarise(name, number, each)
    for name in runs.keys() - {OURS}:
        ratios = [median(runs[OURS], what) / median(runs[name], what) for what in ("wall", "processor")]
        print(f"{OURS} takes {ratios[0]:.3g} times the wall time of {name}, {ratios[1]:.3g} times its processor time")
    if peer and not done[-1].peer.ended:  # type: ignore[union-attr]
        theirs = counts_of_peer(peer_out)
        wrong = {name: (len(rows), theirs.get(name, 0)) for name, rows in found.items() if name != DENSE}
        wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
        print(f"the peer finds as many for all but {len(wrong)} detections {wrong or ''}")


def sides(each: Round) -> list[tuple[str, Run]]:
    return [("bare", each.bare), (OURS, each.ours), *([("peer", each.peer)] if each.peer else [])]


def median(runs: Sequence[Run], what: str) -> float:
    return float(statistics.median(getattr(run, what) for run in runs))


def summarise(name: str, number: int, runs: Sequence[Run]) -> None:
    least = [min(getattr(run, what) for run in runs) for what in ("wall", "processor")]
    wall = median(runs, "wall")
    print(
        f"{name:10} wall least {least[0]:.2f} s, median {wall:.2f} s; processor least {least[1]:.2f} s, median"
        f" {median(runs, 'processor'):.2f} s; {number / wall:,.0f} events a second;"
        f" at most {max(run.peak for run in runs) / 1e6:,.0f} MB"
    )


def main() -> None:
    """Parse the arguments, generate once, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=4, help="three detections, the event_count, generated detections")
    parser.add_argument("--no-count", action="store_true", help="without the event_count")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--zircolite", type=Path, metavar="DIR", help="source of the peer, to be measured too")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="Python that has what the peer needs")
    parser.add_argument("--peer-seconds", type=float, default=900, help="the peer is ended after so many")
    given = parser.parse_args()
    dense = not given.no_count
    rules = [*FIRST, *more_rules(given.rules - len(FIRST) - dense)]
    peer = Peer(given.zircolite.absolute(), given.python.absolute(), given.peer_seconds) if given.zircolite else None
    with tempfile.TemporaryDirectory(prefix="detector-benchmark-") as folder:
        events = Path(folder, "events.jsonl")
        write_events(events, given.events)
        compare(events, given.events, rules, dense=dense, rounds=given.rounds, peer=peer)


if __name__ == "__main__":
    main()
