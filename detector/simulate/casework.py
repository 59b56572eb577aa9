"""Cases: when they open and close, who works on them, which records they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Ints, Rng, below, happens, heavy, repeat, whole, within
from detector.simulate.indices import ADDRESS, CRIME, EVIDENCE, VEHICLE, Indices
from detector.simulate.organisation import KINDS, Units

#: Days before the first day from which cases are there.
PAST: Final = 120
#: Recent cases of one person that a sitting chooses among.
_RECENT: Final = 8

CASE_TYPES: Final = (
    "burglary", "robbery", "fraud", "vehicle theft", "drugs supply", "assault", "harassment", "missing person",
    "domestic abuse", "sexual offence", "homicide", "misconduct",
)  # fmt: skip
_OWN_TYPE: Final = {"domestic": 8, "sexual": 9, "murder": 10, "standards": 11, "proactive": 4}


@dataclass(frozen=True)
class Outline:
    """When and whose the cases are, before their records are known. Ordered by opening."""

    opened: Ints
    closed: Ints
    unit: Ints
    kind: Ints  # of unit


@dataclass(frozen=True)
class Cases:
    outline: Outline
    type: Ints
    staff_start: Ints  # into `staff`, by case; one more than there are cases
    staff: Ints
    joined: Ints  # day a member of staff was assigned
    record_start: Ints
    records: Ints
    held: Ints  # keys staff * 2^20 + opening day + 2^16, sorted
    held_case: Ints

    def __len__(self) -> int:
        return len(self.outline.opened)

    def pick(self, rng: Rng, staff: Ints, day: int) -> Ints:
        """An open case of each member of staff, recent ones first; -1 where none is found."""
        low = np.searchsorted(self.held, staff << 20)
        high = np.searchsorted(self.held, (staff << 20) + day + (1 << 16), side="right")
        found = np.full(len(staff), -1)
        for _ in range(5):
            at = high - 1 - below(rng, np.minimum(high - low, _RECENT))
            case = np.where(high > low, self.held_case[np.maximum(at, 0)], -1)
            good = (case >= 0) & (self.outline.closed[case] >= day)
            found = np.where((found < 0) & good, case, found)
        return found

    def pick_closed(self, rng: Rng, count: int, day: int) -> Ints:
        """Cases of anybody that are closed by that day; -1 where none is found."""
        found = below(rng, np.full(count, len(self)))
        return np.where(self.outline.closed[found] < day, found, -1)

    def record(self, rng: Rng, case: Ints) -> Ints:
        """A record of each case, the first ones more often."""
        start = self.record_start[case]
        return whole(self.records[start + heavy(rng, self.record_start[case + 1] - start, 1.6)])

    def staff_of(self, case: int) -> Ints:
        return self.staff[self.staff_start[case] : self.staff_start[case + 1]]

    def records_of(self, case: int) -> Ints:
        return self.records[self.record_start[case] : self.record_start[case + 1]]


def make_outline(rng: Rng, units: Units, days: int) -> Outline:
    members = np.bincount(units.unit_of, minlength=len(units.titles))
    rate = np.array([kind.cases for kind in KINDS])[units.kind]
    unit = repeat(np.arange(len(units.titles)), whole(rng.poisson(rate * members * (days + PAST) / 30)))
    opened = whole(rng.uniform(-PAST, days, len(unit)))
    order = np.lexsort((rng.random(len(unit)), opened))
    unit, opened = unit[order], opened[order]
    kind = units.kind[unit]
    life = 3 + rng.gamma(1.5, np.array([k.life for k in KINDS])[kind] / 1.5)
    return Outline(opened, opened + whole(life), unit, kind)


def make_cases(rng: Rng, outline: Outline, units: Units, indices: Indices) -> Cases:
    count = len(outline.opened)
    own = np.array([_OWN_TYPE.get(kind.key, -1) for kind in KINDS])[outline.kind]
    kinds = np.where(own >= 0, own, below(rng, np.full(count, 8)))
    staff_start, people, joined = _assign(rng, outline, units)
    record_start, records = _records(rng, outline, units, indices)
    case = repeat(np.arange(count), np.diff(staff_start))
    key = (people << 20) + outline.opened[case] + (1 << 16)
    order = np.argsort(key, kind="stable")
    return Cases(outline, kinds, staff_start, people, joined, record_start, records, key[order], case[order])


def _assign(rng: Rng, outline: Outline, units: Units) -> tuple[Ints, Ints, Ints]:
    """Who works on each case: different members of its unit, as many as its kind says where there are."""
    members = np.bincount(units.unit_of, minlength=len(units.titles))
    first = np.cumsum(members) - members
    team = np.array([kind.team for kind in KINDS])[outline.kind]
    size = np.minimum(members[outline.unit], np.maximum(1, team + whole(rng.normal(0, 0.25 * team))))
    start = np.concatenate([[0], np.cumsum(size)])
    lead = below(rng, members[outline.unit])
    # Neighbours in the unit's list work together: whole teams, not strangers.
    people = repeat(first[outline.unit], size) + (repeat(lead, size) + within(size)) % repeat(
        members[outline.unit], size
    )
    late = whole(rng.exponential(2.0, len(people)))
    return start, people, repeat(outline.opened, size) + late


def _records(rng: Rng, outline: Outline, units: Units, indices: Indices) -> tuple[Ints, Ints]:
    """Persons, some of their vehicles and homes, and the case's own file and footage; persons come first."""
    count = len(outline.opened)
    subjects = np.array([kind.subjects for kind in KINDS])[outline.kind]
    size = 1 + whole(rng.poisson(np.maximum(subjects - 1, 0.3)))
    district = repeat(units.district[outline.unit], size)
    person = indices.local_persons(rng, district)
    case = repeat(np.arange(count), size)
    vehicle = indices.vehicle_of[person]
    drives = (vehicle >= 0) & happens(rng, 0.4, len(person))
    lives = happens(rng, 0.25, len(person))
    parts = (
        (case, person, 0),
        (case[drives], vehicle[drives] + indices.starts[VEHICLE], 1),
        (case[lives], indices.address[person[lives]] + indices.starts[ADDRESS], 2),
        (np.arange(count), np.arange(count) + indices.starts[CRIME], 3),
        (np.arange(count), np.arange(count) + indices.starts[EVIDENCE], 4),
    )
    of = np.concatenate([part[0] for part in parts])
    rank = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    order = np.lexsort((rank, of))
    return (
        np.searchsorted(of[order], np.arange(count + 1)),
        np.concatenate([part[1] for part in parts])[order],
    )
