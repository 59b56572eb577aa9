"""What one finding is worth: by how much it makes misuse more likely than it was, on a logarithmic scale.

    weight = ln(expected / rate)     nats, never below 0

`expected` is how often misuse of the kind that a rule is about would make it speak, judged by its level; `rate` is how
often it speaks of comparable colleagues on one of their nights, counted in this force (rarity.py). The ratio of the two
is a likelihood ratio, and weights of evidence add up: Good (1950), Probability and the Weighing of Evidence, chapter 6.
What a rule says about everybody in a unit is worth nothing there, whatever its level.

Strength is the same on a scale of 0-100, for people: 100 * (1 - exp(-weight / SCALE)).
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Final

from detector.schema import LEVELS

#: Of 100 nights with misuse of its kind, on how many a finding of this level would be there. Judgements, to be
#: corrected by decisions (feedback); low ones are guesses at what misuse looks like, high ones say what it is.
EXPECTED: Final = MappingProxyType(
    {"informational": 0.05, "low": 0.1, "medium": 0.3, "high": 0.6, "critical": 0.9}
)  # fmt: skip
#: How often a finding of this level is assumed to speak of anybody, until rarity.PRIOR_NIGHTS were counted.
ASSUMED_RATE: Final = MappingProxyType(
    {"informational": 0.1, "low": 0.05, "medium": 0.02, "high": 0.005, "critical": 0.001}
)  # fmt: skip
#: Nats that take a strength from 0 to 63, and every distance from 100 to 37 % of it.
SCALE: Final = 6.0
#: The strength of a finding however rare: 55 nats.
MOST_STRENGTH: Final = 99.99

#: A level too weak to raise an alert by itself.
WEAK: Final = "informational"


def weight(level: str, rate: float) -> float:
    """Nats, 0 or more. `rate` is above 0 and at most 1. Raises KeyError for no level of Sigma's."""
    return max(math.log(EXPECTED[level] / rate), 0.0)


def strength(nats: float) -> float:
    """0-100 for a weight of 0 or more."""
    return min(100.0 * (1.0 - math.exp(-nats / SCALE)), MOST_STRENGTH)


def nats(strength: float) -> float:
    """The weight that a strength stands for."""
    return -SCALE * math.log1p(-min(max(strength, 0.0), MOST_STRENGTH) / 100.0)


def level_rank(level: str) -> int:
    """0 for informational, 4 for critical."""
    return LEVELS.index(level)
