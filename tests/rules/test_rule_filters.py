"""Filters: which rules they narrow, what they mean there, and when they end."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from rule_helpers import rows_by_title, run, write_events, write_rules

from detector.rules.filters import in_force
from detector.rules.load import load_rules
from detector.rules.report import check_rules

SOURCE = "{category: record_access, product: police_index}"


def rule(name: str, selection: str = "{a: 1}", source: str = SOURCE, condition: str = "s") -> str:
    body = f"detection:\n  s: {selection}\n  condition: {condition}\n"
    return f"title: {name}\nname: {name}\nlogsource: {source}\n{body}"


def exception(body: str, source: str = SOURCE, extra: str = "") -> str:
    return f"title: exception\nlogsource: {source}\n{extra}filter: {body}\n"


ADMIN = "{rules: [one], sel: {who|startswith: adm_}, condition: not sel}"
EVENTS: list[dict[str, Any]] = [{"a": 1, "who": "adm_x"}, {"a": 1, "who": "y"}, {"a": 1}, {"a": 2, "who": "y"}]
CASES: list[tuple[str, str, dict[str, list[int]]]] = [
    ("by name", ADMIN, {"one": [1, 2], "two": [0, 1, 2]}),
    ("one name, no list", "{rules: one, sel: {who: y}, condition: not sel}", {"one": [0, 2], "two": [0, 1, 2]}),
    ("several names", "{rules: [one, two], sel: {who: y}, condition: not sel}", {"one": [0, 2], "two": [0, 2]}),
    ("any", "{rules: any, sel: {who: y}, condition: not sel}", {"one": [0, 2], "two": [0, 2]}),
    ("what it keeps", "{rules: [one], sel: {who: y}, condition: sel}", {"one": [1], "two": [0, 1, 2]}),
    ("a selection called as the rule's", "{rules: [one], s: {who: y}, condition: not s}", {"one": [0, 2]}),
    ("1 of a pattern", "{rules: [one], s_1: {who: y}, s_2: {who: adm_x}, condition: not 1 of s_*}", {"one": [2]}),
    ("all of them", "{rules: [one], p: {who: y}, q: {a: 1}, condition: not all of them}", {"one": [0, 2]}),
]


@pytest.mark.parametrize(("name", "body", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_filter_narrows_the_rules_it_names(
    tmp_path: Path, name: str, body: str, expected: dict[str, list[int]]
) -> None:
    rules = write_rules(tmp_path / "r.yml", rule("one", condition="all of them"), rule("two"), exception(body))
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", EVENTS))
    assert result.remarks == ()
    found = rows_by_title(matches)
    assert {title: found[title] for title in expected} == expected


def test_a_filter_applies_only_within_its_logsource(tmp_path: Path) -> None:
    wide = "{category: record_access}"
    texts = [rule("one"), rule("two", source="{product: windows}")]
    for source, expected in ((wide, {"one": [0, 2], "two": [0, 1, 2]}), ("{product: windows}", {"one": [0, 1, 2]})):
        body = "{rules: any, sel: {who: y}, condition: not sel}"
        rules = write_rules(tmp_path / "r.yml", *texts, exception(body, source))
        found = rows_by_title(run(rules, write_events(tmp_path / "e.jsonl", EVENTS))[0])
        assert {title: found[title] for title in expected} == expected


def test_two_filters_both_narrow_and_an_id_over_files_names_too(tmp_path: Path) -> None:
    write_rules(tmp_path / "a.yml", "id: 6f3e2987-db24-4c78-a860-b4f4095a7095\n" + rule("one"))
    body = "{rules: [6F3E2987-db24-4c78-a860-b4f4095a7095], sel: {who: y}, condition: not sel}"
    write_rules(tmp_path / "b.yml", exception(ADMIN), exception(body))
    matches, _ = run([tmp_path], write_events(tmp_path / "e.jsonl", EVENTS))
    assert rows_by_title(matches) == {"one": [2]}


def test_a_correlation_counts_what_is_left(tmp_path: Path) -> None:
    together = "title: together\ncorrelation: {type: event_count, rules: one, timespan: 1h, condition: {gte: 2}}\n"
    rules = write_rules(tmp_path / "r.yml", rule("one"), together, exception(ADMIN))
    events = [{**event, "event_time": f"2026-03-01T10:0{i}:00Z"} for i, event in enumerate(EVENTS)]
    matches, _ = run(rules, write_events(tmp_path / "e.jsonl", events))
    assert rows_by_title(matches) == {"together": [[1, 2]]}


@pytest.mark.parametrize(("today", "rows"), [(date(2026, 3, 31), [1, 2]), (date(2026, 4, 1), [0, 1, 2])])
def test_an_allowlist_ends_with_its_last_day(tmp_path: Path, today: date, rows: list[int]) -> None:
    texts = [rule("one"), exception(ADMIN, extra="detector: {expires: 2026-03-31}\n")]
    rules = write_rules(tmp_path / "r.yml", *texts)
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", EVENTS), today=today)
    assert rows_by_title(matches) == {"one": rows}
    said = "filter 'exception' does not apply: expired: it applied up to 2026-03-31"
    assert result.remarks == (() if len(rows) == 2 else (said,))


def test_a_filter_on_a_column_that_is_not_there_leaves_nobody_out(tmp_path: Path) -> None:
    pack = load_rules([write_rules(tmp_path / "r.yml", rule("one"), exception(ADMIN))], strict=False)
    assert pack.detections[0].fields == {"a", "who"}
    narrowed, ended = in_force(pack, date(2026, 3, 1), {"a"})
    assert narrowed.detections[0].fields == {"a"}
    assert [(item.title, item.reason) for item in ended] == [("exception", "needs who")]


REFUSED = [
    ("{rules: [one], sel: {who: y}}", "a filter needs one condition"),
    ("{sel: {who: y}, condition: not sel}", "a filter needs `rules`"),
    ("{rules: [], sel: {who: y}, condition: not sel}", "a filter needs `rules`"),
    ("{rules: [one], sel: {who|re: '(?=x)'}, condition: not sel}", "cannot be run"),
    ("{rules: [one], sel: {who: y}, condition: not sell}", "Did you mean sel?"),
    ("{rules: [one], sel: {who|startwith: y}, condition: not sel}", "Did you mean startswith?"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED, ids=[case[1] for case in REFUSED])
def test_a_filter_that_cannot_be_read_is_refused_and_the_rule_runs(tmp_path: Path, body: str, said: str) -> None:
    rules = write_rules(tmp_path / "r.yml", rule("one"), exception(body))
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", EVENTS))
    assert rows_by_title(matches) == {"one": [0, 1, 2]}
    assert result.refused == 1
    assert said in result.remarks[0]
    assert f"{rules}:10 at filter" in result.remarks[0]


def test_names_in_vain_are_told_of_and_faults_where_strict(tmp_path: Path) -> None:
    body = "{rules: [one, onee], sel: {who: y}, condition: not sel}"
    rules = write_rules(tmp_path / "r.yml", rule("one"), exception(body))
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", EVENTS))
    assert rows_by_title(matches) == {"one": [0, 2]}
    assert result.remarks == ("filter 'exception' names 'onee', which is not among these rules",)
    sound = exception(body, extra="id: 6f3e2987-db24-4c78-a860-b4f4095a7095\ndetector: " + OWN).replace("who", "role")
    strict = load_rules([write_rules(tmp_path / "r.yml", rule("one"), sound)], strict=True)
    assert [fault.message for fault in strict.refusals if fault.where and fault.where.line == 12] == [
        "no rule is named 'onee'"
    ]


OWN = "{owner: A team, reason: Its job, expires: 2026-12-31}\n"


def test_an_allowlist_says_who_why_and_until_when(tmp_path: Path) -> None:
    body = "{rules: [one], sel: {role: auditor}, condition: %s}"
    write_rules(tmp_path / "r.yml", exception(body % "sel", extra="ownr: x\n"))
    said = [fault.message for fault in check_rules([tmp_path]).faults]
    assert {
        "the filter has no id",
        "unknown key 'ownr'",
        "the filter does not say who answers for it",
        "the filter does not say why it is made",
        "the filter does not say its last day",
        "the filter keeps only what its condition meets",
    } <= set(said)
    write_rules(
        tmp_path / "r.yml",
        exception(body % "not sel", extra=f"id: 6f3e2987-db24-4c78-a860-b4f4095a7095\ndetector: {OWN}"),
    )
    assert {fault.message for fault in check_rules([tmp_path]).faults if fault.severity == "error"} == set()
