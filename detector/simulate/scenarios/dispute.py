"""Private quarrels carried into the indices: a driver who cut in, a colleague."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.indices import ADDRESS
from detector.simulate.rows import CRIS, VIEW
from detector.simulate.scenarios.scenario import Draft, Scenario


def driver_dispute(draft: Draft) -> None:
    """One plate that no stop explains, then its keeper, then where the keeper lives."""
    indices = draft.world.indices
    plate = indices.local_vehicles(draft.rng, np.array([draft.district]), 1.0)
    keeper = int(indices.keepers(plate)[0])
    first, last = draft.span(1, 3)
    day = draft.working(first, last, 1)[0]
    draft.look(day, int(plate[0]))
    draft.read(day, keeper, after=draft.between(60, 900))
    if draft.chance(0.7):
        home = int(indices.address[keeper] + indices.starts[ADDRESS])
        draft.look(day, home, system=CRIS, action=VIEW, after=draft.between(900, 1800))
    for later in draft.working(day + 1, day + 12, draft.between(0, 3)):
        draft.read(later, keeper)


def colleague(draft: Draft) -> None:
    """A colleague of the same unit as the subject, again and again; now and then several people at it."""
    staff = draft.world.staff
    mates = np.flatnonzero((staff.unit == staff.unit[draft.actor]) & (np.arange(len(staff)) != draft.actor))
    target = draft.one(mates) if len(mates) else (draft.actor + 1) % len(staff)
    first, last = draft.span(14, 70)
    for actor in draft.actors:
        for day in draft.working(
            first, last, draft.between(4, 15) if actor == draft.actor else draft.between(1, 4), actor
        ):
            draft.read(day, target, actor=actor)
            if draft.chance(0.2):
                partner = int(draft.world.ties.person[1, target])
                draft.read(day, partner, actor=actor, after=draft.between(40, 400))


SCENARIOS: Final = (
    Scenario("driver_dispute", 10, "dispute", "tune", driver_dispute),
    Scenario("colleague_harassed", 11, "dispute", "tune", colleague, never=("vetting", "standards"), actors=(1, 3)),
)
