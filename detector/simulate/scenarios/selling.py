"""Details for money: a steady drip, a bulk export, a private investigator's errands."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.indices import ADDRESS
from detector.simulate.rows import CRIS, PRINT, VIEW
from detector.simulate.scenarios.scenario import Draft, Scenario

_NEVER: Final = ("collision", "bureau", "quality")


def selling_details(draft: Draft) -> None:
    """Either three to eight people a turn of duty for weeks, or hundreds within days; many of them printed."""
    bulk = draft.chance(0.4)
    first, last = draft.span(1, 6) if bulk else draft.span(30, 150)
    days = draft.working(first, last, 6 if bulk else draft.between(12, 60))
    printed = draft.rng.uniform(0.2, 0.7)
    for day in days:
        for i in range(draft.between(40, 120) if bulk else draft.between(3, 8)):
            person = int(draft.world.indices.local_persons(draft.rng, np.array([draft.district]), 1.0)[0])
            more = {"slot": i // 10, "after": (i % 10) * draft.between(35, 90)}
            if draft.chance(printed):
                draft.look(day, person, system=CRIS, action=PRINT, exports=draft.between(1, 4), **more)
            else:
                draft.read(day, person, **more)


def private_investigator(draft: Draft) -> None:
    """One to three pairs a turn of duty, a plate and a name, that nothing joins to one another."""
    indices = draft.world.indices
    first, last = draft.span(20, 120)
    for day in draft.working(first, last, draft.between(10, 45)):
        for slot in range(draft.between(1, 3)):
            plate = indices.local_vehicles(
                draft.rng, np.array([draft.between(0, draft.world.units.districts - 1)]), 1.0
            )
            draft.look(day, int(plate[0]), slot=slot)
            keeper = int(indices.keepers(plate)[0])
            draft.read(day, keeper, slot=slot, after=draft.between(40, 200))
            if draft.chance(0.5):
                home = int(indices.address[keeper] + indices.starts[ADDRESS])
                draft.look(day, home, system=CRIS, action=VIEW, slot=slot, after=draft.between(200, 400))


SCENARIOS: Final = (
    Scenario("selling_details", 22, "selling", "tune", selling_details, never=_NEVER),
    Scenario("private_investigator", 23, "selling", "tune", private_investigator, never=_NEVER),
)
