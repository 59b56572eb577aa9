"""The records there are to look up, numbered in one row of segments: persons first, then vehicles, addresses, …

The first persons are the staff themselves, the next their partners and relatives; ids are scrambled (render.py), so
that the numbering shows in no event. People of a district are looked up with a bounded Zipf popularity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Bools, Ints, Rng, below, happens, heavy, one_of, whole
from detector.simulate.names import COMMUNITY, FORENAMES_F, FORENAMES_M, SURNAMES

#: Records for each member of staff. An index holds far more; the rest is never looked up and would only cost memory.
PERSONS, VEHICLES, ADDRESSES, PHONES, REPORTS = 30, 20, 12, 5, 4
SEGMENTS: Final = ("person", "vehicle", "address", "phone", "intelligence", "custody", "crime", "evidence")
PERSON, VEHICLE, ADDRESS, PHONE, INTELLIGENCE, CUSTODY, CRIME, EVIDENCE = range(8)
#: Birthdays are days since 1970.
_OLDEST, _YOUNGEST = -10_000, 14_000


@dataclass(frozen=True)
class Indices:
    """Attributes by position within the segment; `starts` has each segment's first record."""

    staff: int
    starts: Ints
    district: Ints  # of each person
    surname: Ints
    forename: Ints
    female: Bools
    birth: Ints
    address: Ints
    tier: Ints  # 1 open to all, to 4
    vehicle_of: Ints  # vehicle of each person, or -1
    keeper: Ints  # person of each vehicle
    owner: Ints  # person of each phone
    subject: Ints  # person of each intelligence report
    report_tier: Ints
    report_of: Ints  # report of each person, or -1
    popular: Ints  # persons by district, most popular first
    popular_start: Ints
    popular_count: Ints

    @property
    def persons(self) -> int:
        return len(self.district)

    def at(self, segment: int, position: Ints) -> Ints:
        """Record numbers."""
        return whole(position + self.starts[segment])

    def segment(self, record: Ints) -> Ints:
        """The segment of each record; -1 for no record."""
        return whole(np.searchsorted(self.starts, record, side="right")) - 1

    def local_persons(self, rng: Rng, district: Ints, power: float = 2.2) -> Ints:
        """A person of each district, popular ones more often (`power` 1: all alike)."""
        return whole(self.popular[self.popular_start[district] + heavy(rng, self.popular_count[district], power)])

    def local_vehicles(self, rng: Rng, district: Ints, power: float = 1.3) -> Ints:
        """A vehicle (record number) of somebody in each district."""
        found = self.vehicle_of[self.local_persons(rng, district, power)]
        anywhere = below(rng, np.full(len(district), len(self.keeper)))
        return self.at(VEHICLE, np.where(found >= 0, found, anywhere))

    def keepers(self, vehicle: Ints) -> Ints:
        """Persons (record numbers) who keep those vehicles (record numbers)."""
        return whole(self.keeper[vehicle - self.starts[VEHICLE]])

    def addresses(self, person: Ints) -> Ints:
        return self.at(ADDRESS, self.address[person])


def make_indices(rng: Rng, staff: int, staff_district: Ints, districts: int, cases: int) -> Indices:
    persons, vehicles, addresses = PERSONS * staff, VEHICLES * staff, ADDRESSES * staff
    sizes = (persons, vehicles, addresses, PHONES * staff, REPORTS * staff, persons, cases, cases)
    district = below(rng, np.full(persons, districts))
    for relatives in range(4):  # staff, partners, two relatives each: see ties.py
        district[relatives * staff : (relatives + 1) * staff] = staff_district
    surname = heavy(rng, np.full(persons, len(SURNAMES)), 1.7)
    community = (district % 4 == 1) & happens(rng, 0.35, persons)
    surname[community] = np.array(COMMUNITY)[below(rng, np.full(int(community.sum()), len(COMMUNITY)))]
    address = below(rng, np.full(persons, addresses))
    for relatives, shares_name, shares_home in ((1, 0.55, 1.0), (2, 0.9, 0.15), (3, 0.8, 0.1)):
        these = slice(relatives * staff, (relatives + 1) * staff)
        surname[these] = np.where(happens(rng, shares_name, staff), surname[:staff], surname[these])
        address[these] = np.where(happens(rng, shares_home, staff), address[:staff], address[these])
    female = happens(rng, 0.34, persons)  # those the police look up are men, two in three
    female[:staff] = happens(rng, 0.36, staff)
    female[staff : 2 * staff] = ~female[:staff]
    birth = whole(_OLDEST + rng.random(persons) ** 0.7 * (_YOUNGEST - _OLDEST))
    birth[:staff] = whole(rng.uniform(2_000, 12_500, staff))
    keeper = np.concatenate([np.arange(staff), staff + rng.permutation(persons - staff)[: vehicles - staff]])
    vehicle_of = np.full(persons, -1)
    vehicle_of[keeper] = np.arange(vehicles)
    # The staff come last in popularity: few of them are known to the police.
    rank = rng.permutation(persons) + np.where(np.arange(persons) < staff, persons, 0)
    popular = np.lexsort((rank, district))
    count = np.bincount(district, minlength=districts)
    starts = np.cumsum([0, *sizes[:-1]])
    subject = popular[heavy(rng, np.full(REPORTS * staff, persons), 1.0)]
    report_of = np.full(persons, -1)
    report_of[subject] = np.arange(len(subject))
    return Indices(
        staff=staff,
        starts=starts,
        district=district,
        surname=surname,
        forename=np.where(
            female,
            below(rng, np.full(persons, len(FORENAMES_F))),
            len(FORENAMES_F) + below(rng, np.full(persons, len(FORENAMES_M))),
        ),
        female=female,
        birth=birth,
        address=address,
        tier=1 + one_of(rng, (0.8, 0.14, 0.05, 0.01), persons),
        vehicle_of=vehicle_of,
        keeper=keeper,
        owner=below(rng, np.full(PHONES * staff, persons)),
        subject=subject,
        report_tier=1 + one_of(rng, (0.35, 0.35, 0.22, 0.08), len(subject)),
        report_of=report_of,
        popular=popular,
        popular_start=np.cumsum(count) - count,
        popular_count=count,
    )
