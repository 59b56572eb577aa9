"""Random nights of a small force, and reference tables with every relation there is between its people and records.

Few of everything and a coarse clock, so that people, records and instants meet often, and many times lie exactly on a
window's edge. Each event is drawn from the seed and its own number: fewer events are the first of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from feature_world import MONDAY, at, known, look

from detector.config import FeatureSettings
from detector.context.reference import Reference

#: Days after MONDAY. The last is 2026-03-29, when British clocks go forward at 01:00 UTC; by then the first of them is
#: beyond the trailing days of SETTINGS, on the night before beyond those of the baselines alone.
DAYS: Final = (0, 21, 25, 26, 27)
SETTINGS: Final = FeatureSettings(history_days=25, novelty_days=26)
SUMMER: Final = at(27, "01:00")

_RECORDS: Final = [f"R{n}" for n in range(1, 13)]
#: Columns and what they may hold, the likely ones more than once.
_COLUMNS: Final[dict[str, Sequence[Any]]] = {
    "action": ["search", "search", "search", "view", "print", "export", "login"],
    "operator_id": ["alice", "alice", "alice", "bob", "bob", "carol", "dan", "***"],
    "requester_id": [None, None, "", "alice", "bob", "**"],
    "organisation": ["force", "force", "force", None],
    "unit": ["North", "North", "south", None],
    "role": ["pc", "pc", "Vetting officer", None],
    "system": ["PNC", "PNC", "ALPR"],
    "terminal_id": [*["T1"] * 6, *["T2"] * 3, *[f"T{n}" for n in range(3, 9)], "", None],
    "record_id": [*_RECORDS, *_RECORDS, *_RECORDS, *[f"N{n}" for n in range(20)], "C1", "A1", "", None],
    "reason_text": [None, "", "Burglary", "burglary", "burglary, 12 High St.", "none – of your business", "+++"],  # noqa: RUF001
    "case_ref": [None, None, "", "C1", "C2", "C3", "C4", "I2", "I5", "I7", "NOPE"],
    "result_count": [None, -1, 0, 1, 50],
    "scope_count": [None, None, 1, 2500],
    "export_count": [None, None, 0, 7],
    "outcome": [None, "success", "success", "denied", "error"],
    "parent_id": [None, None, None, "", "a-parent"],
    "is_automatic": [None, False, False, True],
    "source_name": ["one", "one", "two"],
}
#: Minutes between which an event falls: exact quarters of an hour, tens of minutes, and the last second of the night.
_STEPS: Final = (5, 10, 15, 15, 30)


def random_night(seed: int, day: int, events: int) -> list[dict[str, Any]]:
    """That many events of the night `day` days after MONDAY."""
    return [_random_event(Random(f"{seed}/{day}/{number}"), day, number) for number in range(events)]  # noqa: S311


def random_nights(seed: int, events: int) -> list[dict[str, Any]]:
    """Events of all DAYS, that many a night."""
    return [row for day in DAYS for row in random_night(seed, day, events)]


def night_of(day: int) -> date:
    return MONDAY + timedelta(days=day)


def _random_event(random: Random, day: int, number: int) -> dict[str, Any]:
    step = random.choice(_STEPS)
    # Most of a force is at work at the same time: half of the events are in the same three hours.
    minutes = step * random.randrange((180 if random.random() < 0.5 else 24 * 60) // step)
    time = at(day, "00:00") + timedelta(minutes=minutes, seconds=random.choice([0, 0, 0, 1, 59]))
    row = look(f"e-{day}-{number:03}", time, **{name: random.choice(values) for name, values in _COLUMNS.items()})
    local = 60 if time >= SUMMER else 0
    return {**row, "utc_offset_minutes": random.choice([local, local, local, None, -480])}


def in_order(row: dict[str, Any]) -> tuple[datetime, str, str]:
    """The only order that features know."""
    return row["event_time"], row["event_id"], row["source_name"]


_BIRTHS: Final = [date(1990, 1, 1), date(1991, 6, 1), date(1992, 1, 1), date(1993, 1, 1), date(1950, 5, 5), None]

#: Some of it begins or ends in the middle of the last night, some of it the night after.
WORLD: Final = known(
    staff=[
        {"staff_id": "alice", "surname": "O'Ak", "unit": "north", "person_record_id": "R1", "home_address_id": "A1"},
        {"staff_id": "alice", "surname": "Oak", "unit": "south", "home_address_id": "A2", "end_date": at(-40, "00:00")},
        {"staff_id": "bob", "surname": "Elm", "unit": "South ", "end_date": at(27, "12:00")},
        {"staff_id": "carol", "unit": "north", "person_record_id": "R3", "start_date": at(-300, "00:00")},
        {"staff_id": "erin", "surname": "Ash", "unit": "south", "person_record_id": "R4"},
    ],
    shifts=[
        {"staff_id": "alice", "shift_start": at(day, "00:30"), "shift_end": at(day, "08:00")} for day in (0, 25, 26, 28)
    ]
    + [{"staff_id": "bob", "shift_start": at(24, "22:00"), "shift_end": at(25, "01:00")}],
    absences=[
        {"staff_id": "carol", "absent_from": at(26, "01:00"), "absent_to": at(27, "02:00"), "kind": "Suspended"},
        {"staff_id": "alice", "absent_from": at(27, "00:30"), "absent_to": at(27, "01:00"), "kind": "leave"},
    ],
    cases=[
        {"case_ref": "C1", "opened_at": at(27, "01:00"), "owning_unit": " NORTH"},
        {"case_ref": "C2", "opened_at": at(-90, "00:00"), "closed_at": at(-1, "12:00"), "owning_unit": "south"},
        {"case_ref": "C3", "opened_at": at(20, "00:00"), "closed_at": at(26, "01:30")},
        {"case_ref": "C5", "opened_at": at(-900, "00:00"), "closed_at": at(-500, "00:00"), "owning_unit": "north"},
        {"case_ref": "C6", "opened_at": at(28, "00:00"), "owning_unit": "north"},
    ],
    case_staff=[
        {"case_ref": "C1", "staff_id": "alice", "assigned_from": at(27, "02:00")},
        {"case_ref": "C2", "staff_id": "bob"},
        {"case_ref": "C2", "staff_id": "carol", "assigned_to": at(-30, "00:00")},
        {"case_ref": "C3", "staff_id": "carol", "assigned_from": at(20, "00:00"), "assigned_to": at(26, "00:45")},
        {"case_ref": "C3", "staff_id": "erin", "assigned_from": at(26, "02:00")},
        {"case_ref": "C4", "staff_id": "dan", "assigned_from": at(-30, "00:00"), "assigned_to": at(-1, "01:00")},
    ],
    case_records=[
        {"case_ref": "C1", "record_id": "R1"},
        {"case_ref": "C2", "record_id": "R2"},
        {"case_ref": "C3", "record_id": "R3"},
        {"case_ref": "C3", "record_id": "R5"},
        {"case_ref": "C4", "record_id": "R6"},
        {"case_ref": "C5", "record_id": "R7"},
        {"case_ref": "C6", "record_id": "R8"},
    ],
    incidents=[
        {"incident_id": "I1", "started_at": at(25, "01:00"), "record_id": "R9", "unit": "north"},
        {"incident_id": "I2", "started_at": at(27, "02:00"), "ended_at": at(27, "03:00"), "staff_id": "bob"},
        {"incident_id": "I3", "started_at": at(22, "02:00"), "record_id": "R10", "staff_id": "erin"},
        {"incident_id": "I4", "started_at": at(27, "01:00"), "record_id": "R11"},
        {"incident_id": "I5", "started_at": at(-1, "12:00"), "ended_at": at(0, "12:00"), "record_id": "R2",
         "staff_id": "alice"},
        {"incident_id": "I6", "started_at": at(-364, "00:00"), "record_id": "R7", "unit": "south"},
        {"incident_id": "I7", "started_at": at(27, "02:30"), "record_id": "R3", "staff_id": "bob"},
        {"incident_id": "I7", "started_at": at(27, "02:30"), "record_id": "R4", "staff_id": "bob"},
    ],
    records=[
        *(
            {"record_id": f"R{n}", "sex": "FMfmX"[n % 5], "date_of_birth": _BIRTHS[n % 6], "sensitivity": n % 3 * 1.0}
            for n in range(2, 9)
        ),
        {"record_id": "R1", "surname": "Oak", "sex": "female", "date_of_birth": date(2008, 3, 29), "address_id": "A1"},
        {"record_id": "R9", "surname": "Elm", "address_id": "A3", "sensitivity": 2.0, "sex": "M"},
        {"record_id": "R10", "surname": "o-ak", "address_id": "A3"},
        {"record_id": "R11", "vehicle_keeper_id": "R1", "address_id": "A2"},
        {"record_id": "R12", "vehicle_keeper_id": "R10", "address_id": "A3", "sensitivity": 0.5},
    ],
    associations=[
        {"staff_id": "bob", "record_id": "R2", "kind": "Partner"},
        {"staff_id": "alice", "record_id": "R10", "kind": "sibling"},
        {"staff_id": "dan", "record_id": "R5", "kind": "self"},
        {"staff_id": "carol", "record_id": "R6", "kind": None},
    ],
    watchlist=[
        {"record_id": "R3", "kind": "canary"},
        {"record_id": "R2", "kind": "VIP", "active_to": at(27, "01:00")},
        {"record_id": "R7", "kind": "organised_crime", "active_from": at(25, "01:00")},
        {"record_id": "R7", "kind": "canary", "active_from": at(26, "01:00")},
        {"record_id": "R8", "kind": "staff", "active_from": at(28, "00:00")},
    ],
    publicity=[
        {"record_id": "R1", "published_at": at(27, "02:00")},
        {"record_id": "R6", "published_at": at(26, "01:00")},
        {"record_id": "R6", "published_at": at(26, "04:00")},
        {"record_id": "R9", "published_at": at(23, "00:00")},
        {"record_id": "R12", "published_at": at(28, "01:00")},
    ],
)  # fmt: skip

#: The same, every table from its end.
UPSIDE_DOWN: Final = Reference(
    {name: table.take(list(range(table.num_rows))[::-1]) for name, table in WORLD.tables.items()}, vetting=WORLD.vetting
)
