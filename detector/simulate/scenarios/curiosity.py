"""Looking because it is interesting: what is in the news, what colleagues talk about, footage, a well-known victim."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.indices import CRIME, EVIDENCE
from detector.simulate.rows import CRIS, FOOTAGE, PNC, SEARCH, VIEW
from detector.simulate.scenarios.scenario import Draft, Scenario

_NEVER: Final = ("press", "murder", "custody", "control", "standards", "witness")


def _story(draft: Draft) -> int:
    """A story whose case the actor has nothing to do with, where there is one."""
    watch = draft.world.watch
    story = draft.between(0, len(watch.story_case) - 1)
    for _ in range(20):
        if draft.actor not in draft.world.cases.staff_of(int(watch.story_case[story])):
            break
        story = draft.between(0, len(watch.story_case) - 1)
    return story


def high_profile(draft: Draft) -> None:
    """One to four looks at a file within days of the story about it."""
    watch, story = draft.world.watch, _story(draft)
    broke = int(watch.story_day[story])
    for day in draft.working(broke, broke + draft.between(2, 7), draft.between(1, 4)):
        draft.read(day, int(watch.story_record[story]))
        if draft.chance(0.4):
            crime = int(watch.story_case[story]) + int(draft.world.indices.starts[CRIME])
            draft.look(day, crime, system=CRIS, action=VIEW, after=90)


def linked_to_high_profile(draft: Draft) -> None:
    """The people around a story: those named in its case, not the one in the news."""
    watch, story = draft.world.watch, _story(draft)
    broke = int(watch.story_day[story])
    people = [
        int(r) for r in draft.world.cases.records_of(int(watch.story_case[story])) if r < draft.world.indices.persons
    ]
    family = int(watch.story_record[story])
    others = [person for person in people if person != family] or [draft.stranger()]
    for number, day in enumerate(draft.working(broke, broke + 10, draft.between(1, 3))):
        for i in range(draft.between(1, 2)):
            draft.read(day, others[(number + i) % len(others)], after=80 * i)


def footage(draft: Draft) -> None:
    """Two to fifteen pieces of other people's footage."""
    first, last = draft.span(1, 14)
    days = draft.working(first, last, draft.between(1, 5))
    cases = draft.world.cases.outline
    recent = np.flatnonzero((cases.opened >= first - 40) & (cases.opened <= first))
    for i in range(draft.between(2, 15)):
        case = draft.one(recent) if len(recent) else draft.between(0, len(cases.opened) - 1)
        piece = case + int(draft.world.indices.starts[EVIDENCE])
        draft.look(
            days[i % len(days)], piece, system=FOOTAGE, action=VIEW, after=(i // len(days)) * draft.between(60, 400)
        )


def herd(draft: Draft) -> None:
    """Many people with no part in it look at one victim within three days of the case's opening."""
    cases = draft.world.cases
    first, last = draft.span(3, 4)
    fresh = np.flatnonzero((cases.outline.opened >= first - 1) & (cases.outline.opened <= first))
    case = draft.one(fresh) if len(fresh) else draft.between(0, len(cases) - 1)
    victim = int(cases.records_of(case)[0])
    for actor in draft.actors:
        for day in draft.working(first, last, draft.between(1, 2), actor):
            system, action = (PNC, SEARCH) if draft.chance(0.4) else (CRIS, VIEW)
            draft.look(day, victim, actor=actor, system=system, action=action)


SCENARIOS: Final = (
    Scenario("curiosity_high_profile", 1, "curiosity", "tune", high_profile, never=_NEVER),
    Scenario("linked_to_high_profile", 2, "curiosity", "held_out", linked_to_high_profile, never=_NEVER),
    Scenario("footage_without_allocation", 3, "curiosity", "tune", footage, never=("disclosure", *_NEVER)),
    Scenario("herd_on_one_victim", 4, "curiosity", "tune", herd, never=_NEVER, actors=(4, 12)),
)
