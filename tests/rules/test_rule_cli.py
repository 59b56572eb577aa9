"""The three commands as a person and a program see them: golden output and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detector.cli import run
from detector.cli.rules import app

RULES = """\
title: Viewed
id: 5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11
level: medium
detection:
  s: {action: view}
  condition: s
---
title: Broken
detection:
  s: {action|re: 'a(?=b)'}
  condition: s
---
title: Search
name: search
detection:
  s: {action: search}
  condition: s
---
title: Many searches
id: 6f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11
level: high
correlation: {type: event_count, rules: search, group-by: [who], timespan: 10m, condition: {gte: 2}}
"""
EVENTS = """\
{"at": "2026-03-01T00:00:00Z", "action": "VIEW", "who": "x"}
{"at": "2026-03-01T00:01:00Z", "action": "search", "who": "x"}
not json
{"at": "2026-03-01T00:02:00Z", "action": "search", "who": "x"}
"""
GOLDEN = """\
{"rule_id": "5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11", "title": "Viewed", "level": "medium", "event": 0}
{"rule_id": "6f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11", "title": "Many searches", "level": "high", "events": [1, 3]}
"""
GOLDEN_ERR = """\
refused: rules.yml:10 at detection.s.action|re: regular expression 'a(?=b)' cannot be run: invalid perl operator: (?=
  Expressions run in linear time (RE2): no look-around and no back-references. Match the two parts in two selections: \
`condition: sel and not other`.
events.jsonl:3: row 2 is not JSON: expecting value; no rule sees it
2 rules ran, 1 refused (1 look-around); 2 of them matched, 2 matches; rejected rows: 1.
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rules.yml").write_text(RULES)
    Path("events.jsonl").write_text(EVENTS)
    return tmp_path


Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def invoke(here: Path) -> Invoke:
    def call(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, list(arguments))
        return result.exit_code, result.stdout, result.stderr

    return call


def test_run_prints_a_line_per_match_and_names_what_was_refused(invoke: Invoke) -> None:
    assert invoke("run", "--rules", "rules.yml", "--events", "events.jsonl", "--time-field", "at") == (
        3,
        GOLDEN,
        GOLDEN_ERR,
    )


def test_run_with_sound_rules_is_done(invoke: Invoke) -> None:
    sound = "---\n".join(part for part in RULES.split("---\n") if "Broken" not in part)
    Path("rules.yml").write_text(sound)
    Path("events.jsonl").write_text(EVENTS.replace("not json\n", ""))
    code, out, err = invoke("run", "--rules", "rules.yml", "--events", "events.jsonl", "--time-field", "at")
    assert (code, err) == (0, "2 rules ran, 0 refused; 2 of them matched, 2 matches.\n")
    assert out == GOLDEN.replace("[1, 3]", "[1, 2]")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rules", "a.yml", "b.yml", "c", "--events", "events.jsonl"),
        ("--rules", "a.yml", "--rules", "b.yml", "--events", "events.jsonl", "--rules", "c"),
        ("--events", "events.jsonl", "--rules", "a.yml", "b.yml", "c"),
    ],
    ids=["listed", "repeated", "at the end"],
)
def test_run_takes_several_paths(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    Path("c").mkdir()
    for name in ("a.yml", "b.yml", "c/c.yml"):
        Path(name).write_text(f"title: {name}\ndetection: {{s: {{action: view}}, condition: s}}\n")
    Path("events.jsonl").write_text(EVENTS.replace("not json\n", ""))
    code, out, err = invoke("run", *arguments)
    assert [json.loads(line)["title"] for line in out.splitlines()] == ["a.yml", "b.yml", "c/c.yml"]
    assert (code, err) == (0, "3 rules ran, 0 refused; 3 of them matched, 3 matches.\n")


def test_run_takes_the_values_of_placeholders(invoke: Invoke) -> None:
    Path("rules.yml").write_text("title: t\ndetection: {s: {who|expand: '%them%'}, condition: s}\n")
    Path("values.yml").write_text("them: [x, y*]\n")
    call = ("run", "--rules", "rules.yml", "--events", "events.jsonl")
    assert invoke(*call)[0] == 3
    code, out, _ = invoke(*call, "--placeholders", "values.yml")
    assert (code, out.count("\n")) == (4, 3)


def test_run_writes_what_was_rejected(invoke: Invoke) -> None:
    Path("rules.yml").write_text("title: t\ndetection: {s: {action: view}, condition: s}\n")
    call = ("run", "--rules", "rules.yml", "--events", "events.jsonl", "--rejects")
    code, _, err = invoke(*call, "bad.jsonl")
    assert (code, Path("bad.jsonl").read_text()) == (
        4,
        '{"row": 2, "line": 3, "reason": "is not JSON: expecting value"}\n',
    )
    assert err.endswith("; rejected rows: 1.\n")


def test_check_names_faults_and_leaves_with_3(invoke: Invoke) -> None:
    Path("rules.yml").write_text("title: t\nlevle: high\nlogsource: {category: record_access, product: police_index}\n")
    code, out, _ = invoke("check", "rules.yml")
    assert code == 3
    assert "rules.yml:1: error: the rule has no author [missing-metadata]\n" in out
    assert "rules.yml:2 at levle: error: unknown key 'levle' [unknown-key]\n  Did you mean level?\n" in out
    assert out.endswith("\n\n1 rule in 1 file: 11 errors, 2 warnings, 0 notes.\n")


def test_check_tells_notes_when_asked_and_fails_for_warnings_when_strict(invoke: Invoke, root: Path) -> None:
    rule = root / "rules" / "stalking" / "one-record-many-days.yml"
    Path("r.yml").write_text(rule.read_text())
    code, out, _ = invoke("check", "r.yml")
    assert code == 0
    assert out == (
        "r.yml:1 at title: warning: the rule has no examples [no-examples]\n"
        "  Write r.examples.yml beside it: a match and a near miss.\n\n"
        "1 rule in 1 file: 0 errors, 1 warning, 1 note.\n  Notes (1 names-feature): see --notes.\n"
    )
    code, out, _ = invoke("check", "r.yml", "--notes", "--strict")
    assert code == 3
    assert "r.yml:20 at detection.often.repeat_days|gte: note: the rule runs here alone: repeat_days is computed" in out
    assert "1 rule in 1 file: 1 error, 0 warnings, 1 note." in out


def test_check_in_sarif_goes_to_standard_output_alone(invoke: Invoke) -> None:
    code, out, err = invoke("check", "rules.yml", "--format", "sarif")
    assert (code, err) == (3, "")
    (run,) = json.loads(out)["runs"]
    (around,) = [result for result in run["results"] if result["ruleId"] == "look-around"]
    place = around["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "rules.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 10},
    }


