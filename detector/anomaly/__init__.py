"""The forest: how unlike those of comparable colleagues each look-up is, and why."""

from detector.anomaly.findings import forest_findings
from detector.anomaly.night import ScoredNight, people_of, score_night, score_people
from detector.anomaly.schedule import train_if_due, train_through
from detector.anomaly.specification import ModelSpecification, load_specification

__all__ = [
    "ModelSpecification",
    "ScoredNight",
    "forest_findings",
    "load_specification",
    "people_of",
    "score_night",
    "score_people",
    "train_if_due",
    "train_through",
]
