"""Everything about a force that lasts longer than a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detector.simulate.casework import Cases, make_cases, make_outline
from detector.simulate.chance import stream
from detector.simulate.clock import Clock, make_clock
from detector.simulate.indices import Indices, make_indices
from detector.simulate.options import Options
from detector.simulate.organisation import Units, make_units
from detector.simulate.people import Staff, make_staff
from detector.simulate.roster import Roster, make_roster
from detector.simulate.ties import Ties, Watch, make_ties, make_watch


@dataclass(frozen=True)
class World:
    options: Options
    clock: Clock
    units: Units
    staff: Staff
    roster: Roster
    indices: Indices
    cases: Cases
    ties: Ties
    watch: Watch

    @property
    def days(self) -> int:
        return self.options.days


def make_world(options: Options) -> World:
    """The force of those options; the same for the same options but `file_format`."""
    seed, days = options.seed, options.days
    clock = make_clock(options.start, days)
    units = make_units(options.staff)
    staff = make_staff(stream(seed, "staff"), units, days)
    roster = make_roster(seed, clock, staff, units)
    outline = make_outline(stream(seed, "outline"), units, days)
    district = units.district[units.unit_of]
    indices = make_indices(stream(seed, "indices"), options.staff, district, units.districts, len(outline.opened))
    cases = make_cases(stream(seed, "cases"), outline, units, indices)
    return World(
        options, clock, units, staff, roster, indices, cases,
        make_ties(stream(seed, "ties"), indices),
        make_watch(stream(seed, "watch"), indices, cases, days),
    )  # fmt: skip


def on_duty(world: World, day: int) -> np.typing.NDArray[np.int64]:
    """Who begins a turn of duty on that day."""
    return np.flatnonzero(world.roster.on[:, day])
