"""The staff: who they are, where they work and when, and their habits at the keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.chance import Floats, Ints, Rng, below, happens, one_of, whole
from detector.simulate.organisation import INDEX, KINDS, Units

#: A day so far off that it never comes.
NEVER: Final = 100_000
RANKS: Final = (
    "constable",
    "sergeant",
    "inspector",
    "chief inspector",
    "superintendent",
    "chief officer",
    "police staff",
)
_CIVILIAN: Final = (
    "dispatcher",
    "clerk",
    "bureau operator",
    "ANPR operator",
    "analyst",
    "vetting officer",
    "trainer",
    "disclosure officer",
    "licensing officer",
    "witness officer",
    "press officer",
)
#: Kinds that people are moved between.
_MOVES: Final = ("response", "neighbourhood", "traffic", "cid", "domestic", "custody", "proactive", "offender")


@dataclass(frozen=True)
class Staff:
    """By member of staff; person, vehicle and home of member i are person i, vehicle i and that person's address."""

    number: Ints  # of the staff id
    unit: Ints
    unit_after: Ints
    moves_on: Ints  # day of a transfer to unit_after, or NEVER
    starts_on: Ints
    ends_on: Ints  # the last day, or NEVER
    rank: Ints
    manager: Ints
    activity: Floats  # how much busier than the mean of the unit
    blanks: Floats  # share of reasons left blank, where the unit's habit allows it
    slips: Floats  # share of reasons with a slip of the finger

    def __len__(self) -> int:
        return len(self.number)

    def unit_on(self, day: int) -> Ints:
        return np.where(self.moves_on <= day, self.unit_after, self.unit)


def make_staff(rng: Rng, units: Units, days: int) -> Staff:
    count = len(units.unit_of)
    kind = units.kind_of
    civilian = np.array([k.role in _CIVILIAN for k in KINDS])[kind]
    rank = np.where(civilian, 6, one_of(rng, (0.78, 0.14, 0.055, 0.015, 0.01), count))
    rank = np.where(kind == INDEX["command"], 4 + one_of(rng, (0.8, 0.2), count), rank)
    rank = np.where((kind == INDEX["custody"]) & (rank == 0), 1, rank)
    starts = -whole(rng.uniform(200, 9_000, count))
    new = happens(rng, 0.03 * (days + 60) / 90, count)  # about an eighth of the staff are replaced in a year
    starts[new] = whole(rng.uniform(-60, days, int(new.sum())))
    leaves = happens(rng, 0.03 * days / 90, count) & ~new
    ends = np.where(leaves, whole(rng.uniform(0, days, count)), NEVER)
    movable = np.isin(units.kind, [INDEX[key] for key in _MOVES])
    candidates = np.flatnonzero(movable)
    moves = happens(rng, 0.05 * days / 90, count) & movable[units.unit_of] & ~new & ~leaves
    after = candidates[below(rng, np.full(count, len(candidates)))]
    moves &= after != units.unit_of
    first_of_unit = np.searchsorted(units.unit_of, np.arange(len(units.titles)))
    return Staff(
        number=10_000 + rng.permutation(9 * count)[:count],
        unit=units.unit_of,
        unit_after=np.where(moves, after, units.unit_of),
        moves_on=np.where(moves, 1 + below(rng, np.full(count, max(days - 1, 1))), NEVER),
        starts_on=starts,
        ends_on=ends,
        rank=rank,
        manager=first_of_unit[units.unit_of],
        activity=np.exp(rng.normal(-0.06, 0.35, count)),
        blanks=rng.beta(1.2, 9, count),
        slips=rng.beta(1.5, 12, count),
    )
