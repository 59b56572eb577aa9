from __future__ import annotations

import os
import shutil
import subprocess
from datetime import timedelta

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest

from detector.home import Home
from detector.ledger.models import IngestedFile, Run
from detector.metrics.catalogue import METRICS
from detector.metrics.collector import expose
from detector.triage.services import decide, list_alerts, raise_alerts

PROMTOOL = shutil.which("promtool")

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(PROMTOOL is None and not os.environ.get("CI"), reason="no promtool: apt-get install prometheus"),
]


def test_promtool_finds_nothing_to_say(home: Home) -> None:
    """Over an exposition that has every metric of the catalogue."""
    raise_alerts(NIGHT, [finding("P-1"), finding("P-2"), forest("P-3"), finding("P-4")], NOW, budget(3))
    decide([list_alerts()[0].alert_id], "true_positive", reason="x", who="r", now=NOW)
    Run.objects.create(
        command="scan", state="succeeded", started_at=NOW, finished_at=NOW + timedelta(1), stage_seconds={"ingest": 1},
        summary={"rules": {"active": 1}, "model": {"trained_at": NOW.isoformat(), "drift": {"rate_z": 0.1}}},
    )  # fmt: skip
    IngestedFile.objects.create(
        sha256="a" * 64, source_file="a.csv", source_name='odd "name"\\', mapping_fingerprint="m", state="done",
        lines=3, events=2, duplicates=0, rejects=1, reject_reasons={"bad_time": 1}, bytes=1,
        last_event_time=NOW, ingested_at=NOW,
    )  # fmt: skip
    text = expose()
    assert [metric.exposed for metric in METRICS.values() if f"\n{metric.exposed}".encode() not in text] == []
    assert PROMTOOL is not None, "install promtool: apt-get install prometheus"
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
