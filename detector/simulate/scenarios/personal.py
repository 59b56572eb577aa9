"""Looking at one's own life: oneself, relatives, partners, their former partners, a case one is part of."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.indices import ADDRESS, CRIME, VEHICLE
from detector.simulate.rows import CRIS, PNC, VIEW
from detector.simulate.scenarios.dispute import driver_dispute
from detector.simulate.scenarios.scenario import Draft, Scenario


def own_record(draft: Draft) -> None:
    """Own record, own car, own address, a few times over weeks."""
    indices = draft.world.indices
    first, last = draft.span(1, 60)
    home = int(indices.address[draft.actor]) + int(indices.starts[ADDRESS])
    own = [draft.actor, draft.actor, draft.actor + int(indices.starts[VEHICLE]), home]
    for day in draft.working(first, last, draft.between(1, 6)):
        draft.look(day, draft.one(own), system=PNC)


def own_investigation(draft: Draft) -> None:
    """Reads the case in which the actor is suspect, witness or complainant."""
    cases, indices = draft.world.cases, draft.world.indices
    first, last = draft.span(10, 60)
    running = np.flatnonzero((cases.outline.opened <= first) & (cases.outline.closed >= first))
    case = draft.one(running) if len(running) else 0
    for _ in range(20):
        if draft.actor not in cases.staff_of(case):
            break
        case = draft.one(running)
    draft.links.append((case, draft.actor))
    for day in draft.working(first, last, draft.between(2, 8)):
        draft.look(day, case + int(indices.starts[CRIME]), system=CRIS, action=VIEW)
        if draft.chance(0.4):
            draft.look(day, draft.one(cases.records_of(case)), system=CRIS, action=VIEW, after=draft.between(30, 300))


def relative(draft: Draft) -> None:
    """A relative's record, one to five times."""
    first, last = draft.span(1, 40)
    who = int(draft.world.ties.person[draft.between(2, 3), draft.actor])
    for day in draft.working(first, last, draft.between(1, 5)):
        draft.read(day, who)


def partner(draft: Draft) -> None:
    """A partner or former partner, over weeks: person, car, where the cameras saw it."""
    first, last = draft.span(14, 90)
    who = int(draft.world.ties.person[draft.one([1, 4, 4]), draft.actor])
    car = int(draft.world.indices.vehicle_of[who])
    for day in draft.working(first, last, draft.between(6, 30)):
        if car >= 0 and draft.chance(0.35):
            draft.track(day, car + int(draft.world.indices.starts[VEHICLE]))
        else:
            draft.read(day, who)


def partners_former_partner(draft: Draft) -> None:
    """Two people that no case joins, always read together."""
    first, last = draft.span(10, 60)
    one, two = int(draft.world.ties.person[1, draft.actor]), draft.stranger()
    for day in draft.working(first, last, draft.between(4, 12)):
        draft.read(day, one)
        draft.read(day, two, after=draft.between(25, 200))


def senior_officer(draft: Draft) -> None:
    """No rank is exempt: any of these, by a senior officer."""
    (own_record, relative, partner, driver_dispute)[draft.between(0, 3)](draft)


SCENARIOS: Final = (
    Scenario("own_record", 5, "personal", "tune", own_record, never=("training",)),
    Scenario("own_investigation", 6, "personal", "held_out", own_investigation, never=("standards",)),
    Scenario("relative", 7, "personal", "tune", relative, never=("vetting",)),
    Scenario("partner_or_former_partner", 8, "personal", "tune", partner, never=("vetting",)),
    Scenario("partners_former_partner", 9, "personal", "held_out", partners_former_partner, never=("vetting",)),
    Scenario("senior_officer", 16, "personal", "tune", senior_officer, kinds=("command",)),
)
