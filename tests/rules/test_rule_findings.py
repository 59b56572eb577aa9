"""From matches to findings: who, which events, and what the reviewer reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from rule_helpers import write_rules

from detector.engine import connect
from detector.records import Finding
from detector.rules.findings import MOST_EVENTS, rule_findings
from detector.rules.load import load_rules
from detector.rules.names import feature_names
from detector.rules.nightly import NightlyRules
from detector.rules.pack import active_rules
from detector.schema import EVENT_SCHEMA

NIGHT = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

STREAK = """
title: Many days in a row
id: 11111111-1111-4111-8111-111111111111
tags: [misuse.off_duty]
level: low
logsource: {category: record_access, product: police_index}
detection:
  s: {streak_days|gte: 5}
  condition: s
detector:
  explanation: "{count} of {records} on {days}, from {first} to {last}: day {streak_days}."
"""
PLAIN = """
title: Denied
level: medium
tags: [misuse.probing]
detection:
  s: {outcome: denied, failed_24h|gte: 3}
  condition: s
"""
HERD = """
title: viewed
name: viewed
detection:
  s: {action: view}
  condition: s
---
title: Herd
level: high
correlation:
  {type: value_count, rules: viewed, group-by: [record_id], timespan: 24h, condition: {field: actor_id, gte: 3}}
detector:
  explanation: "One of {who} on {records}."
