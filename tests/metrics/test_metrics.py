from __future__ import annotations

import json
import re
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest
from prometheus_client.parser import text_string_to_metric_families

import detector
from detector.cli import run
from detector.errors import StateError
from detector.home import Home
from detector.ledger.models import IngestedFile, Run
from detector.metrics.catalogue import METRICS
from detector.metrics.collector import expose, registry
from detector.metrics.textfile import write_textfile
from detector.triage.models import Alert
from detector.triage.services import decide, list_alerts, raise_alerts

pytestmark = pytest.mark.usefixtures("home")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples() -> Samples:
    """(sample name, sorted labels) -> value, as Prometheus would parse it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(expose().decode())
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float | None:
    return samples().get((f"detector_{name}", tuple(sorted(labels.items()))))


def raise_some() -> None:
    findings = [
        finding("P-1", "rule_a", level="high"),
        finding("P-2", "rule_a", level="high"),
        finding("P-3", "rule_b"),
        forest("P-3"),
        finding("P-4", "rule_b", level="low"),
    ]
    raise_alerts(NIGHT, findings, NOW, budget(3))


def ids() -> dict[str, str]:
    return {alert.actor_id: alert.alert_id for alert in list_alerts(everything=True)}


def ingested(sha: str, source: str, events: int, rejects: dict[str, int], last: datetime | None) -> None:
    number = sum(rejects.values())
    values: dict[str, Any] = {
        "sha256": sha * 64, "source_file": f"{sha}.csv", "source_name": source, "mapping_fingerprint": "m",
        "state": "done", "lines": events + number, "events": events, "duplicates": 0, "rejects": number,
        "reject_reasons": rejects, "first_event_time": last, "last_event_time": last, "ingested_at": NOW, "bytes": 1,
    }  # fmt: skip
    IngestedFile.objects.create(**values)


def scanned(end: datetime, state: str = "succeeded", **columns: Any) -> None:
    Run.objects.create(command="scan", state=state, started_at=end - timedelta(minutes=2), finished_at=end, **columns)


def test_an_empty_database_has_a_version_and_no_invented_facts() -> None:
    names = {name for name, _ in samples()}
    assert value("build_info", version=detector.__version__) == 1
    assert names == {"detector_build_info", "detector_alerts_below_budget", "detector_decisions_total"}


def test_alerts_in_the_queue_by_leading_rule_level_and_state() -> None:
    raise_some()
    decide([ids()["P-1"]], "false_positive", reason="case_work", who="r", now=NOW)
    assert value("alerts", rule="rule_a", level="high", state="open") == 1
    assert value("alerts", rule="rule_a", level="high", state="closed") == 1
    assert value("alerts", rule="isolation_forest", level="medium", state="open") == 1
    assert value("alerts", rule="rule_b", level="low", state="open") is None
    assert value("alerts_below_budget") == 1


def test_alerts_raised_counts_each_rule_that_spoke() -> None:
    raise_some()
    raised = {labels: number for (name, labels), number in samples().items() if name == "detector_alerts_raised_total"}
    assert {(dict(labels)["rule"], dict(labels)["level"]): number for labels, number in raised.items()} == {
        ("rule_a", "high"): 2,
        ("rule_b", "medium"): 1,
        ("rule_b", "low"): 1,
        ("isolation_forest", "medium"): 1,
    }


def test_the_oldest_waiting_alert() -> None:
    raise_some()
    raise_alerts(NIGHT + timedelta(1), [finding("P-9", night=NIGHT + timedelta(1))], NOW + timedelta(1), budget())
    assert value("oldest_open_alert_timestamp_seconds") == NOW.timestamp()
    decide([ids()[a] for a in ("P-1", "P-2", "P-3")], "benign_positive", reason="case_work", who="r", now=NOW)
    assert value("oldest_open_alert_timestamp_seconds") == (NOW + timedelta(1)).timestamp()


def test_precision_of_a_rule_from_the_latest_decisions() -> None:
    raise_some()
    for actor, verdict in (("P-1", "true_positive"), ("P-2", "false_positive"), ("P-3", "insufficient")):
        decide([ids()[actor]], verdict, reason="x", who="r", now=NOW)
    assert value("rule_precision_ratio", rule="rule_a") == 0.5
    assert value("rule_precision_ratio", rule="rule_b") is None  # insufficient says nothing yet
    decide([ids()["P-3"]], "benign_positive", reason="x", who="r", now=NOW)
    assert value("rule_precision_ratio", rule="rule_b") == 0
    assert value("rule_precision_ratio", rule="isolation_forest") == 0
    assert value("decisions_total", verdict="insufficient") == 1
    assert value("decisions_total", verdict="duplicate") == 0


def test_sources() -> None:
    latest = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    ingested("a", "pnc", 10, {"bad_time": 2}, latest - timedelta(days=1))
    ingested("b", "pnc", 5, {"bad_time": 1, "nul_byte": 1}, latest)
    ingested("c", "anpr", 0, {}, None)
    assert value("events_ingested_total", source="pnc") == 15
    assert value("events_ingested_total", source="anpr") == 0
    assert value("events_rejected_total", source="pnc", reason="bad_time") == 3
    assert value("events_rejected_total", source="pnc", reason="nul_byte") == 1
    assert value("source_latest_event_timestamp_seconds", source="pnc") == latest.timestamp()
    assert value("source_latest_event_timestamp_seconds", source="anpr") is None


def test_runs_and_what_the_last_one_said() -> None:
    scanned(
        NOW,
        stage_seconds={"ingest": 4.5, "rules": 1.25},
        summary={
            "rules": {"active": 24, "inactive": 3, "failed": 1},
            "model": {"version": "v", "trained_at": "2026-03-01T03:00:00+00:00", "drift": {"rate_z": 0.2, "bad": None}},
        },
    )
    scanned(NOW + timedelta(days=1), "failed", stage_seconds={"ingest": 9.0})
    Run.objects.create(command="ingest", state="succeeded", started_at=NOW, finished_at=NOW + timedelta(days=5))
    Run.objects.create(command="scan", state="running", started_at=NOW + timedelta(days=6))
    assert value("last_success_timestamp_seconds") == NOW.timestamp()
    assert value("last_completion_timestamp_seconds") == (NOW + timedelta(days=1)).timestamp()
    assert value("stage_duration_seconds", stage="ingest") == 9
    assert value("stage_duration_seconds", stage="rules") is None
    assert [value("rules", status=s) for s in ("active", "inactive", "failed")] == [24, 3, 1]
    assert value("model_trained_timestamp_seconds") == datetime(2026, 3, 1, 3, tzinfo=UTC).timestamp()
    assert value("model_feature_drift", feature="rate_z") == 0.2
    assert value("model_feature_drift", feature="bad") is None


def test_counters_never_fall() -> None:
    raise_some()
    before = samples()
    # A second scan of the night replaces findings, adds one, and changes an alert's level and leading rule.
    raise_alerts(
        NIGHT,
        [finding("P-4", "rule_b", level="critical"), finding("P-1", "rule_a", level="low", events=["another"])],
        NOW,
        budget(3),
    )
    decide(list(ids().values())[:2], "false_positive", reason="x", who="r", now=NOW)
    after = samples()
    counters = [key for key in before if key[0].endswith("_total")]
    assert len(counters) > 5
    assert all(after[key] >= before[key] for key in counters)


def test_no_person_is_in_the_metrics() -> None:
    raise_some()
    decide([ids()["P-1"]], "false_positive", reason="a reason", note="a note", who="reviewer_7", now=NOW)
    ingested("a", "pnc", 1, {}, NOW)
    text = expose().decode()
    assert not re.search(r"P-\d|reviewer_7|a reason|a note|A-[0-9a-f]{16}", text)
    labels = {label for metric in METRICS.values() for label in metric.labels}
    assert labels <= {"version", "stage", "rule", "level", "state", "source", "reason", "status", "feature", "verdict"}


def test_every_sample_is_in_the_catalogue_with_its_labels_and_kind() -> None:
    raise_some()
    ingested("a", "pnc", 1, {"bad_time": 1}, NOW)
    known = {metric.exposed: metric for metric in METRICS.values()}
    for family in text_string_to_metric_families(expose().decode()):
        for sample in family.samples:
            assert set(sample.labels) == set(known[sample.name].labels)
            assert family.type == known[sample.name].kind
    assert "_created" not in expose().decode()


def test_every_metric_is_documented(root: Path) -> None:
    page = (root / "docs" / "metrics.md").read_text()
    documented = dict(re.findall(r"^\| `(detector_\w+)(?:\{[^}]*\})?` \| (\w+) \|", page, re.MULTILINE))
    assert documented == {metric.exposed: metric.kind for metric in METRICS.values()}
    labels = {
        name: tuple(filter(None, inner.split(",")))
        for name, inner in re.findall(r"`(detector_\w+)\{([^}]*)\}` \|", page)
    }
    assert labels == {metric.exposed: metric.labels for metric in METRICS.values() if metric.labels}


def test_registering_reads_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    def refuse(*_: object) -> None:
        raise AssertionError("a query was made")

    with connection.execute_wrapper(refuse):
        assert registry() is not registry()


def test_textfile_is_whole_readable_by_all_and_alone(tmp_path: Path) -> None:
    raise_some()
    file = tmp_path / "collector" / "detector.prom"
    write_textfile(file)
    first = file.stat().st_ino
    write_textfile(file)
    assert file.read_bytes() == expose()
    assert file.stat().st_ino != first  # replaced, not written into
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [path.name for path in file.parent.iterdir()] == ["detector.prom"]


def test_a_textfile_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StateError, match="cannot be written"):
        write_textfile(tmp_path / "file" / "detector.prom")
    folder = tmp_path / "detector.prom"
    folder.mkdir()
    with pytest.raises(StateError, match="cannot be written"):
        write_textfile(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["detector.prom", "file", "home"]


def test_the_command(home: Home, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    raise_some()
    assert run(["metrics", "--home", str(home.root)]) == 0
    out = capsys.readouterr()
    assert (out.out.encode(), out.err) == (expose(), "")
    file = tmp_path / "m.prom"
    assert run(["metrics", "--home", str(home.root), "--textfile", str(file)]) == 0
    out = capsys.readouterr()
    assert (out.out, out.err) == ("", f"metrics written to {file}\n")
    assert file.read_bytes() == expose()


def test_the_command_for_people_and_for_programs(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned(NOW, stage_seconds={"rules": 2})
    assert run(["metrics", "--home", str(home.root), "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"name": "detector_stage_duration_seconds", "labels": {"stage": "rules"}, "value": 2} in listed
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["metrics", "--home", str(home.root), "--format", "table"]) == 0
    shown = [[cell.strip() for cell in line.split("│")] for line in capsys.readouterr().out.splitlines()]
    assert ["", "detector_stage_duration_seconds", "stage=rules", "2", ""] in shown
    assert ["", "detector_last_success_timestamp_seconds", "", f"{NOW:%Y-%m-%d %H:%M:%S}Z", ""] in shown


def test_scrapes_of_a_long_history_stay_cheap() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    raise_some()
    with CaptureQueriesContext(connection) as few:
        expose()
    for day in range(10, 40, 10):
        night = NIGHT + timedelta(day)
        raise_alerts(night, [finding(f"P-{n}", night=night) for n in range(50)], NOW, budget())
    with CaptureQueriesContext(connection) as many:
        expose()
    assert len(few) == len(many) <= 16
    assert Alert.objects.count() == 154
