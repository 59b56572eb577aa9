"""The benchmark of quality: how runs over several seeds are put together, and that it runs at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from quality import Run, pooled, share


def run_of(seed: int, places: list[int | None], slots: list[int]) -> Run:
    """A run with an episode at each place, the first held out; budgets of `slots`."""
    episodes = [
        {
            "place": place, "place_ten_events": place, "place_actor_weeks": place, "queued": place == 1,
            "split": "held_out" if number == 0 else "tune",
        }
        for number, place in enumerate(places)
    ]  # fmt: skip
    precision = {"precision": {"hits": 1, "cases": 4}, "ceiling": 0.5}
    row = {"recall": {b: {"hits": 1} for b in ("0.001", "0.005", "0.01", "0.05")}, "episodes": len(places)}
    found: dict[str, Any] = {
        "episodes": len(places),
        "episode_results": episodes,
        "recall": [{"slots": each, "ceiling": 1.0, "ceiling_actor_weeks": 1.0} for each in slots],
        "precision_at_100": precision,
        "precision_at_100_actor_weeks": precision,
        "scenarios": {"stalking": row | {"queued": {"hits": 1}, "any_alert": {"hits": 2}}},
        "false_alerts": [
            {"overall": {"hits": 2, "cases": 100}, "groups": {"desk": {"rate": {"hits": 1, "cases": 10}}}}
            for _ in slots
        ],
    }
    return Run("full", seed, found, 10.0, [1.0, 3.0])


def test_figures_are_pooled_over_the_episodes_of_all_seeds() -> None:
    runs = [run_of(1, [1, 9, None], [2, 9, 20, 50]), run_of(2, [3], [2, 9, 20, 50])]
    found = pooled(runs, np.random.default_rng(1))
    assert found["episodes"] == 4
    assert [found[budget]["recall"]["value"] for budget in ("0.001", "0.005")] == [1 / 4, 3 / 4]
    assert found["0.001"]["held_out"]["value"] == 1 / 2
    assert found["queue"]["value"] == 1 / 4
    assert found["precision_at_100"]["value"] == 2 / 8
    assert found["scenarios"]["stalking"]["episodes"] == 4
    assert found["scenarios"]["stalking"]["any_alert"] == 4
    assert found["groups"]["0.05"]["groups"]["desk"] == {"hits": 2, "cases": 20, "ratio": pytest.approx(5.0)}
    assert found["night_seconds"] == 2.0


def test_the_interval_covers_the_spread_between_seeds() -> None:
    """Two seeds of a hundred cases, all found or none: either may be drawn twice."""
    apart = share([[1.0] * 100, [0.0] * 100], np.random.default_rng(1))
    assert (apart["value"], apart["interval"]) == (0.5, [0.0, 1.0])
    alike = share([[1.0, 0.0] * 50, [1.0, 0.0] * 50], np.random.default_rng(1))
    assert alike["value"] == 0.5
    assert 0.4 < alike["interval"][0] < 0.5 < alike["interval"][1] < 0.6
    assert share([[], []], np.random.default_rng(1)) == {"value": None, "interval": None}


@pytest.mark.slow
def test_the_benchmark_runs(root: Path, tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/quality.py", "--staff", "100", "--days", "3", "--seeds", "1", "--json"]
    more = [str(tmp_path / "q.json"), "--plot", str(tmp_path / "q.svg"), "--variant", "none", "without:cases"]
    done = subprocess.run([*command, *more], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| none | 1 | 0.1% |" in done.stdout
    record = json.loads((tmp_path / "q.json").read_text())
    assert set(record["variants"]) == {"none", "without:cases"}
    assert (tmp_path / "q.svg").read_text().startswith("<svg ")
