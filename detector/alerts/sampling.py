"""Blind samples: a share of the slots goes to nights of people that nothing put into the queue, drawn at random.

What reviewers decide on them is the only word on what is missed. The draw is one of numbers made from the night, the
actor and a seed: the same on every machine and in every scan of the night, and not to be foretold by whoever lacks the
seed. All of a night's unflagged people are equally likely; nights differ, so each sample carries its probability.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from math import floor
from typing import Final

from detector.alerts.evidence import Evidence
from detector.alerts.worth import nats, strength

#: Points by which a borrowed score may differ from the one it is borrowed from.
_SPREAD: Final = 2.0
LOWEST_LEVEL: Final = "low"
_LEVELS: Final = (LOWEST_LEVEL, "medium")
_LEAST_NATS: Final = 0.1
_BELOW_100: Final = 99.9


def expected_samples(slots: int, share: float) -> float:
    """How many of a night's slots are samples on average: seldom a whole number."""
    return slots * share


def samples_of(night: date, expected: float, seed: str) -> int:
    """A whole number for this night: the one below `expected` or the one above it, right on average over nights."""
    whole = floor(expected)
    return whole + (chance(seed, "slots", night) < expected - whole)


def drawn(night: date, people: Iterable[str], number: int, seed: str) -> tuple[str, ...]:
    """So many of `people`, or all if they are fewer: those whose number is lowest, so that a second look at the same
    night, with some more people on it, draws whom it drew before or somebody who was not there."""
    return tuple(sorted(people, key=lambda actor: (chance(seed, "person", night, actor), actor))[:number])


def inclusion(expected: float, eligible: int) -> float:
    """The probability, before anything is drawn, that one of the `eligible` is: over both draws, how many and whom."""
    whole = floor(expected)
    return (min(whole, eligible) * (whole + 1 - expected) + min(whole + 1, eligible) * (expected - whole)) / eligible


def borrowed(queue: Iterable[tuple[float, str]], least: float, at: float) -> tuple[float, str]:
    """Score and level of an alert of a queue's lower half, the score a little higher; `at` (0-1) says which and how
    much. Low, so that a sample stands before little that was found; level low or medium, as the forest's often are.

    `queue` has scores and levels; where it is empty, the score is one just above `least`.
    """
    ordered = sorted(queue)
    if not ordered:
        return least + _SPREAD * at, LOWEST_LEVEL
    place, beside = divmod(at * ((len(ordered) + 1) // 2), 1)
    score, level = ordered[int(place)]
    return min(score + _SPREAD * beside, _BELOW_100), level if level in _LEVELS else LOWEST_LEVEL


def borrowed_strength(wanted: float, others: Iterable[Evidence]) -> float:
    """The strength with which a finding brings its night to the score `wanted` beside `others`, as near as can be."""
    missing = nats(wanted) - sum(nats(item.strength) for item in others)
    return strength(max(missing, _LEAST_NATS))


def chance(*parts: object) -> float:
    """A number from 0 to below 1, evenly spread over different parts and the same for the same ones."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
