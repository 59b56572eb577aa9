"""Reading for somebody outside: criminals, the press, whoever a witness should be hidden from."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.casework import CASE_TYPES
from detector.simulate.indices import CRIME, INTELLIGENCE, VEHICLE
from detector.simulate.rows import CRIS, INTEL, PNC, SEARCH, VIEW
from detector.simulate.scenarios.scenario import Draft, Scenario
from detector.simulate.ties import CANARY, ORGANISED, PROTECTED

_NEVER: Final = ("intelligence", "network", "proactive", "standards")


def _watched(draft: Draft, kind: int) -> list[int]:
    watch = draft.world.watch
    return [int(record) for record in watch.record[watch.kind == kind]]


def assisting_criminals(draft: Draft) -> None:
    """Somebody of an organised-crime list, off remit, and back every week: is anybody looking at me?"""
    indices = draft.world.indices
    listed = [r for r in _watched(draft, ORGANISED) if r < indices.persons]
    subject = draft.one(listed)
    first, last = draft.span(25, 120)
    every = draft.between(5, 9)
    for due in range(first, last + 1, every):
        day = draft.working(due, min(due + 2, last), 1)[0]
        draft.look(day, subject, system=PNC, action=SEARCH)
        if draft.chance(0.4):
            draft.read(day, draft.one(listed) if draft.chance(0.5) else subject, after=draft.between(30, 240))
        car = int(indices.vehicle_of[subject])
        if car >= 0 and draft.chance(0.3):
            draft.look(day, car + int(indices.starts[VEHICLE]), after=draft.between(240, 500))


def intelligence_leak(draft: Draft) -> None:
    """Intelligence of a tier above the role, outside any operation of one's own."""
    indices = draft.world.indices
    secret = np.flatnonzero(indices.report_tier >= 3)
    first, last = draft.span(5, 60)
    days = draft.working(first, last, draft.between(3, 15))
    for i in range(draft.between(5, 30)):
        report = draft.one(secret) + int(indices.starts[INTELLIGENCE])
        draft.look(days[i % len(days)], report, system=INTEL, action=VIEW, slot=0, after=(i // len(days)) * 90)


def operation_leak(draft: Draft) -> None:
    """The file of another team's drugs operation, in the days before it is closed by arrests."""
    cases = draft.world.cases
    drugs = (
        (cases.type == CASE_TYPES.index("drugs supply"))
        & (cases.outline.closed > 4)
        & (cases.outline.closed < draft.world.days)
    )
    chosen = draft.one(np.flatnonzero(drugs)) if drugs.any() else 0
    strike = int(cases.outline.closed[chosen])
    days = draft.working(strike - 6, strike - 1, draft.between(1, 4))
    for day in days:
        draft.look(day, chosen + int(draft.world.indices.starts[CRIME]), system=CRIS, action=VIEW)
        draft.look(day, draft.one(cases.records_of(chosen)), system=CRIS, action=VIEW, after=draft.between(30, 240))


def canary(draft: Draft) -> None:
    """Access one may have, to a record that exists only to be noticed."""
    decoys = _watched(draft, CANARY)
    first, last = draft.span(1, 20)
    for day in draft.working(first, last, draft.between(1, 2)):
        record = draft.one(decoys)
        system = PNC if record < draft.world.indices.persons else INTEL
        draft.look(day, record, system=system, action=SEARCH if system == PNC else VIEW)


def supplying_journalists(draft: Draft) -> None:
    """Hours to two days before each of several stories, the file behind it, by somebody off the team."""
    watch = draft.world.watch
    stories = draft.rng.permutation(len(watch.story_case))[: draft.between(2, 5)]
    for story in stories:
        broke, minute = int(watch.story_day[story]), int(watch.story_minute[story])
        for day in draft.working(max(broke - 2, 0), max(broke - 1, 0), draft.between(1, 2)):
            draft.read(day, int(watch.story_record[story]))
            if draft.chance(0.5):
                crime = int(watch.story_case[story]) + int(draft.world.indices.starts[CRIME])
                draft.look(day, crime, system=CRIS, action=VIEW, after=draft.between(30, 300))
        if draft.chance(0.3) and minute > 120:
            draft.read(broke, int(watch.story_record[story]), minute=minute - draft.between(30, 110))


def witness_leak(draft: Draft) -> None:
    """Protected witnesses, read off the team."""
    witnesses = _watched(draft, PROTECTED)
    first, last = draft.span(3, 30)
    chosen = draft.one(witnesses)
    for day in draft.working(first, last, draft.between(2, 6)):
        draft.look(day, chosen if draft.chance(0.8) else draft.one(witnesses), system=CRIS, action=VIEW)


SCENARIOS: Final = (
    Scenario("assisting_criminals", 17, "leaks", "tune", assisting_criminals, never=_NEVER),
    Scenario("intelligence_leak", 18, "leaks", "tune", intelligence_leak, never=_NEVER),
    Scenario("operation_leak", 19, "leaks", "held_out", operation_leak, never=_NEVER),
    Scenario("canary_record", 20, "leaks", "tune", canary),
    Scenario("supplying_journalists", 21, "leaks", "tune", supplying_journalists, never=("press",)),
    Scenario("witness_leak", 25, "leaks", "held_out", witness_leak, never=("witness", *_NEVER)),
)
