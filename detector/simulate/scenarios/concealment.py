"""Lies around the look-up: false references, empty reasons, altered records, one look-up hidden among many."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.rows import CASE_REF, CRIS, DELETE, UNKNOWN_REF, UNKNOWN_REFS, UPDATE, VIEW
from detector.simulate.scenarios.scenario import Draft, Scenario


def tampering(draft: Draft) -> None:
    """Records that are none of the actor's business, read and then altered or deleted."""
    first, last = draft.span(1, 30)
    for day in draft.working(first, last, draft.between(1, 5)):
        person = draft.stranger()
        for i in range(draft.between(1, 3)):
            draft.look(day, person, system=CRIS, action=VIEW, after=60 * i)
        action = DELETE if draft.chance(0.4) else UPDATE
        draft.look(day, person, system=CRIS, action=action, after=draft.between(200, 700))


def false_reference(draft: Draft) -> None:
    """Eight to forty look-ups under a reference that is unknown, long closed, another unit's, or made up afterwards."""
    cases = draft.world.cases.outline
    first, last = draft.span(7, 60)
    days = draft.working(first, last, draft.between(4, 20))
    closed = np.flatnonzero(cases.closed < first)
    later = np.flatnonzero(cases.opened > last)
    kind = draft.between(0, 3)
    if kind == 0 or (kind == 1 and not len(closed)) or (kind == 2 and not len(later)):
        ref = (UNKNOWN_REF, draft.between(0, UNKNOWN_REFS - 1))
    elif kind == 1:
        ref = (CASE_REF, draft.one(closed))
    elif kind == 2:
        ref = (CASE_REF, draft.one(later))
    else:
        ref = (CASE_REF, draft.between(0, len(cases.opened) - 1))
    for i in range(draft.between(8, 40)):
        draft.read(days[i % len(days)], draft.stranger(), slot=i // len(days), ref=ref)


def empty_reasons(draft: Draft) -> None:
    """Thirty to a hundred and eighty look-ups, every one 'investigation' or the like."""
    first, last = draft.span(14, 90)
    days = draft.working(first, last, draft.between(10, 40))
    reason = draft.plain("generic", draft.between(0, 7))
    for i in range(draft.between(30, 180)):
        draft.read(days[i % len(days)], draft.stranger(), slot=i // len(days), reason=reason, ref=(0, 0))


def hidden_among_explained(draft: Draft) -> None:
    """One look-up of interest, on each of a few busy days, among those that a case explains."""
    first, last = draft.span(10, 60)
    subject = int(draft.world.ties.person[draft.between(4, 5), draft.actor])
    for day in draft.working(first, last, draft.between(3, 10)):
        draft.read(day, subject if draft.chance(0.7) else draft.stranger(), hidden=True)


SCENARIOS: Final = (
    Scenario("tampering", 24, "concealment", "held_out", tampering, never=("quality", "offender", "witness")),
    Scenario("false_reference", 26, "concealment", "tune", false_reference),
    Scenario("empty_reasons", 27, "concealment", "tune", empty_reasons),
    Scenario(
        "hidden_among_explained", 31, "concealment", "held_out", hidden_among_explained,
        kinds=("response", "cid", "domestic", "proactive", "traffic", "murder", "sexual", "intelligence"),
    ),
)  # fmt: skip
