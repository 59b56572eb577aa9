"""One local day: who is on duty, and what every maker of look-ups needs to know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from detector.simulate import reasons
from detector.simulate.chance import Bools, Ints, Rng, happens, stream, whole
from detector.simulate.organisation import INDEX
from detector.simulate.rows import CASE_REF, KEY_BITS, NO_REF, UNKNOWN_REF, UNKNOWN_REFS, Rows, make_rows
from detector.simulate.world import World, on_duty

#: References that fingers get wrong.
MISTYPED: Final = 0.015


@dataclass
class Day:
    """`unit` and `kind` are by member of staff, as they are on this day. `keys` counts the look-ups made so far."""

    world: World
    number: int
    duty: Ints = field(init=False)
    unit: Ints = field(init=False)
    kind: Ints = field(init=False)
    keys: int = 0

    def __post_init__(self) -> None:
        self.duty = on_duty(self.world, self.number)
        self.unit = self.world.staff.unit_on(self.number)
        self.kind = self.world.units.kind[self.unit]

    def rng(self, name: str) -> Rng:
        return stream(self.world.options.seed, name, self.number)

    def of_kind(self, *names: str) -> Ints:
        """Those on duty of these kinds of unit."""
        return self.duty[np.isin(self.kind[self.duty], [INDEX[name] for name in names])]

    def district(self, rng: Rng, staff: Ints) -> Ints:
        """Where each works; those of the whole force, today here and tomorrow there."""
        units = self.world.units
        home = units.district[self.unit[staff]]
        roams = happens(rng, 0.06, len(staff)) | np.isin(self.kind[staff], [INDEX["traffic"], INDEX["murder"]])
        return np.where(roams, whole(rng.random(len(staff)) * units.districts), home)

    def moment(self, rng: Rng, staff: Ints) -> Ints:
        """A local time within each one's turn of duty, to the second; not in its last minutes."""
        roster = self.world.roster
        begin, finish = (whole(x[staff, self.number]) for x in (roster.begin, roster.finish))
        seconds = whole(rng.random(len(staff)) * np.maximum(finish - begin - 15, 20) * 60)
        return self.world.clock.at(self.number, begin + 4) + seconds * 1_000_000

    def present(self, staff: Ints, time: Ints) -> Bools:
        """Whether each one's turn of duty covers that local time."""
        roster = self.world.roster
        minute = (time - self.world.clock.at(self.number, np.zeros(1, dtype=np.int64))) // 60_000_000
        return np.asarray((roster.begin[staff, self.number] <= minute) & (minute < roster.finish[staff, self.number]))

    def one_of(self, rng: Rng, people: Ints, size: int) -> Ints:
        """Anybody of those people, each time anew."""
        return people[whole(rng.random(size) * len(people))]

    def write(self, rng: Rng, context: Ints | str, staff: Ints) -> Ints:
        """A reason by each, in the context given."""
        if isinstance(context, str):
            context = np.full(len(staff), reasons.CONTEXT[context])
        people = self.world.staff
        return reasons.write(rng, context, self.unit[staff], people.blanks[staff], people.slips[staff], self.number)

    def refer(self, rng: Rng, staff: Ints, kind: int, ref: Ints) -> tuple[Ints, Ints]:
        """Reference kind and number, or none, as is the unit's habit: from three in five to nearly all.

        A few are mistyped, and then name an incident or a case that nobody has.
        """
        habit = 0.6 + 0.38 * ((self.unit[staff] * 37 % 11) / 10)
        given = happens(rng, habit, len(staff)) & (ref >= 0)
        typed = np.where(given & happens(rng, MISTYPED, len(staff)), UNKNOWN_REF, kind)
        wrong = whole(rng.random(len(staff)) * UNKNOWN_REFS)
        return np.where(given, typed, NO_REF), np.where(given, np.where(typed == kind, ref, wrong), 0)

    def case_refs(self, rng: Rng, staff: Ints, case: Ints) -> tuple[Ints, Ints]:
        return self.refer(rng, staff, CASE_REF, case)

    def new(self, count: int, **columns: Ints | int) -> Rows:
        """`count` look-ups with keys of their own."""
        rows = make_rows(count, key=(self.number << KEY_BITS) + self.keys + np.arange(count), **columns)
        self.keys += count
        return rows
