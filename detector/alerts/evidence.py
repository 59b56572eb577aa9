"""A finding as an alert holds it, and the order of strength that everything else here uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from detector.records import Detector, Finding


@dataclass(frozen=True)
class Evidence:
    """What scoring, ranking and wording need of one finding. `strength` is 0-100; times are aware UTC."""

    finding_id: str
    detector: Detector
    rule_id: str
    title: str
    level: str
    strength: float
    explanation: str
    night: date
    first_event_time: datetime
    last_event_time: datetime

    @classmethod
    def of(cls, finding: Finding) -> Evidence:
        return cls(
            finding.finding_id,
            finding.detector,
            finding.rule_id,
            finding.title,
            finding.level,
            finding.strength,
            finding.explanation,
            finding.night,
            finding.first_event_time,
            finding.last_event_time,
        )

    @property
    def source(self) -> tuple[str, str]:
        """What made it: findings of one source are one signal, however often it speaks."""
        return (self.detector, self.rule_id)


def strongest_first(evidence: Evidence) -> tuple[float, int, float, str]:
    """Sort key: strength, then the newest night, then the earliest event, then the id."""
    return (-evidence.strength, -evidence.night.toordinal(), evidence.first_event_time.timestamp(), evidence.finding_id)
