"""Whom the staff are tied to in private, and which records are watched or in the news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from detector.simulate.casework import Cases
from detector.simulate.chance import Ints, Rng, below, happens, whole
from detector.simulate.indices import INTELLIGENCE, VEHICLE, Indices
from detector.simulate.organisation import INDEX

TIE_KINDS: Final = ("self", "partner", "family", "family", "former_partner", "neighbour", "business")
#: How much of each kind of tie the force has on file.
_DECLARED: Final = (1.0, 0.7, 0.5, 0.5, 0.3, 0.1, 0.2)
WATCH_KINDS: Final = ("vip", "protected", "high_profile", "organised_crime", "canary")
VIP, PROTECTED, HIGH_PROFILE, ORGANISED, CANARY = range(5)


@dataclass(frozen=True)
class Ties:
    """Persons tied to each member of staff, by kind as in TIE_KINDS (one row a kind), and whether it is on file."""

    person: Ints
    declared: np.typing.NDArray[np.bool_]


@dataclass(frozen=True)
class Watch:
    """Watched records, and stories: a record in the news, with the case behind it."""

    record: Ints
    kind: Ints
    active_from: Ints  # day
    story_case: Ints
    story_record: Ints
    story_day: Ints
    story_minute: Ints


def make_ties(rng: Rng, indices: Indices) -> Ties:
    count = indices.staff
    who = np.arange(count)
    strangers = 4 * count + below(rng, np.full((3 * count), indices.persons - 4 * count)).reshape(3, count)
    person = np.stack([who, who + count, who + 2 * count, who + 3 * count, *strangers])
    declared = np.stack([happens(rng, share, count) for share in _DECLARED])
    return Ties(person, declared)


def make_watch(rng: Rng, indices: Indices, cases: Cases, days: int) -> Watch:
    count = indices.staff
    big = np.flatnonzero(np.isin(cases.outline.kind, [INDEX[key] for key in ("cid", "murder", "sexual", "proactive")]))
    vip = below(rng, np.full(max(3, count // 400), indices.persons - 4 * count)) + 4 * count
    witness_case = big[below(rng, np.full(max(4, count // 150), len(big)))]
    witness = cases.records[cases.record_start[witness_case]]
    organised = indices.popular[
        indices.popular_start[0] + below(rng, np.full(max(8, count // 40), indices.persons // 50))
    ]
    driven = indices.vehicle_of[organised]
    driven = driven[driven >= 0] + indices.starts[VEHICLE]
    canary = np.concatenate(
        [
            4 * count + below(rng, np.full(max(2, count // 500), indices.persons - 4 * count)),
            below(rng, np.full(max(2, count // 500), len(indices.subject))) + indices.starts[INTELLIGENCE],
        ]
    )
    stories = max(3, count // 250)
    story_day = whole(rng.uniform(min(5, days // 3), days, stories))
    # A story is about a case that was open when it broke.
    tries = big[below(rng, np.full(stories * 40, len(big)))].reshape(stories, 40)
    fits = (cases.outline.opened[tries] <= story_day[:, None]) & (cases.outline.closed[tries] >= story_day[:, None])
    story_case = tries[np.arange(stories), fits.argmax(axis=1)]
    story_record = cases.records[cases.record_start[story_case]]
    groups = (vip, witness, story_record, np.concatenate([organised, driven]), canary)
    record = np.concatenate(groups)
    return Watch(
        record=record,
        kind=np.repeat(np.arange(5), [len(group) for group in groups]),
        active_from=whole(rng.uniform(-400, -30, len(record))),
        story_case=story_case,
        story_record=story_record,
        story_day=story_day,
        story_minute=whole(rng.uniform(300, 1320, stories)),
    )
