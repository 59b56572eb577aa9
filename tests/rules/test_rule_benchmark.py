"""The benchmark of `rules run` at a small size: both sides find the same, and it says so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_rules_run_and_the_query_by_hand_find_the_same() -> None:
    command = [sys.executable, "benchmarks/rules.py", "--events", "6000", "--rules", "16", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = re.search(r"^the same ([0-9,]+) matches of ([0-9]+) rules$", done.stdout, re.MULTILINE)
    assert said, done.stdout
    assert int(said[1].replace(",", "")) > 300
    assert int(said[2]) >= 15, "nearly every rule matches something"
    assert re.search(r"^rules run takes [0-9.]+ times the wall time of bare", done.stdout, re.MULTILINE)
