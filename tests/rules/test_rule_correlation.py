"""Correlations against a loop that anyone can read, and the corners by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rule_helpers import rows_by_title, rule_text, run, write_events, write_rules

BASE = rule_text("base", "s: {a: 1}\ncondition: s", "name: base\n")
OTHER = rule_text("other", "s: {b: 1}\ncondition: s", "name: other\n")


def correlate(body: str) -> str:
    return f"title: together\nlevel: high\ncorrelation:\n{body}"


def at(minute: float, **fields: Any) -> dict[str, Any]:
    return {"event_time": (datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat(), **fields}


def found(
    tmp_path: Path, body: str, events: Sequence[dict[str, Any]], time_field: str = "event_time"
) -> list[list[int]]:
    rules = write_rules(tmp_path / "r.yml", BASE, OTHER, correlate(body))
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", events), time_field)
    assert result.refused == 0, result.remarks
    return rows_by_title(matches)["together"]


COUNT = "  {type: event_count, rules: base, group-by: [who], timespan: 10m, condition: {gte: 3}}\n"


def test_windows_slide_over_any_boundary(tmp_path: Path) -> None:
    events = [at(minute, a=1, who="x") for minute in (55, 59, 62, 200)]
    assert found(tmp_path, COUNT, events) == [[0, 1, 2]]


def test_both_ends_of_a_window_belong_to_it(tmp_path: Path) -> None:
    assert found(tmp_path, COUNT, [at(minute, a=1, who="x") for minute in (0, 5, 10)]) == [[0, 1, 2]]
    assert found(tmp_path, COUNT, [at(minute, a=1, who="x") for minute in (0, 5, 10.01)]) == []


def test_a_long_run_is_one_finding_and_a_pause_makes_two(tmp_path: Path) -> None:
    events = [at(minute, a=1, who="x") for minute in (*range(0, 100, 2), *range(200, 210, 2))]
    assert found(tmp_path, COUNT, events) == [list(range(50)), list(range(50, 55))]


def test_groups_are_counted_apart_and_no_group_is_no_event(tmp_path: Path) -> None:
    events = [at(i, a=1, who=who) for i, who in enumerate(["x", "y", "x", "y", "x"])] + [at(9, a=1) for _ in range(5)]
    assert found(tmp_path, COUNT, events) == [[0, 2, 4]]


def test_evidence_is_in_order_of_time_not_of_the_file(tmp_path: Path) -> None:
    assert found(tmp_path, COUNT, [at(minute, a=1, who="x") for minute in (7, 1, 4)]) == [[1, 2, 0]]


def test_a_range_holds_on_both_sides(tmp_path: Path) -> None:
    body = "  {type: event_count, rules: base, timespan: 1m, condition: {gt: 1, lte: 3}}\n"
    events = [at(minute, a=1) for minute in (0, 0, 10, 10, 10, 20, 20, 20, 20)]
    assert found(tmp_path, body, events) == [[0, 1], [2, 3, 4]]


def test_value_count_counts_different_values_and_no_value_is_none(tmp_path: Path) -> None:
    body = "  {type: value_count, rules: base, group-by: who, timespan: 10m, condition: {field: r, gte: 3}}\n"
    events = [at(i, a=1, who="x", r=r) for i, r in enumerate(["p", "q", "q", None, "p"])]
    assert found(tmp_path, body, events) == []
    assert found(tmp_path, body, [*events, at(6, a=1, who="x", r="s")]) == [[0, 1, 2, 4, 5]]


def test_value_count_over_two_fields_counts_pairs(tmp_path: Path) -> None:
    body = "  {type: value_count, rules: base, timespan: 10m, condition: {field: [p, q], gte: 3}}\n"
    events = [at(i, a=1, p=p, q=q) for i, (p, q) in enumerate([("1", "1"), ("1", "2"), ("1", "1"), ("2", "1")])]
    assert found(tmp_path, body, events) == [[0, 1, 2, 3]]
    assert found(tmp_path, body, events[:3]) == []


def test_temporal_wants_all_its_rules_in_any_order(tmp_path: Path) -> None:
    body = "  {type: temporal, rules: [base, other], group-by: [who], timespan: 10m}\n"
    events = [at(0, b=1, who="x"), at(5, a=1, who="x"), at(6, a=1, who="y"), at(30, a=1, who="x")]
    assert found(tmp_path, body, events) == [[0, 1]]


def test_an_event_that_matches_two_base_rules_counts_once(tmp_path: Path) -> None:
    body = "  {type: event_count, rules: [base, other], timespan: 10m, condition: {gte: 3}}\n"
    assert found(tmp_path, body, [at(0, a=1, b=1), at(1, a=1, b=1)]) == []


def test_base_rules_report_nothing_themselves_unless_asked(tmp_path: Path) -> None:
    events = write_events(tmp_path / "e.jsonl", [at(i, a=1, who="x") for i in range(3)])
    quiet, _ = run(write_rules(tmp_path / "q.yml", BASE, correlate(COUNT)), events)
    asked = COUNT.replace("{type", "{generate: true, type")
    loud, _ = run(write_rules(tmp_path / "l.yml", BASE, correlate(asked)), events)
    assert rows_by_title(quiet) == {"together": [[0, 1, 2]]}
    assert rows_by_title(loud) == {"base": [0, 1, 2], "together": [[0, 1, 2]]}


@pytest.mark.parametrize(
    "times", [[0, 60, 120], [0.0, 60.5, 120.0], [1_772_323_200_000, 1_772_323_260_000, 1_772_323_320_000]]
)
def test_times_may_be_epoch_seconds_or_milliseconds(tmp_path: Path, times: list[float]) -> None:
    assert found(tmp_path, COUNT, [{"ts": time, "a": 1, "who": "x"} for time in times], "ts") == [[0, 1, 2]]


def test_offsets_are_heeded(tmp_path: Path) -> None:
    texts = ["2026-03-01T12:00:00+02:00", "2026-03-01T10:01:00Z", "2026-03-01 05:02:00-0500", "2026-03-01T12:03:00Z"]
    assert found(tmp_path, COUNT, [{"event_time": text, "a": 1, "who": "x"} for text in texts]) == [[0, 1, 2]]


def test_events_without_a_time_are_told_of(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "r.yml", BASE, correlate(COUNT))
    events = write_events(tmp_path / "e.jsonl", [{"a": 1, "who": "x", "event_time": "noon"}, {"a": 1, "who": "x"}])
    matches, result = run(rules, events)
    assert matches == []
    assert "2 matching events have no time in 'event_time'" in result.remarks[0]


REFUSED = [
    ("{type: evnt_count, rules: base, timespan: 1m, condition: {gte: 1}}", "Did you mean event_count?"),
    ("{type: event_count, rules: bse, timespan: 1m, condition: {gte: 1}}", "Did you mean base?"),
    ("{type: event_count, rules: together, timespan: 1m, condition: {gte: 1}}", "no rule is named"),
    ("{type: event_count, rules: base, timespan: 1 hour, condition: {gte: 1}}", "is not a time span"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: 1, field: x}}", "takes no `field`"),
    ("{type: value_count, rules: base, timespan: 1m, condition: {gte: 1}}", "needs `field`"),
    ("{type: temporal, rules: [base, other], timespan: 1m, condition: base and othr}", "Did you mean other?"),
    ("{type: temporal, rules: [base, other], timespan: 1m, condition: base or}", "cannot be read"),
    ("{type: temporal, rules: [base, other], timespan: 1m, condition: base}", "does not name 'other'"),
    ("{type: temporal, rules: [base], timespan: 1m, condition: base and not base}", "no window meets"),
    ("{type: temporal, rules: [base], timespan: 1m, condition: not base}", "no window meets"),
    ("{type: event_count, rules: [base], timespan: 1m, condition: base}", "takes no condition in words"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: 1}, aliases: {x: {base: y}}}", "never used"),
    (
        "{type: event_count, rules: base, group-by: x, timespan: 1m, condition: {gte: 1}, aliases: {x: {bse: y}}}",
        "base?",
    ),
    ("{type: event_count, rules: base, timespan: 1m, condition: {lt: 1}}", "asks for nothing to happen"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {eq: 0}}", "asks for nothing to happen"),
    ("{type: value_count, rules: base, timespan: 1m, condition: {field: x, lte: 0}}", "asks for nothing to happen"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {lt: 0}}", "no count meets"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gt: 1, lt: 2}}", "no count meets"),
    ("{type: temporal, rules: [base, other], timespan: 1m, condition: {gte: 3}}", "there are 2 rules"),
    ("{type: value_sum, rules: base, timespan: 1m, condition: {field: x, gt: 3, lt: 3}}", "no number meets"),
    ("{type: value_sum, rules: base, timespan: 1m, condition: {field: [x, y], gt: 3}}", "measures one field"),
    ("{type: value_percentile, rules: base, timespan: 1m, condition: {field: x, gt: 3}}", "needs `percentile`"),
    ("{type: value_median, rules: base, timespan: 1m, condition: {field: x, gt: 3, percentile: 5}}", "takes no `perc"),
    ("{type: value_percentile, rules: base, timespan: 1m, condition: {field: x, gt: 3, percentile: 101}}", "0 to 100"),
    ("{type: event_count, rules: self, timespan: 1m, condition: {gte: 1}}", "builds on itself"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: .inf}}", "is no number"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: many}}", "is no number"),
    ("{type: event_count, rules: base, timespan: 1m}", "needs a condition"),
    ("{type: event_count, rules: base, timspan: 1m, condition: {gte: 1}}", "Did you mean timespan?"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_run_is_refused_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    rules = write_rules(tmp_path / "r.yml", BASE, OTHER, f"title: together\nname: self\ncorrelation:\n  {body}\n")
    _, result = run(rules, write_events(tmp_path / "e.jsonl", [{}]))
    assert result.refused == 1
    assert said in result.remarks[0]
    assert f"{rules}:" in result.remarks[0]


def test_a_correlation_on_a_refused_rule_is_refused_too(tmp_path: Path) -> None:
    broken = rule_text("base", "s: {a|re: '(?=x)'}\ncondition: s", "name: base\n")
    _, result = run(write_rules(tmp_path / "r.yml", broken, correlate(COUNT)), write_events(tmp_path / "e.jsonl", [{}]))
    assert result.refused == 2
    assert "builds on 'base', which was refused" in " ".join(result.remarks)


def test_a_circle_is_refused_where_it_is_and_what_builds_on_it_too(tmp_path: Path) -> None:
    def chain(name: str, below: str) -> str:
        body = f"{{type: event_count, rules: [{below}], timespan: 1m, condition: {{gte: 1}}}}"
        return f"title: {name}\nname: {name}\ncorrelation:\n  {body}\n"

    texts = [chain("one", "two"), chain("two", "three, base"), chain("three", "one"), chain("four", "three"), BASE]
    rules = write_rules(tmp_path / "r.yml", *texts)
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", [at(0, a=1)]))
    assert matches == []
    assert [remark.split(": ", 2)[2].split("\n")[0] for remark in result.remarks if "refused:" in remark] == [
        "the correlation builds on itself, by way of 'two'",
        "the correlation builds on itself, by way of 'three' and 'base'",
        "the correlation builds on itself, by way of 'one'",
        "builds on 'three', which was refused",
    ]
    assert f"{rules}:4 " in result.remarks[0]


def test_rules_are_named_by_id_or_name_over_files(tmp_path: Path) -> None:
    base = rule_text("far", "s: {a: 1}\ncondition: s", "id: 6F3E2987-db24-4c78-a860-b4f4095a7095\nname: far\n")
    one = write_rules(tmp_path / "one.yml", base)
    body = "{type: event_count, rules: %s, timespan: 1m, condition: {gte: 1}}"
    texts = [correlate("  " + body % name) for name in ("6f3e2987-DB24-4c78-a860-b4f4095a7095", "far")]
    two = write_rules(tmp_path / "two.yml", *texts)
    matches, result = run([two, one], write_events(tmp_path / "e.jsonl", [at(0, a=1)]))
    assert (rows_by_title(matches), result.remarks) == ({"together": [[0], [0]]}, ())


def test_a_name_means_the_rule_of_the_same_file_first(tmp_path: Path) -> None:
    body = correlate("  {type: event_count, rules: base, timespan: 1m, condition: {gte: 1}}")
    write_rules(tmp_path / "one.yml", BASE, body)
    write_rules(tmp_path / "two.yml", BASE.replace("a: 1", "b: 1"), body.replace("together", "two"))
    events = write_events(tmp_path / "e.jsonl", [at(0, a=1), at(1, b=1)])
    matches, _ = run([tmp_path], events)
    assert rows_by_title(matches) == {"together": [[0]], "two": [[1]]}
    write_rules(tmp_path / "three.yml", body)
    _, result = run([tmp_path], events)
    assert "'base' is the name of 2 rules" in result.remarks[0]


def test_the_example_of_the_specification(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "r.yml",
        """
        title: Correlation - Multiple Failed Logins Followed by Successful Login
        id: b180ead8-d58f-40b2-ae54-c8940995b9b6
        correlation:
          {type: temporal_ordered, rules: [multiple_failed_login, successful_login], group-by: [User], timespan: 10m}
        level: high
        """,
        """
        title: Multiple failed logons
        name: multiple_failed_login
        correlation:
          {type: event_count, rules: [failed_login], group-by: [User], timespan: 10m, condition: {gte: 10}}
        """,
        "name: failed_login\nlogsource: {product: windows}\n"
        "detection: {selection: {EventID: [529, 4625]}, condition: selection}",
        "name: successful_login\nlogsource: {product: windows}\n"
        "detection: {selection: {EventID: [528, 4624]}, condition: selection}",
    )
    failed = [at(minute / 2, EventID=4625, User="x") for minute in range(12)]
    events = [*failed, at(9, EventID=4624, User="y"), at(10, EventID=4624, User="x")]
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", events))
    assert result.remarks == ()
    assert [match["events"] for match in matches] == [[*range(12), 13]]
