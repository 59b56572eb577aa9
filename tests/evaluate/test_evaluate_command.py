"""The command as people call it: on a home that was really scanned, its table, its JSON, its plot, its complaints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from detector import cli

HEADER = "event_id,event_time,system,action,operator_id,terminal_id,reason_text,record_id\n"
LABELS = "event_id,episode_id,scenario\n"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night of four people, on which a fifth reads one record 25 times in an hour (E1), and op2 one once (E2)."""
    tmp_path = tmp_path_factory.mktemp("evaluate")
    rows = [
        f"e{actor}{n},2026-02-03T1{n}:00:00Z,PNC,search,op{actor},T{actor},burglary,R{actor}{n}\n"
        for actor in range(1, 5)
        for n in range(4)
    ]
    rows += [f"m{n},2026-02-03T11:{n:02d}:30Z,PNC,search,op9,T9,burglary,R-same\n" for n in range(25)]
    (tmp_path / "log.csv").write_text(HEADER + "".join(rows))
    labels = [f"m{n},E1,stalking\n" for n in range(25)] + ["e20,E2,curiosity\n", "nowhere,E3,curiosity\n"]
    (tmp_path / "labels.csv").write_text(LABELS + "".join(labels))
    (tmp_path / "groups.csv").write_text("event_id,actor_id,group\n,op2,murder_room\ne31,,live_incident\n")
    (tmp_path / "scenarios.csv").write_text("scenario,family,split\nstalking,predatory,held_out\n")
    assert cli.run(["scan", str(tmp_path / "log.csv"), "--home", str(tmp_path / "home")]) == 0
    return tmp_path


@pytest.fixture
def scanned(once: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The answers of this test's own beside the home that all share."""
    for name in ("labels", "groups", "scenarios"):
        shutil.copy(once / f"{name}.csv", tmp_path)
    (tmp_path / "home").symlink_to(once / "home")
    capsys.readouterr()
    return tmp_path


def call(folder: Path, *more: str) -> int:
    return cli.run(["evaluate", "--labels", str(folder / "labels.csv"), "--home", str(folder / "home"), *more])


def test_json_says_what_was_found_where(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--groups", str(scanned / "groups.csv"), "--scenarios", str(scanned / "scenarios.csv")]
    assert call(scanned, *options, "--format", "json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["episodes"], said["episodes_not_scanned"]) == (2, 1)
    assert (said["actor_weeks"], said["actor_weeks_with_misuse"]) == (5, 2)
    first = said["recall"][0]
    assert (first["budget"], first["slots"], first["ceiling"]) == (0.001, 1, 0.5)
    assert first["recall"]["hits"] == first["recall_ten_events"]["hits"] == 1
    assert said["scenarios"]["stalking"]["recall"]["0.001"]["hits"] == 1
    assert said["scenarios"]["curiosity"]["any_alert"] == {
        "value": 0.0,
        "hits": 0,
        "cases": 1,
        "interval": [0, pytest.approx(0.7935, abs=1e-4)],
    }
    assert set(said["splits"]) == {"held_out", "all"}
    assert said["precision_at_100"]["precision"]["hits"] >= 1
    assert set(said["false_alerts"][0]["groups"]) == {"murder_room", "live_incident"}
    (one, two) = said["episode_results"]
    assert (one["episode_id"], one["place"], one["queued"]) == ("E1", 1, False)
    assert len(one["sources"]) >= 1
    assert (two["place"], two["sources"]) == (None, {})


def test_nothing_before_a_night_is_looked_at(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(scanned, "--since", "2026-02-03", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 2
    assert call(scanned, "--since", "2026-02-04") == 2
    assert "no night from 2026-02-04 on was scanned" in capsys.readouterr().err


def test_people_read_a_table(scanned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(scanned, "--groups", str(scanned / "groups.csv")) == 0
    said = " ".join(capsys.readouterr().out.split())  # wherever a narrow terminal breaks the lines
    assert "Recall of 2 episodes in 5 actor-weeks" in said
    assert "50 % (9-91)" in said
    assert "is in the lake: 1 of the episodes." in said
    assert "murder_room" in said


def test_the_plot_is_an_svg_of_three_lines(scanned: Path) -> None:
    assert call(scanned, "--plot", str(scanned / "recall.svg")) == 0
    root = ET.fromstring((scanned / "recall.svg").read_text())  # noqa: S314 - our own file
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Recall of 2 episodes of misuse" in texts
    assert "with evidence cut to ten events" in texts
    lines = [e for e in root.iter("{http://www.w3.org/2000/svg}path") if e.get("stroke-width") == "2"]
    assert len(lines) == 6  # each once in the picture and once in the legend


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels", "event_id,episode_id\ne1,E1\n", "labels.csv:1: column scenario is missing"),
        ("labels", LABELS, "no labels"),
        ("labels", LABELS + "e1,E1,a\ne2,E1,b\n", "labels.csv:3: episode E1 is a above and b here"),
        ("labels", LABELS + "e1,,a\n", "labels.csv:2: a label needs event_id, episode_id and scenario"),
        ("groups", "event_id,actor_id,group\ne1,op1,a\n", "groups.csv:2: give a group and either event_id or actor_id"),
    ],
)
def test_bad_answers_are_named_with_file_and_line(
    scanned: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, said: str
) -> None:
    (scanned / f"{name}.csv").write_text(text)
    assert call(scanned, "--groups", str(scanned / "groups.csv")) == 4
    assert said in capsys.readouterr().err


def test_without_a_scan_there_is_nothing_to_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "labels.csv").write_text(LABELS + "e1,E1,a\n")
    assert call(tmp_path) == 2
    assert "nothing was scanned" in capsys.readouterr().err
