"""What must hold whatever the log: no later event matters, and no order of rows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
from feature_world import MONDAY, Connect, Nights, Values, at, known, look
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.context.reference import Reference

#: Few of everything, and whole minutes: so that people, records and instants meet often.
_COLUMNS = {
    "action": st.sampled_from(["search", "view", "print", "export", "login"]),
    "operator_id": st.sampled_from(["alice", "bob", "carol", "***"]),
    "requester_id": st.sampled_from([None, "", "alice", "bob"]),
    "unit": st.sampled_from([None, "north", "south"]),
    "role": st.sampled_from(["pc", "sgt"]),
    "utc_offset_minutes": st.sampled_from([None, -480, 0, 60]),
    "terminal_id": st.sampled_from([None, "", "T1", "T2"]),
    "record_id": st.sampled_from([None, "", "R1", "R2", "R3"]),
    "reason_text": st.sampled_from([None, "", "burglary", "burglary in town", "none of your business"]),
    "case_ref": st.sampled_from([None, "", "C1", "C2"]),
    "result_count": st.sampled_from([None, 0, 1, 50]),
    "scope_count": st.sampled_from([None, 1, 2500]),
    "export_count": st.sampled_from([None, 0, 7]),
    "outcome": st.sampled_from([None, "success", "denied"]),
    "parent_id": st.sampled_from([None, None, "", "e-0-0"]),
    "is_automatic": st.sampled_from([None, False, True]),
    "source_name": st.sampled_from(["one", "two"]),
}


#: Every relation there is between those people, records and cases; some of it begins or ends in the middle of a night.
WORLD = known(
    staff=[
        {"staff_id": "alice", "surname": "Oak", "unit": "north", "person_record_id": "R1", "home_address_id": "A1"},
        {"staff_id": "bob", "surname": "Elm", "unit": "south", "end_date": at(1, "06:00")},
    ],
    shifts=[{"staff_id": "alice", "shift_start": at(1, "08:00"), "shift_end": at(1, "16:00")}],
    absences=[{"staff_id": "carol", "absent_from": at(1, "04:00"), "absent_to": at(1, "20:00"), "kind": "suspended"}],
    cases=[
        {"case_ref": "C1", "opened_at": at(1, "10:00"), "owning_unit": "north"},
        {"case_ref": "C2", "opened_at": at(-90, "00:00"), "closed_at": at(-28, "12:00"), "owning_unit": "south"},
    ],
    case_staff=[
        {"case_ref": "C1", "staff_id": "alice", "assigned_from": at(0, "12:00")},
        {"case_ref": "C2", "staff_id": "bob"},
        {"case_ref": "C2", "staff_id": "carol", "assigned_to": at(-30, "00:00")},
    ],
    case_records=[{"case_ref": "C1", "record_id": "R1"}, {"case_ref": "C2", "record_id": "R2"}],
    incidents=[
        {"incident_id": "I1", "started_at": at(-1, "12:00"), "record_id": "R2", "unit": "north"},
        {"incident_id": "I2", "started_at": at(1, "12:00"), "staff_id": "bob"},
    ],
    records=[
        {"record_id": "R1", "surname": "Oak", "sex": "F", "date_of_birth": date(1990, 1, 1), "address_id": "A1"},
        {"record_id": "R2", "surname": "Elm", "sex": "M", "date_of_birth": date(1990, 1, 1), "sensitivity": 2.0},
        {"record_id": "R3", "vehicle_keeper_id": "R2", "address_id": "A1", "sensitivity": 0.0},
    ],
    associations=[{"staff_id": "bob", "record_id": "R2", "kind": "partner"}],
    watchlist=[{"record_id": "R3", "kind": "canary"}, {"record_id": "R2", "kind": "vip", "active_to": at(1, "12:00")}],
    publicity=[
        {"record_id": "R1", "published_at": at(1, "12:00")},
        {"record_id": "R2", "published_at": at(1, "03:00")},
    ],
)


@st.composite
def _events(draw: st.DrawFn, day: int) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 25))
    minutes = draw(st.lists(st.integers(0, 60), min_size=count, max_size=count))
    times = [at(day, "00:00") + timedelta(minutes=24 * minute - (minute == 60)) for minute in minutes]
    return [
        look(f"e-{day}-{n}", time, **{name: draw(values) for name, values in _COLUMNS.items()})
        for n, time in enumerate(times)
    ]


def _order(row: dict[str, Any]) -> tuple[datetime, str, str]:
    return row["event_time"], row["event_id"], row["source_name"]


#: The same, every table from its end.
UPSIDE_DOWN = Reference(
    {name: table.take(list(range(table.num_rows))[::-1]) for name, table in WORLD.tables.items()}, vetting=WORLD.vetting
)


def _tonight(
    engine: Connect, earlier: list[Any], tonight: list[Any], reference: Reference = WORLD
) -> tuple[Values, dict[str, pa.Table]]:
    nights = Nights(engine, reference=reference)
    nights.run(MONDAY, earlier)
    values = nights.run(MONDAY + timedelta(days=1), tonight)
    return values, {name: tables[-1] for name, tables in nights.profiles.items()}


@settings(max_examples=6)
@given(data=st.data())
def test_an_events_features_depend_on_nothing_later_and_on_no_order(engine: Connect, data: st.DataObject) -> None:
    earlier, tonight = data.draw(_events(0)), data.draw(_events(1))
    values, profiles = _tonight(engine, earlier, tonight)
    assert set(values) == {row["event_id"] for row in tonight}

    before, after = (data.draw(st.permutations(rows)) for rows in (earlier, tonight))
    shuffled, left = _tonight(engine, before, after, UPSIDE_DOWN)
    assert shuffled == values
    assert left == profiles

    ordered = sorted(tonight, key=_order)
    kept = data.draw(st.integers(0, len(ordered) - 1))
    others = [dict(row, operator_id="alice", actor_id="alice", record_id="R1", terminal_id="T2") for row in ordered]
    for later in ([], others[kept:]):
        changed, _ = _tonight(engine, earlier, ordered[:kept] + later)
        for row in ordered[:kept]:
            assert changed[row["event_id"]] == values[row["event_id"]], row["event_id"]
