from __future__ import annotations

import csv
import io
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from made_findings import NIGHT, NOW, budget, finding, forest

from detector.cli import alerts as command
from detector.cli import run
from detector.home import Home
from detector.records import Finding, Reason, Usual
from detector.schema import ALERT_STATES, VERDICTS
from detector.triage.services import list_alerts, raise_alerts

KEYS = [
    "alert_id", "actor_id", "first_event_time", "last_event_time", "night", "score", "rank", "level", "state", "title",
    "explanation", "findings", "event_ids",
]  # fmt: skip

#: What a reason field of a hostile log may hold: colour, a bell, a right-to-left override, mark-up of two kinds.
HOSTILE = "\x1b[31mred\x07 \u202eevil [bold]x[/bold] <script>alert(1)</script>"


@pytest.fixture(autouse=True)
def here(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETECTOR_HOME", str(home.root))
    monkeypatch.setenv("COLUMNS", "120")


def put(*findings: Finding, slots: int = 10) -> None:
    raise_alerts(findings[0].night, findings, NOW, budget(slots))


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Standard output; the exit code must be `code`."""
    assert run(["alerts", *arguments]) == code
    return capsys.readouterr().out


def parsed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(told(capsys, *arguments, "--format", "json"))


def test_choices_are_the_contracts() -> None:
    assert tuple(command.State) == ALERT_STATES
    assert get_args(command.Verdict) == VERDICTS


def test_json_has_exactly_the_contracts_keys(capsys: pytest.CaptureFixture[str]) -> None:
    put(finding(events=["e1", "e2"], explanation="2 look-ups without a case."), forest(events=["e2", "e3"]))
    (alert,) = parsed(capsys, "list")
    assert list(alert) == KEYS
    assert alert["findings"] == [
        {
            "detector": "forest",
            "rule_id": "isolation_forest",
            "level": "medium",
            "explanation": "isolation_forest spoke",
        },
        {"detector": "rule", "rule_id": "rule_a", "level": "medium", "explanation": "2 look-ups without a case."},
    ]
    assert alert["event_ids"] == ["e2", "e3", "e1"]  # the strongest finding's first, none twice
    assert (alert["first_event_time"], alert["last_event_time"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:30:00Z")
    assert (alert["night"], alert["score"], alert["rank"]) == ("2026-03-02", 75.25, 1)
    assert (alert["level"], alert["state"], alert["actor_id"]) == ("medium", "open", "P-1")


def test_what_speaks_for_the_look_ups_is_said_wherever_they_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    case, keyed = Reason("the actor is on case C1", counts=True), Reason("somebody else keyed it", counts=False)
    put(
        finding(events=["e1", "e2", "e3"], reasons=((case,), (), None)),
        finding(rule="rule_b", events=["e2", "e4"], reasons=((), (keyed,))),
        finding("P-2", events=["e5"]),
    )
    line = (
        "For the access: the actor is on case C1 (1 of 3 look-ups). Known, but no explanation by itself: somebody else"
        " keyed it (1 of 3 look-ups). Against it: no case, incident or hand-over that is known explains 2 of the 3"
        " look-ups."
    )
    alert, other = parsed(capsys, "list")
    assert alert["explanation"] == f"rule_a spoke. rule_b spoke. {line}"
    assert other["explanation"] == "rule_a spoke."
    assert line in " ".join(told(capsys, "list").split())
    assert json.loads(told(capsys, "export", "--format", "json"))[0]["explanation"] == alert["explanation"]
    assert f"rule_b spoke. {line}" in told(capsys, "export")
    page = " ".join(told(capsys, "show", alert["alert_id"]).replace("│", " ").split())
    assert line in page
    assert "explains 1 of the 2 look-ups." in page, "of the first finding alone"
    full = parsed(capsys, "show", alert["alert_id"])
    assert full["context"] == line
    assert full["findings"][1]["reasons"] == {"e2": [], "e4": [{"sentence": "somebody else keyed it", "counts": False}]}


def test_empty_queue_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "list") == "No alert waits for a decision.\n"
    assert parsed(capsys, "list") == []
    assert told(capsys, "list", "--state", "closed") == "No alert fits.\n"


def test_below_the_budget_only_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    put(finding("P-1", level="high"), finding("P-2"), slots=1)
    assert [a["actor_id"] for a in parsed(capsys, "list")] == ["P-1"]
    assert [(a["actor_id"], a["rank"]) for a in parsed(capsys, "list", "--all")] == [("P-1", 1), ("P-2", 2)]
    assert "1 more below the budget: `detector alerts list --all` shows them." in told(capsys, "list")
    assert "below the budget" in told(capsys, "list", "--all")


def test_state_night_and_limit(capsys: pytest.CaptureFixture[str]) -> None:
    put(finding("P-1"), finding("P-2", level="low"))
    put(finding("P-3", night=NIGHT + timedelta(1)))
    assert [a["actor_id"] for a in parsed(capsys, "list", "--night", "2026-03-03")] == ["P-3"]
    assert len(parsed(capsys, "list", "--limit", "2")) == 2
    assert parsed(capsys, "list", "--state", "closed", "--state", "referred") == []
    assert run(["alerts", "list", "--night", "yesterday"]) == 2
    assert "'yesterday' is no date" in capsys.readouterr().err


def test_table_says_rank_score_level_night_actor_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    put(finding("P-77", level="high", title="Own record looked up", explanation="3 look-ups of the own record."))
    text = told(capsys, "list")
    for word in ("1", "70.0", "high", "2026-03-02", "P-77", "Own record looked up", "3 look-ups of the own record."):
        assert word in text


@pytest.mark.parametrize("width", ["40", "60", "89", "90", "200"])
def test_table_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    put(finding("P-" + "x" * 40, level="informational"), finding("P-" + "x" * 40, "b", explanation="word " * 60))
    text = told(capsys, "list")
    assert max(map(len, text.splitlines())) <= int(width)
    assert text.count("word") == 60


def test_show_has_findings_usual_values_and_events(capsys: pytest.CaptureFixture[str]) -> None:
    usual = Usual("repeat_days", 9, None, 0.25, "Days without a case")
    put(finding(events=["e1", "e2"], usual=(usual,)))
    alert_id = list_alerts()[0].alert_id
    text = told(capsys, "show", alert_id)
    for word in ("Title of rule_a", "rule_a spoke", "P-1", "repeat_days", "0.25", "e1, e2", alert_id, "To decide:"):
        assert word in text
    full = parsed(capsys, "show", alert_id)
    assert full["findings"][0]["usual"] == [
        {"feature": "repeat_days", "value": 9.0, "own": None, "peers": 0.25, "sentence": "Days without a case"}
    ]
    assert (full["findings"][0]["event_ids"], full["decisions"], full["in_budget"]) == (["e1", "e2"], [], True)


def test_show_of_an_unknown_alert(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["alerts", "show", "A-nowhere"]) == 2
    assert "no alert has the id A-nowhere" in capsys.readouterr().err


def test_decide_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    put(finding("P-1"), finding("P-2"))
    ids = [alert.alert_id for alert in list_alerts()]
    arguments = ["--verdict", "benign_positive", "--reason", "case_work", "--note", "on the case", "--by", "reviewer 1"]
    done = parsed(capsys, "decide", *ids, *arguments)
    assert done == [{"alert_id": i, "verdict": "benign_positive", "state": "closed"} for i in ids]
    assert parsed(capsys, "list") == []
    text = told(capsys, "show", ids[0])
    assert "by reviewer 1: benign_positive (case_work), closed" in text
    assert "on the case" in text
    assert run(["alerts", "decide", ids[0], *arguments]) == 2
    assert "benign_positive cannot be given there" in capsys.readouterr().err


def test_who_decides_is_by_default_who_is_logged_in(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    put(finding())
    told(capsys, "decide", list_alerts()[0].alert_id, "--verdict", "duplicate", "--reason", "same_as_other")
    assert list_alerts(everything=True)[0].decisions[0].decided_by == "somebody"


@pytest.mark.parametrize("missing", ["--verdict", "--reason"])
def test_a_verdict_and_a_reason_are_required(capsys: pytest.CaptureFixture[str], missing: str) -> None:
    options = {"--verdict": "duplicate", "--reason": "same_as_other"}
    rest = [word for name, value in options.items() if name != missing for word in (name, value)]
    assert run(["alerts", "decide", "A-1", *rest]) == 2
    assert missing in capsys.readouterr().err


@pytest.mark.parametrize("width", ["60", "120"])
def test_hostile_text_does_nothing_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    usual = Usual(HOSTILE, 1, None, None, HOSTILE)
    put(finding(HOSTILE, title=HOSTILE, explanation=HOSTILE, events=[HOSTILE], usual=(usual,)))
    alert_id = list_alerts()[0].alert_id
    for arguments in (
        ["list"],
        ["show", alert_id],
        ["list", "--format", "json"],
        ["export"],
        ["export", "--format", "json"],
    ):
        text = told(capsys, *arguments)
        assert not {"\x1b", "\x07", "\u202e"} & set(text), arguments
    squeezed = "".join(told(capsys, "list").split())
    assert "\\x1b[31mred\\x07\\u202eevil[bold]x[/bold]" in squeezed


def test_csv_is_safe_in_a_spreadsheet_and_complete(capsys: pytest.CaptureFixture[str]) -> None:
    put(finding("=cmd|'/c calc'!A0", title="@SUM(1)", explanation='says "a", then\nb', events=["-1+2", "e2"]))
    (row,) = csv.DictReader(io.StringIO(told(capsys, "export")))
    assert row["actor_id"] == "'=cmd|'/c calc'!A0"
    assert row["title"] == "'@SUM(1)"
    assert row["explanation"] == 'says "a", then\\x0ab.'
    assert (row["rule_ids"], row["event_ids"], row["score"]) == ("rule_a", "'-1+2 e2", "45.0")
    assert not any(value.startswith(tuple("=+-@\t\r")) for value in row.values())


def test_export_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    put(finding("P-1"), finding("P-2"), slots=1)
    file = tmp_path / "alerts.json"
    assert told(capsys, "export", "--all", "--format", "json", "--output", str(file)) == ""
    assert json.loads(file.read_text()) == parsed(capsys, "list", "--all")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["alerts.json"]
    assert run(["alerts", "export", "--output", str(tmp_path / "no" / "such.csv")]) == 2
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_reading_where_nothing_was_scanned_is_an_error_not_an_empty_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "mistyped"
    assert run(["alerts", "list", "--home", str(place)]) == 2
    assert f"nothing was scanned into {place} yet" in capsys.readouterr().err
    assert not place.exists()
