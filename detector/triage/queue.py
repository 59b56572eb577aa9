"""Reading the reviewers' queue: alerts with their findings, events and decisions, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db.models import Case, IntegerField, Prefetch, QuerySet, Value, When

from detector.alerts.context import speaks_for
from detector.alerts.worth import level_rank
from detector.errors import UsageError
from detector.records import Reason
from detector.schema import LEVELS
from detector.triage.models import Alert, AlertFinding, Decision
from detector.triage.transitions import UNDECIDED

#: Events listed for one alert, the strongest findings' first.
MAX_EVENTS: Final = 500

_CHUNK: Final = 500
_BY_LEVEL = Case(
    *(When(level=name, then=Value(-level_rank(name))) for name in LEVELS), output_field=IntegerField(), default=Value(1)
)


@dataclass(frozen=True)
class UsualView:
    feature: str
    value: float | None
    own: float | None
    peers: float | None
    sentence: str


@dataclass(frozen=True)
class FindingView:
    finding_id: str
    detector: str
    rule_id: str
    title: str
    level: str
    strength: float
    explanation: str
    night: date
    usual: tuple[UsualView, ...]
    event_ids: tuple[str, ...]
    reasons: Mapping[str, tuple[Reason, ...]]

    @property
    def context(self) -> str:
        """What speaks for and against its look-ups, in sentences; '' where that is not known."""
        return " ".join(speaks_for(self.reasons))


@dataclass(frozen=True)
class DecisionView:
    verdict: str
    reason: str
    note: str
    decided_by: str
    decided_at: datetime
    from_state: str
    to_state: str


@dataclass(frozen=True)
class AlertView:
    """An alert as a reviewer reads it; findings strongest first, `event_ids` without repeats in their order."""

    alert_id: str
    actor_id: str
    theme: str
    first_event_time: datetime
    last_event_time: datetime
    first_night: date
    night: date
    score: float
    rank: int
    level: str
    state: str
    in_budget: bool
    sample_probability: float | None
    title: str
    explanation: str
    findings: tuple[FindingView, ...]
    decisions: tuple[DecisionView, ...]

    @property
    def sample(self) -> bool | None:
        """Whether it was a blind sample; not told (None) before it is decided, or it would not be blind."""
        return None if self.state in UNDECIDED else self.sample_probability is not None

    @property
    def context(self) -> str:
        """What speaks for and against the look-ups of all its findings, in sentences; '' where that is not known."""
        return " ".join(speaks_for({event: said for each in self.findings for event, said in each.reasons.items()}))

    @property
    def event_ids(self) -> tuple[str, ...]:
        """At most MAX_EVENTS; each finding has its own."""
        ids = dict.fromkeys(event_id for finding in self.findings for event_id in finding.event_ids)
        return tuple(ids)[:MAX_EVENTS]


def list_alerts(
    *,
    everything: bool = False,
    states: Sequence[str] | None = None,
    night: date | None = None,
    limit: int | None = None,
) -> list[AlertView]:
    """The queue, best first: alerts in the budget and not yet decided.

    `everything` adds what fell below the budget and what is decided; `states` asks for these states instead;
    `night` for alerts whose latest evidence is of that night.
    """
    wanted = Alert.objects.all() if everything else Alert.objects.filter(in_budget=True)
    if states:
        wanted = wanted.filter(state__in=states)
    elif not everything:
        wanted = wanted.filter(state__in=UNDECIDED)
    if night is not None:
        wanted = wanted.filter(night=night)
    ordered = wanted.order_by("-score", _BY_LEVEL, "first_event_time", "alert_id")
    return _views(ordered if limit is None else ordered[:limit])


def count_below_budget(night: date | None = None) -> int:
    """Undecided alerts that no night had a slot for."""
    wanted = Alert.objects.filter(in_budget=False, state__in=UNDECIDED)
    return (wanted if night is None else wanted.filter(night=night)).count()


def get_alert(alert_id: str) -> AlertView:
    """One alert, wherever it stands. Raises UsageError for an id that does not exist."""
    found = _views(Alert.objects.filter(pk=alert_id))
    if not found:
        raise unknown([alert_id])
    return found[0]


def unknown(alert_ids: Sequence[str]) -> UsageError:
    return UsageError(
        f"no alert has the id {', '.join(alert_ids)}", hint="`detector alerts list --all` shows every alert and its id."
    )


def as_record(alert: AlertView) -> dict[str, Any]:
    """The alert under the contract's names, ready for JSON."""
    return {
        "alert_id": alert.alert_id,
        "actor_id": alert.actor_id,
        "first_event_time": instant(alert.first_event_time),
        "last_event_time": instant(alert.last_event_time),
        "night": alert.night.isoformat(),
        "score": alert.score,
        "rank": alert.rank,
        "level": alert.level,
        "state": alert.state,
        "title": alert.title,
        "explanation": " ".join(filter(None, (alert.explanation, alert.context))),
        "findings": [
            {"detector": f.detector, "rule_id": f.rule_id, "level": f.level, "explanation": f.explanation}
            for f in alert.findings
        ],
        "event_ids": list(alert.event_ids),
    }


