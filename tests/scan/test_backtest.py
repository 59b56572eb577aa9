"""`rules backtest` and `rules score`: what rules would have said, beside what was decided; and nothing is written."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from detector import cli
from detector.backtest import Voice, _Stands
from detector.records import Finding
from detector.triage.scorecard import CONFIRMED

HEADER = "event_id,event_time,system,action,operator_id,terminal_id,reason_text,record_id\n"
Run = Callable[..., tuple[int, Any, str]]
RULE = """\
title: Prints
id: 0b7e1d0c-2f59-4c39-8a5e-5a8f7b0a1c11
level: medium
tags: [misuse.selling]
logsource: {category: record_access, product: police_index}
detection:
  s: {action: ACTION}
  condition: s
"""


def look(number: int, when: str, *, actor: str, action: str = "search") -> str:
    return f"e{number},{when},PNC,{action},{actor},T1,burglary,R{number % 7}\n"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, Any, str]:
        code = cli.run([*arguments, "--home", str(tmp_path / "home"), "--format", "json"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return call


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four nights on which ann prints, bob exports, and cat searches; the rule in force is on prints."""
    folder = tmp_path_factory.mktemp("once")
    rows = []
    for day in range(1, 5):
        rows += [look(day * 100 + n, f"2026-02-0{day}T1{n}:00:00Z", actor="cat") for n in range(4)]
        rows.append(look(day * 100 + 10, f"2026-02-0{day}T10:30:00Z", actor="ann", action="print"))
        rows.append(look(day * 100 + 20, f"2026-02-0{day}T10:40:00Z", actor="bob", action="export"))
    (folder / "log.csv").write_text(HEADER + "".join(rows))
    (folder / "active").mkdir()
    (folder / "active" / "prints.yml").write_text(_good(RULE.replace("ACTION", "print")))
    config = folder / "config.yaml"
    config.write_text(f"rules: {{shipped: false, dirs: ['{folder / 'active'}']}}\n")
    assert cli.run(["--home", str(folder / "home"), "scan", str(folder / "log.csv"), "--config", str(config)]) == 0
    return folder


@pytest.fixture
def scanned(once: Path, tmp_path: Path) -> Path:
    """A home of its own with those nights; the settings they were scanned with."""
    shutil.copytree(once / "home", tmp_path / "home")
    return once / "config.yaml"


def _good(rule: str) -> str:
    more = "status: test\ndescription: d\nreferences: [https://example.org/r]\nauthor: a\ndate: 2026-01-01\n"
    return f"{rule}{more}falsepositives: [none]\n"


def decide(run: Run, actor: str, verdict: str) -> str:
    alerts = [alert for alert in run("alerts", "list", "--all")[1] if alert["actor_id"] == actor]
    code, _, said = run(
        "alerts", "decide", alerts[0]["alert_id"], "--verdict", verdict, "--reason", "case_work", "--by", "r"
    )
    assert code == 0, said
    return str(alerts[0]["alert_id"])


