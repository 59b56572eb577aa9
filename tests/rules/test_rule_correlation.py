"""Correlations against a loop that anyone can read, and the corners by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_helpers import rows_by_title, rule_text, run, write_events, write_rules

from detector.engine import connect
from detector.rules.correlation import episodes
from detector.rules.pack import About, Bound, Correlation, CorrelationType

OPERATORS = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}
Match = tuple[int | None, str | None, str | None, bool, bool]


def correlation(kind: CorrelationType, span: int, bounds: Sequence[Bound]) -> Correlation:
    about = About("k", "id", "t", "low", Path("x.yml"), 1)
    values = ("v",) if kind == "value_count" else ()
    return Correlation(about, kind, ("a", "b"), timedelta(microseconds=span), ("g",), tuple(bounds), values)


def by_hand(rule: Correlation, matches: Sequence[Match]) -> list[list[int]]:
    """Every window ends at an event and reaches back over the span; hits that share an event are one episode."""
    span = rule.timespan // timedelta(microseconds=1)
    groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, (time, group, _, _, _) in enumerate(matches):
        if time is not None and group is not None:
            groups[group].append((time, row))
    found = []
    for events in groups.values():
        events.sort()
        windows = [{row for time, row in events if end - span <= time <= end} for end, _ in events]
        hits = [window for window in windows if holds(rule, [matches[row] for row in window])]
        merged: list[set[int]] = []
        for hit in hits:
            if merged and merged[-1] & hit:
                merged[-1] |= hit
            else:
                merged.append(set(hit))
        found += [sorted(rows, key=lambda row: (matches[row][0], row)) for rows in merged]
    return sorted(found)


def holds(rule: Correlation, window: Sequence[Match]) -> bool:
    if rule.type == "event_count":
        count = len(window)
    elif rule.type == "value_count":
        count = len({value for _, _, value, _, _ in window if value is not None})
    else:
        count = any(a for _, _, _, a, _ in window) + any(b for _, _, _, _, b in window)
    return all(OPERATORS[name](count, number) for name, number in rule.bounds)


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    connection = connect()
    yield connection
    connection.disconnect()


def by_engine(con: Any, rule: Correlation, matches: Sequence[Match]) -> list[list[int]]:
    names = ("time", "group_0", "value_0", "rule_0", "rule_1")
    kinds = (pa.int64(), pa.string(), pa.string(), pa.bool_(), pa.bool_())
    columns = {
        name: pa.array([match[index] for match in matches], kind)
        for index, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    table = ibis.memtable(pa.table({"row": pa.array(range(len(matches)), pa.int64()), **columns}))
    return sorted(con.to_pyarrow(episodes(rule, table)).column("rows").to_pylist())


flags = st.sampled_from([(True, False), (False, True), (True, True)])
match_rows = st.tuples(
    st.integers(0, 30) | st.none(), st.sampled_from(["x", "y", None]), st.sampled_from(["1", "2", "3", None]), flags
).map(lambda row: (*row[:3], *row[3]))
some_bounds = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATORS)), st.integers(0, 5)), min_size=1, max_size=2, unique_by=lambda b: b[0]
)


@settings(max_examples=60)
@given(
    kind=st.sampled_from(["event_count", "value_count", "temporal"]),
    span=st.integers(1, 8),
    bounds=some_bounds,
    matches=st.lists(match_rows, min_size=1, max_size=25),
)
def test_the_engine_finds_what_a_loop_finds(
    con: Any, kind: CorrelationType, span: int, bounds: list[Bound], matches: list[Match]
) -> None:
    rule = correlation(kind, span, bounds)
    assert by_engine(con, rule, matches) == by_hand(rule, matches)


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
    assert found(tmp_path, body, [*events, at(6, a=1, who="x", r="s")]) == [[0, 1, 2, 3, 4, 5]]


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
    ("{type: temporal_ordered, rules: [base], timespan: 1m}", "temporal_ordered is not supported yet"),
    ("{type: value_sum, rules: base, timespan: 1m, condition: {field: x, gte: 1}}", "value_sum is not supported yet"),
    ("{type: evnt_count, rules: base, timespan: 1m, condition: {gte: 1}}", "Did you mean event_count?"),
    ("{type: event_count, rules: bse, timespan: 1m, condition: {gte: 1}}", "Did you mean base?"),
    ("{type: event_count, rules: together, timespan: 1m, condition: {gte: 1}}", "no rule is named"),
    ("{type: event_count, rules: base, timespan: 1 hour, condition: {gte: 1}}", "is not a time span"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: 1, field: x}}", "takes no `field`"),
    ("{type: value_count, rules: base, timespan: 1m, condition: {gte: 1}}", "needs `field`"),
    ("{type: temporal, rules: [base, other], timespan: 1m, condition: base and other}", "extended conditions"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: 1}, aliases: {x: {base: y}}}", "aliases"),
    ("{type: event_count, rules: base, timespan: 1m, condition: {gte: many}}", "is no number"),
    ("{type: event_count, rules: base, timespan: 1m}", "needs a condition"),
    ("{type: event_count, rules: base, timspan: 1m, condition: {gte: 1}}", "Did you mean timespan?"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_run_is_refused_with_its_line(tmp_path: Path, body: str, said: str) -> None:
    rules = write_rules(tmp_path / "r.yml", BASE, OTHER, f"title: together\ncorrelation:\n  {body}\n")
    _, result = run(rules, write_events(tmp_path / "e.jsonl", [{}]))
    assert result.refused == 1
    assert said in result.remarks[0]
    assert f"{rules}:" in result.remarks[0]


def test_a_correlation_on_a_refused_rule_is_refused_too(tmp_path: Path) -> None:
    broken = rule_text("base", "s: {a|re: '(?=x)'}\ncondition: s", "name: base\n")
    _, result = run(write_rules(tmp_path / "r.yml", broken, correlate(COUNT)), write_events(tmp_path / "e.jsonl", [{}]))
    assert result.refused == 2
    assert "builds on 'base', which was refused" in " ".join(result.remarks)
