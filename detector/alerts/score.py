"""The score of an alert, 0-100, and its level."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from detector.alerts.evidence import Evidence
from detector.alerts.worth import level_rank

#: How much a signal that comes back on n nights gains: its miss probability is raised to 1 + REPEAT_BONUS * ln(n).
#: A medium rule (0.45) is worth 0.53 after 3 nights, 0.59 after 7 and 0.67 after 30: below one high finding.
REPEAT_BONUS: Final = 0.25


def score(evidence: Iterable[Evidence]) -> float:
    """Noisy-or of the findings, 0-100, two decimals: 100 * (1 - product over sources of (1 - worth)).

    Findings of one source (one rule, or the forest) count once, with the strongest one's worth, and a bonus that
    grows with the logarithm of the number of nights. Noisy-or: Pearl, Probabilistic Reasoning in Intelligent
    Systems (1988), 4.3.2; it assumes that the sources err independently, which makes high scores optimistic.
    """
    worths: dict[tuple[str, str], float] = {}
    nights: dict[tuple[str, str], set[int]] = {}
    for item in evidence:
        worths[item.source] = max(worths.get(item.source, 0.0), item.worth)
        nights.setdefault(item.source, set()).add(item.night.toordinal())
    missed = 1.0
    for source in sorted(worths):
        missed *= math.pow(1.0 - worths[source], 1.0 + REPEAT_BONUS * math.log(len(nights[source])))
    return round(100.0 * (1.0 - missed), 2)


def level(evidence: Iterable[Evidence]) -> str:
    """The highest level among the findings; weak ones never add up to a higher one. Raises ValueError for none."""
    return max((item.level for item in evidence), key=level_rank)
