"""How good detection is on synthetic forces: simulate, scan and evaluate, over several seeds and variants.

    python benchmarks/quality.py                                    2,000 people, 60 days, seeds 1-3, as shipped
    python benchmarks/quality.py --variant full rules forest none   rules only, forest only, no reference tables
    python benchmarks/quality.py --variant full without:cases       all reference tables but one
    python benchmarks/quality.py --variant decided feedback         the second half, after 200 decisions on the first
    python benchmarks/quality.py --scenario own_record --prevalence 0.05 --json quality.json --plot quality.svg

Each scan is the real command in a process of its own, on a home of its own. Figures are those of docs/evaluation.md,
pooled over the episodes of all seeds; intervals are 95 %, by a bootstrap that draws seeds and, within each, episodes.

`decided` and `feedback` scan the first half of the nights, decide on the best DECISIONS alerts as the labels say, but
WRONG of them the other way round, scan the rest, and evaluate that. They differ in whether the ranking may learn.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from detector.evaluate.plot import Line, recall_plot
from detector.schema import REFERENCE_TABLES
from detector.shipped import models_dir

#: What reviewers decide in the variants `decided` and `feedback`, and the share of it that is wrong.
DECISIONS, WRONG = 200, 0.1
BUDGETS = ("0.001", "0.005", "0.01", "0.05")
DRAWS = 2000


@dataclass(frozen=True)
class Run:
    """One variant on one seed: what evaluate says, and what the scan took."""

    variant: str
    seed: int
    found: Mapping[str, Any]
    wall: float
    nights: Sequence[float]  # seconds of each


def command(*arguments: object) -> Any:
    """The JSON that a detector command prints. Exit code 4 (some lines rejected) is as good as 0 here."""
    line = [sys.executable, "-m", "detector", *map(str, arguments), "--format", "json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 4):
        raise SystemExit(f"{' '.join(line)} left with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def settings(variant: str, folder: Path) -> Path:
    """A configuration file for the variant: `rules` never trains a model, `forest` runs no rule, only `feedback` learns
    from decisions."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen: dict[str, Any] = {}
    if variant == "forest":
        chosen = {"rules": {"shipped": False}}
    if variant == "rules":
        model = yaml.safe_load((models_dir() / "isolation-forest.yaml").read_text())
        path = folder / "no-model.yaml"
        path.write_text(yaml.safe_dump(model | {"min_nights": 3650, "window_nights": 3650}))
        chosen = {"model": {"specification": str(path)}}
    chosen["ranking"] = {"feedback": variant == "feedback"}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(chosen))
    return path


def reference(variant: str, force: Path, folder: Path) -> list[object]:
    """The tables that the variant may read, as options of `scan`."""
    if variant == "none":
        return []
    if not variant.startswith("without:"):
        return ["--reference", force / "reference"]
    table = variant.partition(":")[2]
    if table not in REFERENCE_TABLES:
        raise SystemExit(f"{variant}: no such table; there are {', '.join(REFERENCE_TABLES)}")
    kept = folder / "reference"
    shutil.copytree(force / "reference", kept)
    (kept / f"{table}.csv").unlink()
    return ["--reference", kept]