"""


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    connection = connect()
    yield connection
    connection.disconnect()


def event(number: int, **fields: Any) -> dict[str, Any]:
    fixed = {
        "event_id": f"e{number:04d}", "event_time": NOON + timedelta(minutes=number), "system": "PNC",
        "action": "view", "operator_id": "A", "actor_id": "A", "source_name": "t", "in_night": True,
    }  # fmt: skip
    return {**fixed, **fields}


def table(events: Sequence[dict[str, Any]], features: Sequence[str] = ()) -> Any:
    schema = pa.schema([field.with_nullable(True) for field in EVENT_SCHEMA])
    for name in features:
        schema = schema.append(pa.field(name, pa.float64()))
    return ibis.memtable(pa.Table.from_pylist(list(events), schema=schema.append(pa.field("in_night", pa.bool_()))))


def findings(con: Any, path: Path, rule: str, events: Sequence[dict[str, Any]]) -> list[Finding]:
    pack = load_rules([write_rules(path / "r.yml", rule)], strict=False)
    assert pack.refusals == ()
    return rule_findings(con, NightlyRules(pack), NIGHT, table(events, sorted(feature_names())))


def test_one_finding_a_rule_and_actor_with_all_its_events(con: Any, tmp_path: Path) -> None:
    events = [
        event(3, streak_days=5, record_id="R2"),
        event(1, streak_days=6, record_id="R1", utc_offset_minutes=60),
        event(2, streak_days=4, record_id="R9"),
        event(4, streak_days=7, record_id="R1", actor_id="B"),
    ]
    first, second = findings(con, tmp_path, STREAK, events)
    assert (first.actor_id, first.event_ids) == ("A", ("e0001", "e0003"))
    assert (first.rule_id, first.level, first.theme) == ("11111111-1111-4111-8111-111111111111", "low", "off_duty")
    assert (first.first_event_time, first.last_event_time) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert first.explanation == (
        "2 look-ups of records R1, R2 on 1 day, from 13:01 on 2 March 2026 to 12:03 on 2 March 2026: day 6."
    )
    assert [(item.feature, item.value) for item in first.usual] == [("streak_days", 6.0)]
    assert (second.actor_id, second.event_ids) == ("B", ("e0004",))


def known_usual(con: Any, tmp_path: Path, rule: str, events: Sequence[dict[str, Any]], **usual: Any) -> Finding:
    asked = []

    def usual_of(people: Sequence[str], features: Sequence[str]) -> dict[str, Any]:
        asked.append((list(people), list(features)))
        return {"A": usual}

    pack = load_rules([write_rules(tmp_path / "r.yml", rule)], strict=False)
    (finding,) = rule_findings(con, NightlyRules(pack), NIGHT, table(events, sorted(feature_names())), usual_of)
    assert asked == [(["A"], sorted(item.feature for item in finding.usual))]
    return finding


def test_a_number_in_the_rules_own_sentence_is_followed_by_what_is_usual(con: Any, tmp_path: Path) -> None:
    finding = known_usual(con, tmp_path, STREAK, [event(0, streak_days=6)], streak_days=(1.0, 0.25))
    assert finding.explanation == (
        "1 look-up of no particular record on 1 day, from 12:00 on 2 March 2026 to 12:00 on 2 March 2026: day 6."
        " Usual for this actor 1 day, for peers 0.25 days."
    )
    (usual,) = finding.usual
    assert (usual.value, usual.own, usual.peers) == (6.0, 1.0, 0.25)
    assert usual.sentence == "6 days in a row with look-ups; usual for this actor 1, for peers 0.25"


def test_of_several_numbers_each_is_told_with_its_own(con: Any, tmp_path: Path) -> None:
    rule = STREAK.replace("day {streak_days}", "day {streak_days}, {lookups_24h}").replace(
        "{streak_days|gte: 5}", "{streak_days|gte: 5, failed_24h|gte: 1}"
    )
    events = [event(0, streak_days=6, lookups_24h=40, failed_24h=3)]
    finding = known_usual(con, tmp_path, rule, events, streak_days=(2.0, None), failed_24h=(None, 0.0))
    assert finding.explanation.endswith(
        ": day 6, 40. 6 days in a row with look-ups; usual for this actor 2, for peers unknown."
        " 3 look-ups denied or failed in 24 hours; usual for this actor unknown, for peers 0."
    ), "of what nothing usual is known the number is enough"


def test_without_a_past_nothing_is_said_to_be_usual(con: Any, tmp_path: Path) -> None:
    finding = known_usual(con, tmp_path, STREAK, [event(0, streak_days=6)])
    assert finding.explanation.endswith(": day 6.")


def test_a_flag_that_is_down_says_nothing(con: Any, tmp_path: Path) -> None:
    rule = "title: t\ndetection:\n  s: {streak_days|gte: 5}\n  new: {new_terminal: 1}\n  condition: s and not new\n"
    (finding,) = findings(con, tmp_path, rule, [event(0, streak_days=5, new_terminal=0)])
    assert [item.feature for item in finding.usual] == ["streak_days"]
    assert "terminal" not in finding.explanation


def test_without_a_sentence_of_its_own_a_rule_still_explains(con: Any, tmp_path: Path) -> None:
    (finding,) = findings(con, tmp_path, PLAIN, [event(0, outcome="denied", failed_24h=3)])
    assert finding.explanation == (
        "Denied: 1 look-up of no particular record, at 12:00 on 2 March 2026. 3 look-ups denied or failed in 24 hours."
    )


def test_many_events_are_cut_and_the_explanation_says_so(con: Any, tmp_path: Path) -> None:
    (finding,) = findings(con, tmp_path, STREAK, [event(i, streak_days=5, record_id=f"R{i}") for i in range(250)])
    assert finding.event_ids == tuple(f"e{i:04d}" for i in range(MOST_EVENTS))
    assert finding.explanation.startswith("250 look-ups of 250 different records on 1 day")
    assert finding.explanation.endswith(f"The first {MOST_EVENTS} of 250 look-ups are attached.")


def test_a_later_event_beyond_those_kept_makes_another_finding(con: Any, tmp_path: Path) -> None:
    events = [event(i, streak_days=5) for i in range(MOST_EVENTS + 2)]
    ids = [findings(con, tmp_path, STREAK, events[:end])[0].finding_id for end in (-2, -1, None, None)]
    assert len(set(ids)) == 3
    assert ids[2] == ids[3]


def test_the_nights_own_events_are_kept_before_earlier_ones(con: Any, tmp_path: Path) -> None:
    herd = [event(-900 - i, actor_id="B", record_id="R1", in_night=False) for i in range(2)]
    before = [event(-800 + i, record_id="R1", in_night=False) for i in range(MOST_EVENTS)]
    rule = HERD.replace("value_count", "event_count").replace("field: actor_id, ", "")
    (finding,) = findings(con, tmp_path, rule, [*herd, *before, event(1, record_id="R1"), event(2, record_id="R1")])
    assert finding.event_ids[-2:] == ("e0001", "e0002")
    assert len(finding.event_ids) == MOST_EVENTS
    assert finding.explanation.endswith("200 of 202 look-ups are attached, this night's before earlier ones.")


@pytest.mark.parametrize(("lines", "count"), [((1, 2), 1), ((2, 1), 0)])
def test_events_of_one_time_are_in_the_order_of_the_source(
    con: Any, tmp_path: Path, lines: tuple[int, int], count: int
) -> None:
    rule = """
    name: search
    detection: {s: {action: search}, condition: s}
    ---
    name: view
    detection: {s: {action: view}, condition: s}
    ---
    title: Then
    correlation: {type: temporal_ordered, rules: [search, view], group-by: [actor_id], timespan: 1h}
    """
    texts = [{"action": action, "source_line": line} for action, line in zip(("search", "view"), lines, strict=True)]
    events = [event(i, **fields) | {"event_time": NOON} for i, fields in enumerate(texts)]
    for given in (events, events[::-1]):
        assert len(findings(con, tmp_path, rule, given)) == count


def test_detections_look_at_the_night_alone(con: Any, tmp_path: Path) -> None:
    assert findings(con, tmp_path, STREAK, [event(0, streak_days=9, in_night=False)]) == []


def test_an_episode_is_a_finding_about_everybody_of_this_night(con: Any, tmp_path: Path) -> None:
    events = [
        event(-700, actor_id="C", record_id="R1", in_night=False),
        event(1, actor_id="A", record_id="R1"),
        event(2, actor_id="B", record_id="R1"),
        event(3, actor_id="A", record_id="R1"),
        event(4, actor_id="A", record_id="R2"),
    ]
    found = findings(con, tmp_path, HERD, events)
    assert [(item.actor_id, item.event_ids) for item in found] == [("A", ("e0001", "e0003")), ("B", ("e0002",))]
    assert {item.explanation for item in found} == {"One of 3 people on record R1."}


def test_an_episode_wholly_before_the_night_was_found_before(con: Any, tmp_path: Path) -> None:
    events = [event(i, actor_id=actor, record_id="R1", in_night=False) for i, actor in enumerate("ABC")]
    assert findings(con, tmp_path, HERD, events) == []


def test_no_events_no_findings(con: Any, tmp_path: Path) -> None:
    assert findings(con, tmp_path, f"{STREAK}---{HERD}", []) == []


def test_the_same_events_give_the_same_findings(con: Any, tmp_path: Path) -> None:
    events = [event(i, streak_days=5 + i % 3, actor_id=f"P{i % 4}", record_id="R") for i in range(40)]
    forth = findings(con, tmp_path, f"{STREAK}---{HERD}", events)
    back = findings(con, tmp_path, f"{STREAK}---{HERD}", events[::-1])
    assert forth == back
    assert len(forth) == 8


def test_a_rule_without_its_feature_or_table_is_inactive_and_says_why(con: Any, tmp_path: Path) -> None:
    tables = PLAIN.replace("Denied", "Needs staff") + "detector: {reference_tables: [staff, shifts]}\n"
    pack = load_rules([write_rules(tmp_path / "r.yml", STREAK, PLAIN, tables, HERD)], strict=False)
    columns = [*EVENT_SCHEMA.names, "failed_24h"]
    active, inactive = active_rules(pack, columns, ["staff"])
    assert [rule.about.title for rule in active.rules] == ["Denied", "Herd"]
    assert [(item.title, item.reason) for item in inactive] == [
        ("Many days in a row", "needs streak_days"),
        ("Needs staff", "needs reference table shifts"),
    ]
    events = [event(0, outcome="denied", failed_24h=9)]
    assert [item.title for item in rule_findings(con, NightlyRules(active), NIGHT, table(events, ["failed_24h"]))] == [
        "Denied"
    ]


def test_a_pack_knows_what_it_needs(tmp_path: Path) -> None:
    pack = load_rules([write_rules(tmp_path / "r.yml", STREAK, HERD)], strict=False)
    assert pack.features == {"streak_days"}
    assert pack.lookback == timedelta(hours=24)
