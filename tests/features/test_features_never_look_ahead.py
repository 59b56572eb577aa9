"""What must hold whatever the log: no later event matters, and no order of rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from feature_world import MONDAY, Connect, Nights, Values, at, look
from hypothesis import given, settings
from hypothesis import strategies as st

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


def _tonight(engine: Connect, earlier: list[Any], tonight: list[Any]) -> tuple[Values, dict[str, pa.Table]]:
    nights = Nights(engine)
    nights.run(MONDAY, earlier)
    values = nights.run(MONDAY + timedelta(days=1), tonight)
    return values, {name: tables[-1] for name, tables in nights.profiles.items()}


@settings(max_examples=6)
@given(data=st.data())
def test_an_events_features_depend_on_nothing_later_and_on_no_order(engine: Connect, data: st.DataObject) -> None:
    earlier, tonight = data.draw(_events(0)), data.draw(_events(1))
    values, profiles = _tonight(engine, earlier, tonight)
    assert set(values) == {row["event_id"] for row in tonight}

    shuffled, left = _tonight(engine, data.draw(st.permutations(earlier)), data.draw(st.permutations(tonight)))
    assert shuffled == values
    assert left == profiles

    ordered = sorted(tonight, key=_order)
    kept = data.draw(st.integers(0, len(ordered) - 1))
    others = [dict(row, operator_id="alice", actor_id="alice", record_id="R1", terminal_id="T2") for row in ordered]
    for later in ([], others[kept:]):
        changed, _ = _tonight(engine, earlier, ordered[:kept] + later)
        for row in ordered[:kept]:
            assert changed[row["event_id"]] == values[row["event_id"]], row["event_id"]
