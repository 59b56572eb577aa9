"""Using the indices to find, follow or watch people: dating trawls, fishing, vulnerable victims, plates on cameras."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.indices import VEHICLE
from detector.simulate.rows import BROAD, CRIS, VIEW
from detector.simulate.scenarios.scenario import Draft, Scenario
from detector.simulate.world import World


def dating_trawl(draft: Draft) -> None:
    """Fifteen to eighty women of one's own age, each new, each looked at once."""
    indices = draft.world.indices
    age = int(indices.birth[draft.actor])
    near = np.abs(indices.birth - age) < 365 * 12
    wanted = np.flatnonzero(
        indices.female & near & (indices.district == draft.district) & (np.arange(indices.persons) >= indices.staff)
    )
    first, last = draft.span(14, 90)
    days = draft.working(first, last, draft.between(8, 30))
    for i in range(draft.between(15, 80)):
        person = draft.one(wanted) if draft.chance(0.94) and len(wanted) else draft.stranger()
        draft.read(days[i % len(days)], person, slot=i // len(days), after=draft.between(0, 60))


def fishing(draft: Draft) -> None:
    """A very broad search, then one person opened out of the hits."""
    first, last = draft.span(5, 45)
    for day in draft.working(first, last, draft.between(5, 20)):
        hits = int(np.exp(draft.rng.normal(6.2, 0.9)))
        draft.look(day, -1, query=BROAD, results=hits)
        draft.look(day, draft.stranger(), system=CRIS, action=VIEW, after=draft.between(40, 200))


def vulnerable_victim(draft: Draft) -> None:
    """A victim of the actor's own case, revisited after it was closed."""
    cases = draft.world.cases
    mine = cases.held_case[
        np.searchsorted(cases.held, draft.actor << 20) : np.searchsorted(cases.held, (draft.actor + 1) << 20)
    ]
    closed = mine[(cases.outline.closed[mine] < draft.world.days - 8) & (cases.outline.closed[mine] > -60)]
    case = draft.one(closed) if len(closed) else draft.one(mine)
    people = cases.records_of(case)
    people = people[people < draft.world.indices.persons]
    women = people[draft.world.indices.female[people]]
    victim = draft.one(women if len(women) else people)
    after = max(int(cases.outline.closed[case]) + 5, draft.span(1, 1)[0] // 2)
    for day in draft.working(after, after + draft.between(20, 70), draft.between(3, 12)):
        draft.read(day, victim)


def has_cases(world: World) -> np.typing.NDArray[np.bool_]:
    """Who has a case that is closed well before the end of the run."""
    able = np.zeros(len(world.staff), dtype=np.bool_)
    closed = world.cases.outline.closed[world.cases.held_case] < world.days - 8
    able[(world.cases.held >> 20)[closed]] = True
    return able


def plate_stalking(draft: Draft) -> None:
    """One plate on the cameras, twenty times to two hundred, with ever other reasons."""
    first, last = draft.span(20, 120)
    days = draft.working(first, last, draft.between(15, 60))
    who = int(draft.world.ties.person[4, draft.actor])
    car = int(draft.world.indices.vehicle_of[who])
    car = car if car >= 0 else draft.between(0, len(draft.world.indices.keeper) - 1)
    for i in range(draft.between(20, 220)):
        plate = car + int(draft.world.indices.starts[VEHICLE])
        draft.track(days[i % len(days)], plate, slot=i // len(days), reason=draft.any_reason())


SCENARIOS: Final = (
    Scenario("dating_trawl", 12, "predatory", "tune", dating_trawl, never=("sexual", "domestic")),
    Scenario("fishing", 13, "predatory", "tune", fishing),
    Scenario("vulnerable_victim", 14, "predatory", "held_out", vulnerable_victim, able=has_cases),
    Scenario("plate_stalking", 15, "predatory", "tune", plate_stalking, never=("anpr", "proactive")),
)
