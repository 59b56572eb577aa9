"""Source rows to events: every row is an event or a reject, values mean what the contract says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import batch, both, events, shipped

from detector.config import Settings
from detector.ingest.normalise import NORMALISED_SCHEMA, normalise, prepare
from detector.ingest.prepare import notices, provided, unmapped
from detector.schema import ACTIONS, EVENT_SCHEMA, MAPPABLE

GOOD = {"event_time": "2026-03-02T10:00:00Z", "system": "PNC", "action": "search", "operator_id": "op1"}
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


def one(source: str = "canonical", settings: Settings | None = None, **values: str | None) -> dict[str, Any]:
    base = GOOD if source == "canonical" else {}
    (event,) = events([{**base, **values}], source, settings or Settings())
    return event


def reason(**values: str | None) -> tuple[str, str]:
    _, (reject,) = both([{**GOOD, **values}])
    return reject.reason, reject.detail


def test_four_columns_are_enough() -> None:
    event = one()
    filled = {name: value for name, value in event.items() if value is not None}
    assert filled.pop("event_id") == event["event_id"]
    assert filled == {
        "event_time": TEN, "system": "PNC", "action": "search", "operator_id": "op1", "actor_id": "op1",
        "source_name": "canonical", "source_line": 1,
    }  # fmt: skip


def test_table_has_the_schema_of_events() -> None:
    table, _ = normalise(batch([GOOD]), prepare(shipped()["canonical"], Settings(), env={}))
    assert table.schema == NORMALISED_SCHEMA
    added_by_the_run = {"source_file", "source_sha256", "ingested_at"}
    assert [f.name for f in EVENT_SCHEMA if f.name not in added_by_the_run] == table.column_names


def test_absent_and_blank_stay_apart() -> None:
    first, second = events([{**GOOD, "reason_text": "", "unit": None}, {**GOOD, "reason_text": None, "unit": ""}])
    assert (first["reason_text"], first["unit"]) == ("", None)
    assert (second["reason_text"], second["unit"]) == (None, "")
    assert first["role"] is None


def test_actor_is_the_requester_where_there_is_one() -> None:
    rows = [{**GOOD, "requester_id": value} for value in ("req1", "", " ", None)]
    assert [event["actor_id"] for event in events(rows)] == ["req1", "op1", "op1", "op1"]


def test_identifiers_are_trimmed_and_free_text_is_not() -> None:
    event = one(operator_id=" op1\t", record_id="\u00a0R1 ", reason_text=" why\n ", query_text=" A B ")
    assert (event["operator_id"], event["record_id"]) == ("op1", "R1")
    assert (event["reason_text"], event["query_text"]) == (" why\n ", " A B ")


@pytest.mark.parametrize("name", ["operator_id", "system", "record_id", "unit", "event_id", "recipient"])
def test_control_characters_in_identifiers(name: str) -> None:
    assert reason(**{name: "a\x07b"}) == ("bad_value", f"{name}: 'a\\x07b' holds a control character")


@pytest.mark.parametrize("name", ["event_time", "system", "action", "operator_id"])
@pytest.mark.parametrize("value", ["", "  ", None])
def test_required_values(name: str, value: str | None) -> None:
    assert reason(**{name: value}) == ("missing_required", f"{name} is missing")


@pytest.mark.parametrize("name", ["event_time", "system", "action", "operator_id"])
def test_required_columns(name: str) -> None:
    _, (reject,) = both([{key: value for key, value in GOOD.items() if key != name}])
    assert (reject.reason, reject.detail, reject.line) == ("missing_required", f"{name} is missing", 1)


def test_actions_and_outcomes_in_any_case() -> None:
    events_ = events([{**GOOD, "action": a.upper(), "outcome": "No_Trace"} for a in ACTIONS])
    assert [event["action"] for event in events_] == list(ACTIONS)
    assert {event["outcome"] for event in events_} == {"no_trace"}


def test_unknown_action_and_outcome() -> None:
    assert reason(action="peruse") == ("unknown_action", "action: 'peruse' is not known to the mapping")
    assert reason(outcome="maybe") == ("unknown_outcome", "outcome: 'maybe' is not known to the mapping")


def test_blank_outcome_is_none() -> None:
    assert one(outcome="")["outcome"] is None


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("007", 7), (" 12 ", 12), ("", None), (None, None), ("9" * 18, 10**18 - 1)]
)
def test_counts(text: str | None, value: int | None) -> None:
    other = {**GOOD, "result_count": "x1", "scope_count": "1"}  # makes the column go the careful way
    found, (reject,) = both([{**GOOD, "result_count": text, "scope_count": "1"}, other])
    assert found[0]["result_count"] == value
    assert (reject.line, reject.reason, reject.detail) == (2, "bad_value", "result_count: 'x1' is no whole number")


@pytest.mark.parametrize("text", ["-1", "+1", "1.0", "1e3", "0x1F", "1,000", "٣", "9" * 19, "1 000", "one"])
def test_what_is_no_count(text: str) -> None:
    assert reason(result_count=text)[0] == "bad_value"


def test_thousands_only_where_stated() -> None:
    row = {"id": "1", "userId": "u", "searchDate": "2026-03-02 10:00:00"}
    counts = ["85,186", "1,204,311", "94", "8,51,86", "85.186"]
    found, rejects = both([{**row, "networkCount": count} for count in counts], "alpr-portal")
    assert [event["scope_count"] for event in found] == [85186, 1204311, 94]
    assert [(reject.line, reject.reason) for reject in rejects] == [(4, "bad_value"), (5, "bad_value")]


def test_flags() -> None:
    rows = [{**GOOD, "is_automatic": text} for text in ("true", "No", "1", "", "perhaps")]
    found, (reject,) = both(rows)
    assert [event["is_automatic"] for event in found] == [True, False, True, None]
    assert reject.detail == "is_automatic: 'perhaps' is neither true nor false"


def test_one_bad_row_leaves_its_neighbours() -> None:
    rows = [{**GOOD, "event_id": str(n), "event_time": f"2026-03-02T10:00:{n:02d}Z"} for n in range(5)]
    rows[2]["event_time"] = "2026-02-30T10:00:00Z"
    found, (reject,) = both(rows)
    assert [(event["event_id"], event["event_time"].second, event["source_line"]) for event in found] == [
        ("0", 0, 1), ("1", 1, 2), ("3", 3, 4), ("4", 4, 5)]  # fmt: skip
    assert reject.raw == str(rows[2])
    assert reject.detail == "event_time: '2026-02-30T10:00:00Z' is no time of the form iso8601"


def test_a_row_is_rejected_once_for_the_first_fault() -> None:
    _, rejects = both([{**GOOD, "event_time": "?", "action": "peruse", "operator_id": "", "result_count": "x"}])
    assert [reject.reason for reject in rejects] == ["bad_time"]


def test_bounds_are_arguments() -> None:
    prepared = prepare(shipped()["canonical"], Settings(), env={})
    rows = batch([{**GOOD, "event_time": t} for t in ("2026-03-02T10:00:00Z", "2026-03-02T10:00:01Z")])
    _, (early,) = normalise(rows, prepared, earliest=datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC))
    _, (late,) = normalise(rows, prepared, latest=TEN)
    assert (early.line, early.reason, late.line, late.reason) == (1, "bad_time", 2, "bad_time")


# --- ids


def test_own_id_is_kept_and_a_blank_one_made() -> None:
    rows = [{**GOOD, "event_id": value} for value in ("E-1", "", None)]
    first, second, third = (event["event_id"] for event in events(rows))
    assert first == "E-1"
    assert second == third == one()["event_id"]
    assert len(second) == 32


def test_every_value_counts_for_the_id() -> None:
    rows = [
        {},
        {"unit": ""},
        {"unit": "x"},
        {"role": "x"},
        {"result_count": "1"},
        {"event_time": "2026-03-02T10:00:01Z"},
    ]
    ids = {event["event_id"] for event in events([{**GOOD, **row} for row in rows])}
    assert len(ids) == len(rows)


def test_values_cannot_be_shifted_into_each_other() -> None:
    first = one(unit="x", role="4role1y")["event_id"]
    assert first != one(unit="x4role1y", role="")["event_id"]


def test_id_does_not_hang_on_settings_or_spelling() -> None:
    local = Settings.model_validate({"sources": {"canonical": {"local_zone": "America/Los_Angeles"}}})
    assert one(settings=local)["event_id"] == one()["event_id"]
    assert one(event_time="2026-03-02T11:00:00+01:00", action="SEARCH")["event_id"] == one()["event_id"]


# --- local time


def test_local_zone_gives_offsets() -> None:
    local = Settings.model_validate({"sources": {"canonical": {"local_zone": "Europe/London"}}})
    winter, summer = events([GOOD, {**GOOD, "event_time": "2026-07-01T10:00:00Z"}], settings=local)
    assert (winter["utc_offset_minutes"], summer["utc_offset_minutes"]) == (0, 60)


def test_offset_in_the_time_is_kept_and_z_says_nothing() -> None:
    rows = [{**GOOD, "event_time": t} for t in ("2026-03-02T02:00:00-08:00", "2026-03-02T10:00:00Z")]
    assert [event["utc_offset_minutes"] for event in events(rows)] == [-480, None]
    assert [event["event_time"] for event in events(rows)] == [TEN, TEN]


def test_offset_column_goes_first() -> None:
    local = Settings.model_validate({"sources": {"canonical": {"local_zone": "Europe/London"}}})
    rows = [{**GOOD, "utc_offset_minutes": value} for value in ("-480", "", None, "+01:00", "Asia/Kathmandu")]
    assert [event["utc_offset_minutes"] for event in events(rows, settings=local)] == [-480, 0, 0, 60, 345]
    assert reason(utc_offset_minutes="1081")[0] == "bad_value"


def test_zone_of_naive_times_can_be_set() -> None:
    row = {"user": "u", "user_organization": "o", "object_type": "camera", "operation": "view",
           "timestamp": "1/2/2025 7:31:00"}  # fmt: skip
    zone = Settings.model_validate({"sources": {"camera-sharing": {"time_zone": "America/Chicago"}}})
    ((event,), (rejected,)) = (events([row], "camera-sharing", zone), [events([row], "camera-sharing")[0]])
    assert event["event_time"] == datetime(2025, 1, 2, 13, 31, tzinfo=UTC)
    assert event["utc_offset_minutes"] == -360
    assert rejected["event_time"] == datetime(2025, 1, 2, 7, 31, tzinfo=UTC)


def test_a_stopgap_zone_is_said_aloud_until_it_is_set() -> None:
    camera = shipped()["camera-sharing"]
    zone = Settings.model_validate({"sources": {"camera-sharing": {"time_zone": "America/Chicago"}}})
    assert notices(camera, Settings()) == [
        "camera-sharing: its times name no zone and are read as UTC; set sources.camera-sharing.time_zone"
    ]
    assert notices(camera, zone) == []


# --- what a file gives


def test_what_a_file_provides() -> None:
    mappings = shipped()
    portal = ["id", "userId", "searchDate", "cameraCount", "note"]
    assert provided(portal, mappings["alpr-portal"]) == (
        "event_id", "event_time", "system", "action", "operator_id", "record_type", "scope_count")  # fmt: skip
    assert unmapped(portal, mappings["alpr-portal"]) == ("note",)
    assert set(provided(["when", "originator", "user"], mappings["pnc-transaction"])) >= {"requester_id", "case_ref"}
    assert provided(list(MAPPABLE), mappings["canonical"]) == MAPPABLE


def test_first_field_that_has_a_value_wins() -> None:
    row = {"id": "1", "userId": "u", "searchDate": "2026-03-02 10:00:00"}
    rows = [{**row, "networkCount": n, "cameraCount": c} for n, c in (("1", "2"), ("", "2"), (None, "2"), ("", ""))]
    assert [event["scope_count"] for event in events(rows, "alpr-portal")] == [1, 2, 2, None]


TEXT = st.text(st.characters(codec="utf-8"), max_size=12) | st.none()


@given(
    st.lists(
        st.fixed_dictionaries({
            "event_time": st.sampled_from(["2026-03-02T10:00:00Z", "2026-03-02 10:00", "", None, "x"]) | TEXT,
            "system": st.sampled_from(["PNC", ""]) | TEXT,
            "action": st.sampled_from(["search", "VIEW", "x"]) | TEXT,
            "operator_id": st.sampled_from(["op", ""]) | TEXT,
            "requester_id": TEXT,
            "result_count": st.sampled_from(["1", "-1", ""]) | TEXT,
            "utc_offset_minutes": st.sampled_from(["60", "Z", ""]) | TEXT,
            "is_automatic": TEXT,
            "outcome": st.sampled_from(["success", ""]) | TEXT,
            "reason_text": TEXT,
        }),
        max_size=8,
    )
)  # fmt: skip
def test_every_row_is_an_event_or_a_reject(rows: list[dict[str, str | None]]) -> None:
    """Whatever the values, nothing is lost, nothing is twice, and a row's fate does not hang on its neighbours."""
    found, rejects = both(rows)
    assert sorted([event["source_line"] for event in found] + [r.line for r in rejects]) == list(
        range(1, len(rows) + 1)
    )
    for event in found:
        assert event["operator_id"]
        assert event["actor_id"] == (event["requester_id"] or event["operator_id"])
        (alone,) = events([rows[event["source_line"] - 1]])
        assert {**alone, "source_line": 0} == {**event, "source_line": 0}
    for reject in rejects:
        alone_found, (again,) = both([rows[reject.line - 1]])
        assert (alone_found, again.reason, again.detail) == ([], reject.reason, reject.detail)


def test_slices_and_chunks_make_no_difference() -> None:
    rows = [{**GOOD, "event_id": str(n), "unit": f" u{n}", "result_count": str(n)} for n in range(6)]
    whole = batch(rows)
    chunked = pa.concat_tables([whole.columns.slice(0, 1), whole.columns.slice(1, 3), whole.columns.slice(4)])
    prepared = prepare(shipped()["canonical"], Settings(), env={})
    first, _ = normalise(whole, prepared)
    second, _ = normalise(type(whole)(chunked, whole.lines, whole.raw), prepared)
    part, _ = normalise(type(whole)(whole.columns.slice(2, 2), whole.lines.slice(2, 2), whole.raw), prepared)
    assert first.to_pylist() == second.to_pylist()
    assert part.to_pylist() == first.slice(2, 2).to_pylist()