def test_check_in_json(invoke: Invoke) -> None:
    code, out, _ = invoke("check", "rules.yml", "--format", "json")
    report = json.loads(out)
    assert code == 3
    assert report["rules"] == 4
    first = report["faults"][0]
    assert set(first) == {"id", "severity", "file", "line", "key", "message", "hint"}
    assert report["errors"] == len([fault for fault in report["faults"] if fault["severity"] == "error"])
    assert {fault["file"] for fault in report["faults"]} == {"rules.yml"}


def test_sound_rules_pass_check_and_test(invoke: Invoke, root: Path) -> None:
    """One folder of the shipped rules; tests/rules/test_rule_pack.py proves all of them."""
    code, out, err = invoke("check", str(root / "rules" / "leaver"), "--strict")
    assert (code, err) == (0, "")
    assert re.match(r"[3-9] rules in 3 files: 0 errors, 0 warnings, \d+ notes?\.\n", out)
    code, out, err = invoke("test", str(root / "rules" / "leaver"), "--require-coverage")
    assert (code, err) == (0, "")
    passed = re.match(r"(\d+) examples of 3 rule files: (\d+) passed\.\n", out)
    assert passed
    assert passed[1] == passed[2]


@pytest.mark.parametrize("command", ["check", "test", "run"])
def test_where_there_is_no_rule_it_says_so_and_leaves_with_3(invoke: Invoke, command: str) -> None:
    Path("empty").mkdir()
    Path("remark.yml").write_text("# title: nothing yet\n")
    Path("sound.yml").write_text("title: Viewed\ndetection: {s: {action: view}, condition: s}\n")

    def call(*paths: str) -> tuple[int, str]:
        named = paths if command != "run" else ("--events", "events.jsonl", "--rules", *paths)
        code, out, err = invoke(command, *named)
        return code, out + err

    for path, said in (("empty", "no rule files are here"), ("remark.yml", "remark.yml:1: ")):
        code, told = call(path)
        assert (code, said in told) == (3, True), told
        code, told = call("sound.yml", path)
        assert (code, said in told) == (3, True), told
    if command == "run":
        assert '"title": "Viewed"' in call("sound.yml", "empty")[1], "the others still run"


def test_filters_alone_are_nothing_to_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("filter.yml").write_text(
        "title: f\nlogsource: {category: a}\nfilter: {rules: any, s: {action: view}, condition: not s}\n"
    )
    assert run(["rules", "run", "--rules", "filter.yml", "--events", "events.jsonl"]) == 3
    assert "these are filters alone" in capsys.readouterr().err


def test_test_names_the_example_that_fails(invoke: Invoke) -> None:
    Path("one.yml").write_text("title: t\ndetection: {s: {streak_days|gte: 5}, condition: s}\n")
    Path("one.examples.yml").write_text(
        "examples:\n"
        "  - {name: five, expect: {exactly: 1}, events: [{streak_days: 5}]}\n"
        "  - {name: six, near_miss_of: five, change: {streak_days: 6}, expect: none}\n"
    )
    code, out, _ = invoke("test", "one.yml")
    assert code == 3
    assert out == (
        "one.examples.yml:3: six: expected none, found 1\n2 examples of 1 rule files: 1 passed.\n"
        "0 of 1 selections and alternatives exercised.\n"
    )
    report = json.loads(invoke("test", "one.yml", "--format", "json")[1])
    assert [example["passed"] for example in report["examples"]] == [True, False]


def test_importing_the_commands_is_cheap() -> None:
    heavy = {"ibis", "duckdb", "sigma", "pandas", "pyarrow"}
    code = f"import detector.cli.rules, sys; print(sorted(sys.modules.keys() & {heavy!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "[]\n"
