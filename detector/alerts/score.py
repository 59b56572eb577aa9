"""The score of an alert, 0-100, and its level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Final

from detector.alerts.evidence import Evidence
from detector.alerts.worth import level_rank, nats, strength

#: Days after which what a night added counts half: about one turn of a shift pattern and back.
HALF_LIFE_DAYS: Final = 14.0
#: What each further night keeps of its weight, the heaviest night first. All nights together never exceed the
#: heaviest by more than 1 / (1 - FURTHER) = 2 times, so that being busy every day does not make an alert.
FURTHER: Final = 0.5


def score(evidence: Iterable[Evidence]) -> float:
    """0-100, two decimals: the weights of the findings added up, over the alert's nights, on the scale of strength.

    Within a night weigh.py has settled what each finding adds. Over nights risk accumulates and fades: on any night m
    it is the sum, heaviest first, of what the nights up to m weigh, halved every HALF_LIFE_DAYS, each further one times
    FURTHER. The score is the highest that this ever was: waiting makes an alert no less urgent.
    """
    nights: dict[date, float] = defaultdict(float)
    for item in sorted(evidence, key=lambda item: item.finding_id):
        nights[item.night] += nats(item.strength)
    highest = max((_accumulated(nights, night) for night in nights), default=0.0)
    return round(strength(highest), 2)


def _accumulated(nights: dict[date, float], until: date) -> float:
    left = [nats * 0.5 ** ((until - night).days / HALF_LIFE_DAYS) for night, nats in nights.items() if night <= until]
    return sum((nats * FURTHER**place for place, nats in enumerate(sorted(left, reverse=True))), start=0.0)


def level(evidence: Iterable[Evidence]) -> str:
    """The highest level among the findings; weak ones never add up to a higher one. Raises ValueError for none."""
    return max((item.level for item in evidence), key=level_rank)