def tree(folder: Path) -> dict[str, str]:
    """Every file with its SHA-256, but SQLite's own files of a connection that is open."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_a_changed_rule_beside_the_active_one(run: Run, scanned: Path, tmp_path: Path) -> None:
    alert = decide(run, "ann", "true_positive")
    changed = tmp_path / "changed.yml"
    changed.write_text(RULE.replace("ACTION", "[print, export]"))
    before = tree(tmp_path / "home")
    code, report, said = run("rules", "backtest", "--rules", str(changed), "--config", str(scanned))
    assert code == 0, said
    assert (report["nights"], report["from"], report["to"]) == (4, "2026-02-01", "2026-02-04")
    (rule,) = report["rules"]
    assert (rule["hits"], rule["actors"], rule["nights"], rule["per_week"]) == (8, 2, 4, 14.0)
    assert rule["compared"] == {"same": 4, "added": 4, "lost": 0}
    assert rule["decisions"] == {
        "confirmed_caught": [alert],
        "benign_caught": [],
        "false_caught": [],
        "confirmed_missed": [],
    }
    assert tree(tmp_path / "home") == before


def test_a_rule_that_loses_what_was_confirmed(run: Run, scanned: Path, tmp_path: Path) -> None:
    alert = decide(run, "ann", "true_positive")
    changed = tmp_path / "changed.yml"
    changed.write_text(RULE.replace("ACTION", "export"))
    arguments = ("--config", str(scanned), "--from", "2026-02-03", "--to", "2026-02-04")
    code, report, said = run("rules", "backtest", "--rules", str(changed), *arguments)
    (rule,) = report["rules"]
    assert (code, report["nights"], rule["hits"]) == (3, 2, 2)
    assert rule["compared"] == {"same": 0, "added": 2, "lost": 2}
    assert rule["decisions"]["confirmed_missed"] == [alert]
    assert (report["vanished"], report["lost"], report["accepted"]) == ([], [alert], [])
    assert f"REFUSED: with the changed rules 1 alert(s) confirmed as misuse would no longer be raised: {alert}" in said
    assert f"--accept {alert}" in said
    weaker = tmp_path / "weaker.yml"
    weaker.write_text(RULE.replace("ACTION", "print").replace("level: medium", "level: informational"))
    code, report, _ = run("rules", "backtest", "--rules", str(weaker), *arguments)
    assert (code, report["lost"]) == (3, [alert]), "informational alone raises no alert"
    code, report, said = run("rules", "backtest", "--rules", str(changed), *arguments, "--accept", alert)
    assert (code, report["lost"], report["accepted"]) == (0, [], [alert])
    assert f"Accepted: 1 confirmed alert(s) would no longer be raised: {alert}" in said
    from detector.triage.models import AlertFinding  # the program has set up the database by now

    AlertFinding.objects.filter(alert=alert).update(rule_id="another")
    code, report, _ = run("rules", "backtest", "--rules", str(changed), *arguments)
    assert (code, report["lost"]) == (0, []), "another rule's finding keeps the alert standing"


def test_a_new_rule_has_nothing_beside_it_and_is_held_against_its_theme(
    run: Run, scanned: Path, tmp_path: Path
) -> None:
    benign = decide(run, "ann", "benign_positive")
    new = tmp_path / "new.yml"
    new.write_text(RULE.replace("ACTION", "print").replace("0b7e1d0c", "1b7e1d0c"))
    _, report, _ = run("rules", "backtest", "--rules", str(new), "--config", str(scanned))
    (rule,) = report["rules"]
    assert rule["compared"] is None
    assert rule["decisions"]["benign_caught"] == [benign]
    assert rule["busiest_night"] == {"night": "2026-02-04", "hits": 1}


@pytest.mark.slow
def test_the_shipped_rules_find_on_past_nights_what_their_scans_found(run: Run, tmp_path: Path, root: Path) -> None:
    """The features of a night are those that it had, though later nights have been scanned since."""
    rows = [look(day * 100 + n, f"2026-02-0{day}T1{n}:00:00Z", actor="op2") for day in range(1, 5) for n in range(8)]
    # on the second day one record again and again, and from two terminals by turns
    rows += [
        look(7000 + 7 * n, f"2026-02-02T11:{n:02d}:30Z", actor="op1").replace(",T1,", f",T{n % 2},") for n in range(30)
    ]
    (tmp_path / "log.csv").write_text(HEADER + "".join(rows))
    assert run("scan", str(tmp_path / "log.csv"))[0] == 0
    found: Counter[str] = Counter()
    for path in (tmp_path / "home" / "lake" / "findings").rglob("*.parquet"):
        table = pq.read_table(path, columns=["detector", "rule_id"], partitioning=None).to_pylist()
        found.update(row["rule_id"] for row in table if row["detector"] == "rule")
    assert len(found) >= 2
    code, report, _ = run("rules", "backtest", "--rules", str(root / "rules"))
    assert code == 0
    assert {rule["rule_id"]: rule["hits"] for rule in report["rules"] if rule["hits"]} == dict(found)
    assert all(rule["compared"]["added"] == rule["compared"]["lost"] == 0 for rule in report["rules"])


def test_what_makes_no_sense_is_said(run: Run, scanned: Path, tmp_path: Path) -> None:
    assert run("rules", "backtest")[0] == 2
    broken = tmp_path / "broken.yml"
    broken.write_text(RULE.replace("ACTION", "{a: b}"))
    code, _, said = run("rules", "backtest", "--rules", str(broken), "--config", str(scanned))
    assert code == 3
    assert "broken.yml:7" in said
    code, _, said = run(
        "rules", "backtest", "--rules", str(scanned.parent / "active" / "prints.yml"), "--from", "2027-01-01"
    )
    assert code == 2
    assert "no night was scanned" in said


FILTER = """\
title: NAME prints for the court
id: 3b7e1d0c-2f59-4c39-8a5e-5a8f7b0a1c11
description: d
date: 2026-01-01
logsource: {category: record_access, product: police_index}
filter:
  rules: [0b7e1d0c-2f59-4c39-8a5e-5a8f7b0a1c11]
  theirs: {operator_id: NAME}
  condition: not theirs
