"""The nightly command as others call it: exit codes, JSON, late events, broken rules, two at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from detector import cli
from detector.home import Home
from detector.ingest.lock import hold

HEADER = "event_id,event_time,system,action,operator_id,terminal_id,reason_text,record_id\n"
Run = Callable[..., tuple[int, Any]]


def look(number: int, when: str, *, actor: str = "op1", record: str = "R1", terminal: str = "T1") -> str:
    return f"e{number},{when},PNC,search,{actor},{terminal},burglary,{record}\n"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on this test's home; its exit code and its JSON."""

    def call(*arguments: str) -> tuple[int, Any]:
        code = cli.run([*arguments, "--home", str(tmp_path / "home"), "--format", "json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else said.err

    return call


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three nights; on the second, somebody reads one record twenty-five times in an hour."""
    rows = [look(day * 100 + n, f"2026-02-0{day}T1{n}:00:00Z", record=f"R{n}") for day in (1, 2, 3) for n in range(4)]
    rows += [look(250 + n, f"2026-02-02T11:{n:02d}:30Z", actor="op9", record="R-same") for n in range(25)]
    path = tmp_path / "logs" / "a.csv"
    path.parent.mkdir()
    path.write_text(HEADER + "".join(rows))
    return path


def nights_of(summary: Any) -> list[str]:
    return [night["night"] for night in summary["nights"]]


def test_nights_are_scanned_in_order_and_the_lines_add_up(run: Run, log: Path) -> None:
    code, summary = run("scan", str(log.parent))
    assert code == 0
    assert nights_of(summary) == ["2026-02-01", "2026-02-02", "2026-02-03"]
    assert [night["events"] for night in summary["nights"]] == [4, 29, 4]
    _, status = run("status", "--verify")
    (file,) = status["files"]
    assert (file["lines"], file["events"], file["duplicates"], file["rejects"]) == (37, 37, 0, 0)
    assert (status["damage"], status["nights"]["due"]) == ([], [])
    assert status["rules"]["active"] > 10
    assert status["model"]["status"].startswith("needs 7 nights")


def test_somebody_who_reads_one_record_all_day_is_raised_with_the_events(run: Run, log: Path) -> None:
    run("scan", str(log))
    _, alerts = run("alerts", "list", "--all")
    (alert,) = [alert for alert in alerts if alert["actor_id"] == "op9"]
    assert (alert["night"], alert["state"]) == ("2026-02-02", "open")
    assert set(alert["event_ids"]) <= {f"e{250 + n}" for n in range(25)}
    assert 0 < alert["score"] <= 100
    assert alert["findings"]
    assert "R-same" in alert["explanation"]


def test_the_same_file_again_changes_nothing(run: Run, log: Path) -> None:
    run("scan", str(log))
    before = run("alerts", "list", "--all")
    code, summary = run("scan", str(log))
    assert (code, summary["files"], summary["nights"], summary["skipped"]) == (0, [], [], [str(log)])
    assert run("alerts", "list", "--all") == before


def test_late_events_have_their_own_night_scanned_again_and_no_other(run: Run, log: Path) -> None:
    run("scan", str(log))
    (log.parent / "late.csv").write_text(
        HEADER + look(250, "2026-02-02T11:00:30Z", actor="op9", record="R-same") + look(999, "2026-02-02T23:00:00Z")
    )
    _, summary = run("scan", str(log.parent))
    assert nights_of(summary) == ["2026-02-02"]
    assert summary["nights"][0]["events"] == 30
    (late,) = summary["files"]
    assert (late["lines"], late["events"], late["duplicates"]) == (2, 1, 1)
    findings = Home(log.parents[1] / "home").lake / "findings"
    listed = [id_ for path in findings.rglob("*.parquet") for id_ in pq.read_table(path)["finding_id"].to_pylist()]
    assert len(listed) == len(set(listed)) > 0, "what an earlier scan of the night wrote was written again"


def test_fail_on_and_too_many_rejects_and_a_broken_rule_each_have_their_exit_code(
    run: Run, log: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "mine.yml").write_text("title: Mine\nlogsource: {category: record_access}\ndetection: {a: {levle: x}}\n")
    config = tmp_path / "config.yaml"
    config.write_text(f"rules: {{dirs: ['{rules}']}}\n")
    assert run("scan", str(log), "--fail-on", "low")[0] == 1
    dirty = log.parent / "dirty.csv"
    dirty.write_text(HEADER + look(700, "2026-02-04T10:00:00Z") + look(701, "yesterday") + "ragged\n")
    assert run("scan", str(dirty))[0] == 4
    (log.parent / "more.csv").write_text(HEADER + look(800, "2026-02-05T10:00:00Z"))
    code, summary = run("scan", str(log.parent / "more.csv"), "--config", str(config))
    assert code == 3
    assert nights_of(summary) == ["2026-02-05"], "a broken rule must not cost the night"
    assert any("mine.yml" in refusal for refusal in summary["rules_refused"])


def test_rules_for_other_field_names_run_in_a_scan_through_their_pipeline(run: Run, log: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "prying.yml").write_text(
        "title: Reads their record\nlevel: high\nlogsource: {category: any}\n"
        "detection: {s: {UserName: OP9, Object|endswith: -same}, condition: s}\n"
    )
    mapping = tmp_path / "ours.yml"
    mapping.write_text(
        "name: theirs to ours\ntransformations:\n"
        "  - {type: field_name_mapping, mapping: {UserName: actor_id, Object: record_id}}\n"
    )
    config = tmp_path / "config.yaml"
    config.write_text(f"rules: {{shipped: false, dirs: ['{theirs}'], pipelines: {{'{theirs}': ['{mapping}']}}}}\n")
    code, summary = run("scan", str(log), "--config", str(config))
    assert (code, summary["rules_refused"]) == (0, [])
    _, alerts = run("alerts", "list", "--all", "--config", str(config))
    (finding,) = [finding for alert in alerts for finding in alert["findings"] if finding["detector"] == "rule"]
    assert (finding["rule_id"], finding["level"]) == ("Reads their record", "high")
    assert [alert["actor_id"] for alert in alerts] == ["op9"]


def test_a_second_scan_is_told_who_holds_the_home(run: Run, log: Path, tmp_path: Path) -> None:
    with hold(Home(tmp_path / "home"), "scan", datetime(2026, 2, 5, tzinfo=UTC)):
        code, said = run("scan", str(log))
    assert code == 2
    assert "detector scan" in said
    assert "2026-02-05" in said


def test_reference_tables_fill_unit_and_role_and_the_missing_ones_are_named(
    run: Run, log: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "staff.csv").write_text("staff_id,unit,role\nop1,Traffic,constable\nop9,Traffic,constable\n")
    code, summary = run("scan", str(log), "--reference", str(folder))
    assert code == 0
    assert summary["reference"]["present"] == ["staff"]
    assert "cases" in summary["reference"]["missing"]
    (folder / "cases.csv").write_text("nothing,useful\n1,2\n")
    code, said = run("scan", str(log), "--reference", str(folder))
    assert code == 3
    assert "cases.csv:1" in said
    assert "case_ref" in said


def test_a_bad_row_of_a_reference_table_is_named_and_stops_nothing(
    run: Run, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "staff.csv").write_text("staff_id,unit,role\nop1,Traffic,constable\nop9,Traffic\n,Traffic,sergeant\n")
    code, summary = run("scan", str(log), "--reference", str(folder))
    assert code == 0
    (table,) = summary["reference"]["tables"]
    assert (table["rows"], table["rejects"]) == (1, 2)
    _, status = run("status")
    (table,) = status["reference"]["tables"]
    assert [(row["line"], row["reason"]) for row in table["rejected_rows"]] == [
        (3, "wrong_column_count"),
        (4, "missing_key"),
    ]
    assert cli.run(["status", "--home", str(tmp_path / "home")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Reference table staff: 2 rows not used (missing_key 1, wrong_column_count 1)" in said
    assert "staff.csv:3" in said.replace(" ", "")


def test_train_says_what_it_needs(run: Run, log: Path) -> None:
    run("scan", str(log))
    code, said = run("train")
    assert code == 0
    assert said == {"model_version": "", "status": "needs 7 nights and 1,000 events; has 3 and 37"}


def test_status_says_what_share_of_the_newest_nights_look_ups_is_explained(
    run: Run, log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [look(n, f"2026-02-01T1{n}:00:00Z", record=f"R{n}") for n in range(4)]
    log.write_text(HEADER + "".join(rows))
    folder = tmp_path / "reference"
    folder.mkdir()
    (folder / "cases.csv").write_text("case_ref,opened_at\nC1,2026-01-01T00:00:00Z\n")
    (folder / "case_staff.csv").write_text("case_ref,staff_id,assigned_from\nC1,op1,2026-01-02T00:00:00Z\n")
    (folder / "case_records.csv").write_text("case_ref,record_id\nC1,R0\nC1,R1\n")
    run("scan", str(log), "--reference", str(folder))
    _, status = run("status")
    assert status["explained"] == {}  # without incidents nothing can be called unexplained
    burst = "".join(look(n, f"2026-02-02T11:{n:02d}:00Z", record="R3") for n in range(10, 34))
    log.with_name("b.csv").write_text(HEADER + "".join(rows).replace("2026-02-01", "2026-02-02") + burst)
    (folder / "incidents.csv").write_text("incident_id,started_at,record_id,staff_id\nI1,2026-02-02T09:00:00Z,R2,op1\n")
    run("scan", str(log.parent), "--reference", str(folder))
    _, status = run("status")
    assert status["explained"] == {
        "2026-02-02": {
            "lookups": 28,
            "explained": 3,
            "share": 0.1071,
            "by": {"case_staff": {"lookups": 2, "share": 0.0714}, "incident": {"lookups": 1, "share": 0.0357}},
        }
    }
    (alert,) = run("alerts", "list", "--all")[1]
    said = "Against it: no case, incident or hand-over that is known explains any of the 25 look-ups."
    assert alert["explanation"].endswith(said), "of record R3; what the night before adds is not judged anew"
    run("scan", str(log.parent), "--reference", str(folder))  # nothing new: what was said still holds
    assert run("status")[1]["explained"] == status["explained"]
    assert cli.run(["status", "--home", str(tmp_path / "home")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "Night of 2026-02-02: 10.7% of 28 look-ups of a record are explained (case_staff 7.1%, incident 3.6%)" in said
    )