def as_full_record(alert: AlertView) -> dict[str, Any]:
    """As `as_record`, with what one needs to decide: usual values, each finding's events, the decisions so far."""
    findings = [
        {
            "finding_id": f.finding_id,
            "detector": f.detector,
            "rule_id": f.rule_id,
            "title": f.title,
            "level": f.level,
            "strength": f.strength,
            "explanation": f.explanation,
            "context": f.context,
            "night": f.night.isoformat(),
            "usual": [asdict(item) for item in f.usual],
            "event_ids": list(f.event_ids),
            "reasons": {event: [asdict(reason) for reason in said] for event, said in f.reasons.items()},
        }
        for f in alert.findings
    ]
    decisions = [asdict(item) | {"decided_at": instant(item.decided_at)} for item in alert.decisions]
    more = {"theme": alert.theme, "first_night": alert.first_night.isoformat(), "in_budget": alert.in_budget}
    more |= {"context": alert.context, "sample": alert.sample}
    return as_record(alert) | more | {"findings": findings, "decisions": decisions}


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _views(alerts: QuerySet[Alert]) -> list[AlertView]:
    with_all = alerts.prefetch_related(
        Prefetch("findings", AlertFinding.objects.filter(superseded_at=None).order_by("finding_id")),
        Prefetch("decisions", Decision.objects.order_by("sequence")),
    )
    return [_view(alert) for alert in with_all.iterator(chunk_size=_CHUNK)]


def _view(row: Alert) -> AlertView:
    findings = sorted(row.findings.all(), key=_strongest_first)
    return AlertView(
        alert_id=row.alert_id,
        actor_id=row.actor_id,
        theme=row.theme,
        first_event_time=row.first_event_time,
        last_event_time=row.last_event_time,
        first_night=row.first_night,
        night=row.night,
        score=row.score,
        rank=row.rank,
        level=row.level,
        state=row.state,
        in_budget=row.in_budget,
        sample_probability=row.sample_probability,
        title=row.title,
        explanation=row.explanation,
        findings=tuple(_finding(item) for item in findings),
        decisions=tuple(_decision(item) for item in row.decisions.all()),
    )


def _strongest_first(row: AlertFinding) -> tuple[float, int, float, str]:
    """As `detector.alerts.evidence.strongest_first`."""
    return (-row.strength, -row.night.toordinal(), row.first_event_time.timestamp(), row.finding_id)


def _finding(row: AlertFinding) -> FindingView:
    return FindingView(
        finding_id=row.finding_id,
        detector=row.detector,
        rule_id=row.rule_id,
        title=row.title,
        level=row.level,
        strength=row.strength,
        explanation=row.explanation,
        night=row.night,
        usual=tuple(_usual(item) for item in row.usual),
        event_ids=tuple(row.event_ids),
        reasons=_reasons(row),
    )


def _reasons(row: AlertFinding) -> dict[str, tuple[Reason, ...]]:
    said = [Reason(sentence, counts) for sentence, counts in row.reasons.get("said", ())]
    of = zip(row.event_ids, row.reasons.get("of", ()), strict=False)
    return {event: tuple(said[place] for place in places) for event, places in of if places is not None}


def _usual(item: Mapping[str, Any]) -> UsualView:
    return UsualView(item["feature"], item["value"], item["own"], item["peers"], item["sentence"])


def _decision(row: Decision) -> DecisionView:
    return DecisionView(row.verdict, row.reason, row.note, row.decided_by, row.decided_at, row.from_state, row.to_state)
