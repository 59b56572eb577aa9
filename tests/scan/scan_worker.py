"""Runs scans, each in a process of its own that can be killed, without importing everything anew for each.

Usage: scan_worker.py LOGS. Reads a line a scan, `HOME SECONDS`, kills the scan after that many seconds (`-` never),
and answers `killed` or the exit code. Nothing is opened before the fork.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from detector.config import Settings
from detector.database import open_database
from detector.home import Home
from detector.shipped import rules_dir

#: Some of the shipped ones, detections and correlations: each scan writes its queries anew, and it is scans that count.
RULES = ("stalking", "cover_up")
NOW = datetime(2026, 3, 1, 2, tzinfo=UTC)
#: Small enough for a model to be trained within a handful of small nights.
SPECIFICATION = """
name: isolation-forest
title: Unusual pattern of look-ups
features: all
window_nights: 30
retrain_nights: 1
min_nights: 2
min_events: 30
trees: 10
max_samples: 64
findings: {threshold: 20, levels: {low: 20, medium: 80, high: 97}}
"""


def scan(home: Home, logs: Path) -> int:
    """One scan at a fixed time; the exit code."""
    from detector.progress import Silent
    from detector.scan import scan as run

    specification = logs.parent / "specification.yaml"
    budget = {"alerts_per_night": 2, "sample_share": 0.5}
    rules = {"shipped": False, "dirs": [rules_dir() / name for name in RULES]}
    model = {"specification": specification}
    settings = Settings.model_validate({"model": model, "budget": budget, "rules": rules})
    summary = run([logs], home=home, settings=settings, source=None, reference=None, now=NOW, progress=Silent(), env={})
    return summary.exit_code(settings)


def _fork(home: Home, logs: Path, delay: float | None) -> str:
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if delay is not None:
                # Nobody handles this signal, so the kernel ends the process there and then, as SIGKILL would.
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_REAL, delay)
            code = scan(home, logs)
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else str(os.waitstatus_to_exitcode(status))


def main() -> None:
    logs = Path(sys.argv[1])
    open_database(Home(logs.parent / "none"), {}, migrate=False)
    import detector.scan  # noqa: F401 - the point of this process: imported and translated once, forked often
    from detector.alerts import rarity
    from detector.context.reference import Reference
    from detector.features import compute, profiles

    compute._steps("duckdb", Reference().present, Reference().vetting)
    profiles._steps("duckdb", Reference().present)
    rarity._steps("duckdb")

    print("ready", flush=True)  # noqa: T201 - it is how the test knows
    for line in sys.stdin:
        home, _, delay = line.strip().rpartition(" ")
        print(_fork(Home(Path(home)), logs, None if delay == "-" else float(delay)), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
