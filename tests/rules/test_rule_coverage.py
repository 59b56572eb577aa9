"""What examples exercise of a rule, and their outcomes as JUnit XML."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from detector.cli.rules import app
from detector.rules.proof.coverage import MOST_ALTERNATIVES, Part
from detector.rules.proof.prove import run_examples

RULE = """\
title: Prints or exports from a terminal, but not by the auditors
level: low
detection:
  s: {action: [print, export], terminal_id: T9}
  audit: {unit: Audit}
  condition: s and not audit
"""
EXAMPLES = """\
examples:
  - {name: print, expect: {exactly: 1}, events: [{action: print, terminal_id: T9, unit: Traffic}]}
  - {name: view, near_miss_of: print, change: {action: view}, expect: none}
"""


def parts(tmp_path: Path, rule: str, examples: str) -> dict[tuple[str, str | None], Part]:
    (tmp_path / "r.yml").write_text(dedent(rule))
    (tmp_path / "r.examples.yml").write_text(dedent(examples))
    report = run_examples([tmp_path / "r.yml"])
    assert report.passed
    return {(part.selection, part.alternative): part for part in report.parts}


def missing(tmp_path: Path, rule: str, examples: str) -> dict[tuple[str, str | None], tuple[str, ...]]:
    return {key: part.missing for key, part in parts(tmp_path, rule, examples).items()}


def test_what_no_example_exercises_is_named(tmp_path: Path) -> None:
    assert missing(tmp_path, RULE, EXAMPLES) == {
        ("s", None): (),
        ("s", "action: print"): (),
        ("s", "action: export"): ("no example matches it",),
        # it never keeps anything from matching: were it not there, every example would come out the same
        ("audit", None): ("no example in which it decides by holding",),
    }


def test_a_near_miss_for_each_part_covers_all(tmp_path: Path) -> None:
    more = (
        "  - {name: audit, near_miss_of: print, change: {unit: Audit}, expect: none}\n"
        "  - {name: export, expect: {exactly: 1}, events: [{action: export, terminal_id: T9}]}\n"
    )
    found = parts(tmp_path, RULE, EXAMPLES + more)
    assert all(part.covered for part in found.values())
    assert found["audit", None].line == 5


def test_a_selection_that_holds_where_another_fails_too_decides_nothing(tmp_path: Path) -> None:
    rule = "title: t\ndetection:\n  a: {unit: A}\n  b: {role: B}\n  condition: a and b\n"
    examples = """\
        examples:
          - {name: both, expect: {exactly: 1}, events: [{unit: A, role: B}]}
          - {name: other unit, near_miss_of: both, change: {unit: C}, expect: none}
          - {name: neither, expect: none, events: [{unit: C, role: C}]}
    """
    assert missing(tmp_path, rule, examples) == {
        ("a", None): (),
        ("b", None): ("no example in which it decides by not holding",),
    }


def test_patterns_of_selections(tmp_path: Path) -> None:
    rule = "title: t\ndetection:\n  x_a: {unit: A}\n  x_b: {unit: B}\n  condition: 1 of x_*\n"
    examples = """\
        examples:
          - {name: a, expect: {exactly: 1}, events: [{unit: A}]}
          - {name: c, near_miss_of: a, change: {unit: C}, expect: none}
    """
    assert missing(tmp_path, rule, examples) == {
        ("x_a", None): (),
        ("x_b", None): ("no example in which it decides by holding",),
    }


def test_a_very_long_list_is_data(tmp_path: Path) -> None:
    many = ", ".join(f"U{number}" for number in range(MOST_ALTERNATIVES + 20))
    rule = f"title: t\ndetection:\n  s: {{unit: [{many}]}}\n  condition: s\n"
    examples = """\
        examples:
          - {name: a, expect: {exactly: 1}, events: [{unit: U1}]}
          - {name: c, near_miss_of: a, change: {unit: C}, expect: none}
    """
    assert len(parts(tmp_path, rule, examples)) == 1 + MOST_ALTERNATIVES


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("r.yml").write_text(RULE)
    Path("r.examples.yml").write_text(EXAMPLES)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_coverage_on_the_command_line() -> None:
    said = CliRunner().invoke(app, ["test", "r.yml"])
    assert (said.exit_code, said.stdout) == (
        0,
        "2 examples of 1 rule files: 2 passed.\n2 of 4 selections and alternatives exercised.\n",
    )
    said = CliRunner().invoke(app, ["test", "r.yml", "--require-coverage"])
    assert said.exit_code == 3
    assert said.stdout.startswith(
        "r.yml:4: selection 's', action: export: no example matches it\n"
        "r.yml:5: selection 'audit': no example in which it decides by holding\n"
    )
    report = json.loads(CliRunner().invoke(app, ["test", "r.yml", "--format", "json"]).stdout)
    assert [part["covered"] for part in report["coverage"]] == [True, True, False, False]
    assert report["precision"] == []


@pytest.mark.usefixtures("here")
def test_junit_is_read_back_with_every_outcome() -> None:
    hostile = "a <b> & 'c' \x01 \u202e"
    Path("r.examples.yml").write_text(
        EXAMPLES + f"  - {{name: {json.dumps(hostile)}, near_miss_of: print, change: {{unit: x}}, expect: none}}\n"
    )
    Path("broken.yml").write_text("title: broken\ndetection: {s: {a: 1}, condition: t}\n")
    said = CliRunner().invoke(app, ["test", "r.yml", "broken.yml", "--junit", "out.xml", "--require-coverage"])
    assert said.exit_code == 3
    top = ET.fromstring(Path("out.xml").read_bytes())  # noqa: S314 - written a line above
    assert (top.tag, top.get("tests"), top.get("failures"), top.get("errors")) == ("testsuites", "7", "3", "2")
    broken, rule = top.findall("testsuite")
    assert (broken.get("name"), broken.get("errors")) == ("broken.yml", "2")
    names = [case.get("name") for case in rule.findall("testcase")]
    assert names[:3] == ["print", "view", "a <b> & 'c' \ufffd \u202e"]
    (wrong,) = [case for case in rule.findall("testcase") if case.get("name") == names[2]]
    failure = wrong.find("failure")
    assert failure is not None
    assert failure.get("message") == "expected none, found 1"
    assert failure.text == "r.examples.yml:4: expected none, found 1"
    kinds = {failure.get("type") for failure in rule.iter("failure")}
    assert kinds == {"example", "coverage"}


@pytest.mark.usefixtures("here")
def test_junit_that_cannot_be_written_is_said() -> None:
    said = CliRunner().invoke(app, ["test", "r.yml", "--junit", "gone/out.xml"])
    assert "cannot be written" in str(said.exception)
