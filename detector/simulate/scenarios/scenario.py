"""What a scenario is, and the sheet on which one episode of it is drafted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from detector.simulate.chance import Ints, Rng
from detector.simulate.organisation import INDEX
from detector.simulate.reasons import code_of
from detector.simulate.rows import ANPR, BY_KEY, CELLS, CRIS, INTEL, NONE, PNC, SEARCH, VIEW
from detector.simulate.sittings import kept
from detector.simulate.world import World

Split = Literal["tune", "held_out"]
#: Days at the start that are left to ordinary work where the run is long enough, so that there is something usual.
_QUIET: Final = 14


@dataclass(frozen=True)
class Act:
    """One look-up of an episode. Acts of one actor, day and slot happen together, `after` seconds from its beginning.

    `minute`: local minute of the day; None is some time on duty (in office hours, off duty). `reason`, `ref`: None is
    what the actor usually writes. `hidden`: None lets chance decide (the run's camouflage).
    """

    actor: int
    day: int
    record: int
    system: int = PNC
    action: int = SEARCH
    slot: int = 0
    after: int = 0
    minute: int | None = None
    reason: int | None = None
    ref: tuple[int, int] | None = None
    query: int = BY_KEY
    results: int = 1
    scope: int = NONE
    exports: int = NONE
    recipient: int = NONE
    bureau: bool = False
    elsewhere: bool = False
    hidden: bool | None = None


@dataclass
class Draft:
    """An episode while it is drafted: who, in which world, and what they do. `links`: case and record, besides."""

    world: World
    rng: Rng
    actors: Sequence[int]
    acts: list[Act] = field(default_factory=list)
    links: list[tuple[int, int]] = field(default_factory=list)

    @property
    def actor(self) -> int:
        return self.actors[0]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, max(low, high) + 1))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def one(self, things: Sequence[int] | Ints) -> int:
        return int(things[self.between(0, len(things) - 1)])

    def span(self, low: int, high: int) -> tuple[int, int]:
        """First and last day of an episode of `low` to `high` days, cut to the run."""
        days = self.world.days
        quiet = min(_QUIET, days // 4)
        length = min(self.between(low, high), days - quiet)
        first = self.between(quiet, days - length)
        return first, first + length - 1

    def working(self, first: int, last: int, count: int, actor: int | None = None) -> list[int]:
        """At most `count` days of duty from first to last, in order; any days where there is no duty."""
        who = self.actor if actor is None else actor
        first, last = max(first, 0), min(last, self.world.days - 1)
        if first > last:
            first = last = max(min(first, self.world.days - 1), 0)
        days = first + np.flatnonzero(self.world.roster.on[who, first : last + 1])
        if not len(days):
            days = np.arange(first, last + 1)
        return sorted(int(day) for day in self.rng.permutation(days)[:count])

    def look(self, day: int, record: int, **more: object) -> None:
        """Add an act of the (first) actor."""
        self.acts.append(Act(**{"actor": self.actor, "day": day, "record": int(record), **more}))  # type: ignore[arg-type]

    def read(self, day: int, person: int, **more: object) -> None:
        """A person's file, in one of the systems that have it."""
        system = int(self.rng.choice([PNC, CRIS, CELLS, INTEL], p=[0.4, 0.4, 0.1, 0.1]))
        self.look(
            day,
            kept(self.world.indices, system, person),
            system=system,
            action=SEARCH if system == PNC else VIEW,
            **more,
        )

    def track(self, day: int, plate: int, **more: object) -> None:
        """A plate on the cameras."""
        self.look(day, plate, system=ANPR, scope=self.between(20, 200), **more)

    def stranger(self) -> int:
        """A person of the actor's district, popular ones more often."""
        return int(self.world.indices.local_persons(self.rng, np.array([self.district]), 1.5)[0])

    @property
    def district(self) -> int:
        units = self.world.units
        return int(units.district[self.world.staff.unit[self.actor]])

    def plain(self, context: str, template: int = 0) -> int:
        """The code of a reason."""
        return code_of(context, template)

    def any_reason(self) -> int:
        """Some reason or other, each time another."""
        context = ("stop", "call", "generic", "anpr", "intelligence")[self.between(0, 4)]
        return code_of(context, self.between(0, 3))


@dataclass(frozen=True)
class Scenario:
    """`number` is the row of the list of misuse in docs/simulating.md. `actors`: how many people an episode has.

    `kinds`: units it happens in (none: any); `never`: units whose duty it would be. `split`: whether detection may be
    tuned on it. `able`: who else must be left out, by member of staff.
    """

    name: str
    number: int
    family: str
    split: Split
    draft: Callable[[Draft], None]
    kinds: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    actors: tuple[int, int] = (1, 1)
    able: Callable[[World], np.typing.NDArray[np.bool_]] | None = None

    def candidates(self, world: World) -> Ints:
        """Staff who could be the actors."""
        kind = world.units.kind[world.staff.unit]
        fits = np.ones(len(kind), dtype=np.bool_)
        if self.kinds:
            fits &= np.isin(kind, [INDEX[name] for name in self.kinds])
        if self.never:
            fits &= ~np.isin(kind, [INDEX[name] for name in self.never])
        fits &= self.able(world) if self.able else world.roster.on.sum(axis=1) >= min(5, world.days // 3)
        return np.flatnonzero(fits)
