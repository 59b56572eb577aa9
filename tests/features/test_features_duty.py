"""On duty, away, or gone. All of one night: MONDAY."""

from __future__ import annotations

import pytest
from feature_world import LACKING, Connect, Values, at, column, features_of, known, look

STAFF = [
    {"staff_id": "alice", "start_date": at(-900, "00:00")},
    {"staff_id": "bob", "start_date": at(-900, "00:00"), "end_date": at(0, "12:00")},
    # A transfer that was entered with a gap.
    {"staff_id": "carol", "start_date": at(-900, "00:00"), "end_date": at(-2, "00:00")},
    {"staff_id": "carol", "start_date": at(3, "00:00")},
    {"staff_id": "dan", "end_date": at(28, "12:00")},
]
SHIFTS = [
    {"staff_id": "alice", "shift_start": at(-1, "22:00"), "shift_end": at(0, "06:00")},
    {"staff_id": "alice", "shift_start": at(0, "22:00"), "shift_end": at(1, "06:00")},
    {"staff_id": "bob", "shift_start": at(-3, "08:00"), "shift_end": at(-3, "15:00")},
]
ABSENCES = [
    {"staff_id": "alice", "absent_from": at(0, "04:00"), "absent_to": at(0, "05:00"), "kind": "leave"},
    {"staff_id": "dan", "absent_from": at(0, "12:00"), "kind": "Suspended"},
]
ROWS = [
    look("duty", at(0, "03:00")),
    look("leave", at(0, "04:00")),
    look("back", at(0, "05:00")),
    look("end", at(0, "06:00")),
    look("late", at(0, "06:30")),
    look("between", at(0, "14:30")),
    look("early", at(0, "21:15")),
    look("start", at(0, "22:00")),
    look("bob-last", at(0, "11:59:59"), operator_id="bob"),
    look("bob-gone", at(0, "12:00"), operator_id="bob"),
    look("bob-far", at(0, "15:00:01"), operator_id="bob"),
    look("moved", at(0, "10:00"), operator_id="carol"),
    look("dan-far", at(0, "11:59:59"), operator_id="dan"),
    look("dan-suspended", at(0, "12:00"), operator_id="dan"),
    look("nobody", at(0, "10:00"), operator_id="zed"),
    look("masked", at(0, "10:00"), operator_id="***"),
]


@pytest.fixture(scope="module")
def values(engine: Connect) -> Values:
    return features_of(engine, ROWS, reference=known(staff=STAFF, shifts=SHIFTS, absences=ABSENCES))


def test_minutes_are_to_the_nearest_shift(values: Values) -> None:
    order = ("duty", "end", "late", "between", "early", "start")
    assert column(values, "off_shift_minutes", *order) == [0, 0, 30, 450, 45, 0]


def test_a_shift_three_days_away_says_nothing(values: Values) -> None:
    order = ("bob-gone", "bob-far", "moved", "masked")
    assert column(values, "off_shift_minutes", *order) == [2 * 1440 + 21 * 60, None, None, None]


def test_absence_and_suspension_hold_from_their_start_to_their_end(values: Values) -> None:
    order = ("duty", "leave", "back", "dan-far", "dan-suspended", "nobody", "masked")
    assert column(values, "absent_or_left", *order) == [0, 1, 0, 0, 1, None, None]
    assert column(values, "suspended", *order) == [0, 0, 0, 0, 1, 0, None]


def test_only_the_last_end_of_service_is_an_end(values: Values) -> None:
    order = ("bob-last", "bob-gone", "moved", "dan-far", "dan-suspended", "duty")
    assert column(values, "absent_or_left", *order) == [0, 1, 0, 0, 1, 0]
    leaving = [pytest.approx(1 / 86_400), None, None, None, 28, None]
    assert column(values, "days_to_leaving", *order) == leaving


def test_without_its_table_it_is_not_known(engine: Connect) -> None:
    values = features_of(engine, ROWS[:1], reference=known(without=LACKING, staff=STAFF))
    for name in ("off_shift_minutes", "absent_or_left", "suspended"):
        assert column(values, name, "duty") == [None], name
