"""Findings for the tests of alerts, triage and metrics: everything has a default, each test says what matters to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from detector.config import Settings
from detector.records import Detector, Finding, Reason, Usual

NIGHT = date(2026, 3, 2)
#: What findings of a level come to here, where no force was counted.
STRENGTH = {"informational": 5.0, "low": 20.0, "medium": 45.0, "high": 70.0, "critical": 90.0}
NOW = datetime(2026, 3, 3, 3, 0, tzinfo=UTC)


def finding(
    actor: str = "P-1",
    rule: str = "rule_a",
    *,
    theme: str = "curiosity",
    level: str = "medium",
    night: date = NIGHT,
    hour: int = 9,
    events: Sequence[str] | None = None,
    detector: Detector = "rule",
    strength: float | None = None,
    title: str | None = None,
    explanation: str | None = None,
    usual: tuple[Usual, ...] = (),
    reasons: tuple[tuple[Reason, ...] | None, ...] = (),
) -> Finding:
    """One finding; by default its events are its own, named after actor, rule, night and hour."""
    start = datetime.combine(night, time(hour), UTC)
    ids = tuple(events) if events is not None else tuple(f"{actor}-{rule}-{night}-{hour}-{n}" for n in range(3))
    return Finding(
        detector=detector,
        rule_id=rule,
        title=title if title is not None else f"Title of {rule}",
        level=level,
        theme=theme,
        actor_id=actor,
        night=night,
        first_event_time=start,
        last_event_time=start + timedelta(minutes=30),
        event_ids=ids,
        explanation=explanation if explanation is not None else f"{rule} spoke",
        strength=STRENGTH[level] if strength is None else strength,
        usual=usual,
        reasons=reasons,
    )


def forest(actor: str = "P-1", *, strength: float = 55.0, level: str = "medium", **rest: object) -> Finding:
    """A finding of the forest, of its own theme."""
    return finding(
        actor,
        "isolation_forest",
        theme="unusual_pattern",
        level=level,
        detector="forest",
        strength=strength,
        **rest,  # type: ignore[arg-type]
    )


def budget(slots: int = 10, join_days: int = 7) -> Settings:
    """Settings with this budget."""
    return Settings.model_validate({"budget": {"alerts_per_night": slots, "join_days": join_days, "least_score": 0}})