def measure(force: Path, variant: str, seed: int, folder: Path) -> Run:
    """Scan and evaluate one force under one variant."""
    config = settings(variant, folder)
    base = ["--home", folder / "home", "--config", config]
    tables = reference(variant, force, folder)
    answers = [option for name in ("labels", "groups", "scenarios") for option in (f"--{name}", force / f"{name}.csv")]
    start = time.perf_counter()
    if variant in ("decided", "feedback"):
        days = sorted({path.stem[-10:] for path in (force / "events").glob("*/*")})
        middle = days[len(days) // 2]
        earlier = [path for path in sorted((force / "events").glob("*/*")) if path.stem[-10:] < middle]
        command("scan", *earlier, *tables, *base)
        decide(force / "labels.csv", seed, base)
        answers += ["--since", middle]
    scanned = command("scan", force / "events", *tables, *base)
    wall = time.perf_counter() - start
    found = command("evaluate", *answers, *base)
    nights = [sum(night["stage_seconds"].values()) for night in scanned["nights"]]
    shutil.rmtree(folder / "home")
    return Run(variant, seed, found, wall, nights)


def decide(labels: Path, seed: int, base: Sequence[object]) -> None:
    """Decide on the best alerts as somebody would who sees the first ten events of each, and errs at random."""
    with labels.open(newline="") as lines:
        misuse = {row["event_id"] for row in csv.DictReader(lines)}
    alerts = command("alerts", "list", "--all", "--limit", DECISIONS, *base)
    rng = np.random.default_rng(seed)
    verdicts: dict[str, list[str]] = {"true_positive": [], "false_positive": []}
    for alert in alerts:
        confirmed = not misuse.isdisjoint(alert["event_ids"][:10])
        if rng.random() < WRONG:
            confirmed = not confirmed
        verdicts["true_positive" if confirmed else "false_positive"].append(alert["alert_id"])
    for verdict, ids in verdicts.items():
        if ids:
            command("alerts", "decide", *ids, "--verdict", verdict, "--reason", "benchmark", "--by", "benchmark", *base)


def pooled(runs: Sequence[Run], rng: np.random.Generator) -> dict[str, Any]:
    """The figures of one variant over its seeds."""
    record: dict[str, Any] = {"seeds": [run.seed for run in runs], "episodes": sum(r.found["episodes"] for r in runs)}
    for number, budget in enumerate(BUDGETS):
        rows = [run.found["recall"][number] for run in runs]
        hits = {
            "recall": "place", "recall_ten_events": "place_ten_events", "recall_actor_weeks": "place_actor_weeks"
        }  # fmt: skip
        record[budget] = {
            name: share([_hits(run, place, row["slots"]) for run, row in zip(runs, rows, strict=True)], rng)
            for name, place in hits.items()
        }
        weights = [run.found["episodes"] for run in runs]
        for name in ("ceiling", "ceiling_actor_weeks"):
            record[budget][name] = float(np.average([row[name] for row in rows], weights=weights))
        record[budget]["held_out"] = share(
            [_hits(run, "place", row["slots"], "held_out") for run, row in zip(runs, rows, strict=True)], rng
        )
    record["queue"] = share([[float(e["queued"]) for e in run.found["episode_results"]] for run in runs], rng)
    record["any_alert"] = share([[float(bool(e["place"])) for e in run.found["episode_results"]] for run in runs], rng)
    for name in ("precision_at_100", "precision_at_100_actor_weeks"):
        record[name] = share([_ones(run.found[name]["precision"]) for run in runs], rng)
        record[name]["ceiling"] = float(np.mean([run.found[name]["ceiling"] for run in runs]))
    record["scenarios"] = by_scenario(runs)
    record["groups"] = by_group(runs)
    record["wall_seconds"] = [round(run.wall, 1) for run in runs]
    record["night_seconds"] = float(np.mean([seconds for run in runs for seconds in run.nights]))
    return record


def share(samples: Sequence[Sequence[float]], rng: np.random.Generator) -> dict[str, Any]:
    """Mean of 0 and 1 over all samples, with its bootstrap interval: seeds are drawn, then cases within each."""
    arrays = [np.asarray(sample, dtype=np.float64) for sample in samples if len(sample)]
    if not arrays:
        return {"value": None, "interval": None}
    means = []
    for _ in range(DRAWS):
        drawn = [arrays[i] for i in rng.integers(0, len(arrays), len(arrays))]
        means.append(np.concatenate([each[rng.integers(0, len(each), len(each))] for each in drawn]).mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": float(np.concatenate(arrays).mean()), "interval": [float(low), float(high)]}


def _hits(run: Run, place: str, slots: int, split: str | None = None) -> list[float]:
    episodes = [e for e in run.found["episode_results"] if split in (None, e["split"])]
    return [float(e[place] is not None and e[place] <= slots) for e in episodes]


def _ones(of: Mapping[str, Any]) -> list[float]:
    return [1.0] * of["hits"] + [0.0] * (of["cases"] - of["hits"])


def by_scenario(runs: Sequence[Run]) -> dict[str, Any]:
    """Episodes, and how many were found at each budget, queued, and in any alert; and what spoke in their alerts."""
    table: dict[str, Any] = defaultdict(lambda: defaultdict(int))
    for run in runs:
        for name, row in run.found["scenarios"].items():
            mine = table[name]
            mine["episodes"] += row["episodes"]
            for budget in BUDGETS:
                mine[budget] += row["recall"][budget]["hits"]
            mine["queued"] += row["queued"]["hits"]
            mine["any_alert"] += row["any_alert"]["hits"]
    return {name: dict(row) for name, row in sorted(table.items())}


def by_group(runs: Sequence[Run]) -> dict[str, Any]:
    """At each budget: false alerts of each group over its actor-weeks, and the ratio to the rate overall."""
    result: dict[str, Any] = {}
    for number, budget in enumerate(BUDGETS):
        rows = [run.found["false_alerts"][number] for run in runs]
        overall = [sum(row["overall"][key] for row in rows) for key in ("hits", "cases")]
        rates = {}
        for name in sorted({name for row in rows for name in row["groups"]}):
            # a small force may have nobody of a group
            of_group = [row["groups"][name]["rate"] for row in rows if name in row["groups"]]
            hits, cases = (sum(rate[key] for rate in of_group) for key in ("hits", "cases"))
            ratio = hits / cases / (overall[0] / overall[1]) if cases and overall[0] else None
            rates[name] = {"hits": hits, "cases": cases, "ratio": ratio}
        result[budget] = {"overall": overall, "groups": rates}
    return result


def show(results: Mapping[str, Any]) -> None:
    """The figures as Markdown."""
    _row("variant", "episodes", "budget", "recall", "ten events", "by actor-week", "held out", "ceiling")
    _row(*["---"] * 8)
    for variant, record in results.items():
        for budget in BUDGETS:
            row = record[budget]
            cells = [_cell(row[name]) for name in ("recall", "recall_ten_events", "recall_actor_weeks", "held_out")]
            _row(variant, record["episodes"], f"{float(budget):.1%}", *cells, f"{row['ceiling']:.0%}")
    for variant, record in results.items():
        print(f"\n{variant}: seconds a night {record['night_seconds']:.1f}; scans {record['wall_seconds']} s")
        for name in ("queue", "any_alert", "precision_at_100", "precision_at_100_actor_weeks"):
            ceiling = f", ceiling {record[name]['ceiling']:.0%}" if "ceiling" in record[name] else ""
            print(f"  {name}: {_cell(record[name])}{ceiling}")
        print()
        _row("scenario", "episodes", "0.1 %", "0.5 %", "1 %", "5 %", "queued", "any alert")
        _row(*["---"] * 8)
        for name, row in record["scenarios"].items():
            _row(name, *(row[key] for key in ("episodes", *BUDGETS, "queued", "any_alert")))
        print()
        _row("group, at 5 %", "actor-weeks", "false", "times overall")
        _row(*["---"] * 4)
        for name, row in sorted(record["groups"]["0.05"]["groups"].items(), key=lambda item: -(item[1]["ratio"] or 0)):
            _row(name, row["cases"], row["hits"], "-" if row["ratio"] is None else f"{row['ratio']:.2f}")


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |")


def _cell(of: Mapping[str, Any]) -> str:
    if of["value"] is None:
        return "-"
    low, high = of["interval"]
    return f"{of['value']:.0%} ({low:.0%}-{high:.0%})"


def lines(runs: Sequence[Run]) -> list[Line]:
    """Recall over budget of each variant, over the episodes of all its seeds."""
    found = []
    for variant in dict.fromkeys(run.variant for run in runs):
        mine = [run for run in runs if run.variant == variant]
        total = sum(run.found["episodes"] for run in mine)
        places = sorted(
            episode["place"] / run.found["actor_weeks"]
            for run in mine
            for episode in run.found["episode_results"]
            if episode["place"] is not None
        )
        found.append(Line(variant, [(place, number / total) for number, place in enumerate(places, start=1)]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--staff", type=int, default=2000)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--prevalence", type=float, default=0.01)
    parser.add_argument("--camouflage", type=float, default=0.3)
    parser.add_argument("--scenario", nargs="+", default=[], help="only these scenarios")
    parser.add_argument(
        "--variant", nargs="+", default=["full"], help="full, rules, forest, none, without:TABLE, decided, feedback"
    )
    parser.add_argument("--json", type=Path, help="write everything into this file")
    parser.add_argument("--plot", type=Path, help="draw recall over budget into this file")
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    options = parser.parse_args()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as temporary:
        for seed in options.seeds:
            force = Path(temporary) / f"force-{seed}"
            only = [each for name in options.scenario for each in ("--scenario", name)]
            command(
                "simulate", force, "--staff", options.staff, "--days", options.days, "--seed", seed,
                "--prevalence", options.prevalence, "--camouflage", options.camouflage, *only,
            )  # fmt: skip
            for variant in options.variant:
                runs.append(measure(force, variant, seed, Path(temporary) / f"{variant.replace(':', '-')}-{seed}"))
                print(f"seed {seed}, {variant}: scanned in {runs[-1].wall:.0f} s", file=sys.stderr, flush=True)
            shutil.rmtree(force)
            keep(runs, options)  # after each seed: a run that is broken off leaves what it measured
    show(summary(runs))


def summary(runs: Sequence[Run]) -> dict[str, Any]:
    """The figures of each variant, over the seeds that were run."""
    rng = np.random.default_rng(0)
    names = dict.fromkeys(run.variant for run in runs)
    return {name: pooled([run for run in runs if run.variant == name], rng) for name in names}


def keep(runs: Sequence[Run], options: argparse.Namespace) -> None:
    """The figures, and those of each run, into the files that were asked for."""
    if options.json:
        each = [{"variant": run.variant, "seed": run.seed, "found": run.found} for run in runs]
        record = {"options": vars(options), "variants": summary(runs), "runs": each}
        options.json.write_text(json.dumps(record, indent=2, default=str) + "\n")
    if options.plot:
        options.plot.write_text(recall_plot(lines(runs), "Recall of misuse on synthetic forces"))


if __name__ == "__main__":
    main()