detector: {owner: o, reason: r, expires: 2999-01-01}
"""


def test_a_filter_that_hides_what_was_confirmed_is_refused_by_the_alerts_id(
    run: Run, scanned: Path, tmp_path: Path
) -> None:
    alert = decide(run, "ann", "true_positive")
    hiding = tmp_path / "hiding.yml"
    hiding.write_text(FILTER.replace("NAME", "ann"))
    for option in ("--filter", "--rules"):
        code, report, said = run("rules", "backtest", option, str(hiding), "--config", str(scanned))
        assert code == 3
        assert report["vanished"] == [alert]
        assert f"REFUSED: with the filter 1 alert(s) confirmed as misuse would not have been raised: {alert}" in said
        (rule,) = report["rules"]
        assert rule["compared"] == {"same": 0, "added": 0, "lost": 4}
    harmless = tmp_path / "harmless.yml"
    harmless.write_text(FILTER.replace("NAME", "cat"))
    code, report, _ = run("rules", "backtest", "--filter", str(harmless), "--config", str(scanned))
    assert (code, report["vanished"], report["rules"]) == (0, [], [])


def finding(actor: str, *events: str, level: str = "medium") -> Finding:
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    return Finding("rule", "r", "t", level, "selling", actor, date(2026, 2, 1), moment, moment, events, "", 1.0)


@pytest.mark.usefixtures("home")
def test_an_alert_vanishes_when_no_finding_strong_enough_is_left() -> None:
    voices = [
        Voice("A-1", CONFIRMED, "r", "selling", "ann", frozenset({"e1", "e2"})),
        Voice("A-2", "benign_positive", "r", "selling", "bob", frozenset({"e3"})),
        Voice("A-3", CONFIRMED, "r", "selling", "cat", frozenset({"e4"})),
    ]
    before = [finding("ann", "e1"), finding("bob", "e3"), finding("cat", "e4")]
    stands = _Stands()
    stands.see(voices, before, [finding("ann", "e2", level="informational"), finding("cat", "e9", "e4")])
    assert list(stands.vanished) == ["A-1"]
    stands.see(voices, before, [finding("ann", "e2")])  # another night of the same alert
    assert list(stands.vanished) == []


def test_scores_follow_the_decisions(run: Run, scanned: Path) -> None:
    decide(run, "ann", "true_positive")
    code, scores, _ = run("rules", "score", "--config", str(scanned))
    assert code == 0
    (score,) = scores
    assert (score["raised"], score["decided"], score["confirmed"], score["precision"]) == (1, 1, 1, 1.0)
    assert score["verdict"] == "wait"
    assert score["precision_low"] == pytest.approx(0.2065, abs=1e-4)
