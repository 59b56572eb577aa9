"""What one finding is worth, 0-1: read as the chance that a reviewer would find the access unexplained.

Starting priors, to be replaced by each rule's own precision once reviewers have decided enough. They are set so that
no number of informational findings reaches one medium one in practice (eleven different rules would be needed), and
so that two different medium rules (0.70) weigh as much as one high one.
"""

from __future__ import annotations

from typing import Final

from detector.records import Detector
from detector.schema import LEVELS

LEVEL_WORTH: Final = {"informational": 0.05, "low": 0.2, "medium": 0.45, "high": 0.7, "critical": 0.9}

#: The forest's strength is a share of the training events that are less strange, so it is near 100 for every finding:
#: of 20,000 look-ups a night, 20 lie above 99.9. It is therefore scaled: alone it stays below a high rule finding.
FOREST_CEILING: Final = 0.6

#: A level too weak to raise an alert by itself.
WEAK: Final = "informational"


def worth(detector: Detector, level: str, strength: float) -> float:
    """0-1. A rule's finding is worth its level, the forest's its strength (0-100) times FOREST_CEILING."""
    if detector == "rule":
        return LEVEL_WORTH[level]
    return FOREST_CEILING * min(max(strength, 0.0), 100.0) / 100.0


def level_rank(level: str) -> int:
    """0 for informational, 4 for critical."""
    return LEVELS.index(level)
