"""A night's findings become alerts in the database. Called by the scan, inside its transaction or in one of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from detector.alerts.budget import Contender, deal
from detector.alerts.evidence import Evidence, strongest_first
from detector.alerts.group import Grouped, Held, Voice, group, voice
from detector.alerts.raising import NightAlerts, RaisedAlert
from detector.alerts.score import level, score
from detector.alerts.wording import explanation, title
from detector.config import BudgetSettings, Settings
from detector.records import Finding, Usual
from detector.triage.models import Alert, AlertFinding, SampleDraw
from detector.triage.transitions import DECIDED, OPEN, UNDECIDED

#: Events kept as a finding's evidence; its explanation says how many there are in all.
MAX_EVENTS: Final = 200

#: Rows asked for by id at once: below the number of parameters that any database takes.
_CHUNK: Final = 500

#: Columns that a scan writes over; the state and what else a reviewer sets is never among them.
_WRITTEN = (
    "rule_id", "theme", "night", "first_night", "first_event_time", "last_event_time", "score", "rank", "level",
    "title", "explanation", "in_budget", "queued_on", "updated_at",
)  # fmt: skip


def raise_alerts(night: date, findings: Iterable[Finding], now: datetime, settings: Settings) -> NightAlerts:
    """Group, score, rank and store the findings of one night; the same findings again change nothing.

    `findings` are all findings of the night, `now` is aware UTC. What a rule (or the forest) says about an actor
    replaces what it said about the same actor and night before; a finding that is merely gone stays, since a
    reviewer may have read it. What a decided alert already holds is no news; the rest raises a new alert.
    Raises ValueError for a finding of another night.
    """
    given = {item.finding_id: item for item in findings}
    if any(item.night != night for item in given.values()):
        raise ValueError(f"a finding of another night than {night}")
    with transaction.atomic():
        return _raise(night, given, now, settings)


def _raise(night: date, given: dict[str, Finding], now: datetime, settings: Settings) -> NightAlerts:
    # Nothing joins a blind sample, and what it shows is not said of the night a second time.
    told = AlertFinding.objects.filter(night=night, alert__sample_probability=None).select_related("alert")
    stored = {f.finding_id: f for f in told}
    fresh = _news(given, stored)
    replaced = _replaced(fresh, given, stored)
    held_alerts = _held_alerts(night, fresh, settings)
    seats = _seats(stored, fresh)
    grouped = group(
        fresh,
        _held(held_alerts, gone=set(replaced)),
        night=night,
        join_days=settings.budget.join_days,
        seats=seats,
        taken=set(Alert.objects.filter(first_night=night, state__in=DECIDED).values_list("alert_id", flat=True)),
    )
    placed = {item.finding_id for alert in grouped for item in alert.added}
    if not placed:
        return NightAlerts(night, (), 0)
    existing = {alert.alert_id: alert for alert in held_alerts}
    changed = [summarise(item, existing.get(item.alert_id), now) for item in grouped]
    store_alerts(changed, settings.budget)
    _supersede(replaced.values(), now)
    _store_findings(grouped, set(stored))
    new = {item.alert_id for item in grouped if item.is_new}
    touched = [
        RaisedAlert(a.alert_id, a.level, a.score, a.rank, a.in_budget, a.alert_id in new)
        for a in sorted(changed, key=lambda a: (a.rank, a.alert_id))
    ]
    return NightAlerts(night, tuple(touched), len(placed))


def _voice(row: AlertFinding) -> Voice:
    return (row.detector, row.rule_id, row.alert.actor_id)


def _news(given: dict[str, Finding], stored: dict[str, AlertFinding]) -> list[Finding]:
    """The findings that no alert holds yet, without those whose every event a decided alert has as evidence."""
    fresh = [f for f in given.values() if f.finding_id not in stored or stored[f.finding_id].superseded_at is not None]
    seen: dict[Voice, list[set[str]]] = {}
    for row in stored.values():
        if row.alert.state in DECIDED:
            seen.setdefault(_voice(row), []).append(set(row.event_ids))
    # where only some events are kept, those say nothing about the rest; its id, which stands for all, was not found
    return [
        item
        for item in fresh
        if item.all_events or not any(set(_evidence_ids(item)) <= ids for ids in seen.get(voice(item), ()))
    ]


def _evidence_ids(finding: Finding) -> tuple[str, ...]:
    return finding.event_ids[:MAX_EVENTS]


def _replaced(
    fresh: Sequence[Finding], given: dict[str, Finding], stored: dict[str, AlertFinding]
) -> dict[str, AlertFinding]:
    """Stored findings of undecided alerts whose voice now says something else."""
    voices = {voice(item) for item in fresh}
    return {
        row.finding_id: row
        for row in stored.values()
        if row.superseded_at is None
        and row.finding_id not in given
        and row.alert.state in UNDECIDED
        and _voice(row) in voices
    }


def _seats(stored: dict[str, AlertFinding], fresh: Sequence[Finding]) -> dict[Voice, str]:
    wanted = {voice(item) for item in fresh}
    rows = sorted(stored.values(), key=lambda row: (row.superseded_at is None, row.finding_id))
    return {_voice(r): r.alert_id for r in rows if r.alert.state in UNDECIDED and _voice(r) in wanted}


def _held_alerts(night: date, fresh: Sequence[Finding], settings: Settings) -> list[Alert]:
    """Undecided alerts that a finding could join, or that have evidence of the night already."""
    actors = {item.actor_id for item in fresh}
    if not actors:
        return []
    earliest = night - timedelta(days=settings.budget.join_days)
    near = Q(first_night__lte=night, night__gte=earliest, sample_probability=None)
    return [a for a in Alert.objects.select_for_update().filter(near, state__in=UNDECIDED) if a.actor_id in actors]


def _held(alerts: Sequence[Alert], gone: set[str]) -> list[Held]:
    evidence: dict[str, list[Evidence]] = {}
    ids = [alert.alert_id for alert in alerts]
    for start in range(0, len(ids), _CHUNK):
        rows = AlertFinding.objects.filter(alert_id__in=ids[start : start + _CHUNK], superseded_at=None)
        # Without what is long and not asked for here: most of the time went into its JSON.
        for row in rows.defer("event_ids", "usual", "reasons").order_by("finding_id"):
            if row.finding_id not in gone:
                evidence.setdefault(row.alert_id, []).append(_evidence(row))
    return [Held(a.alert_id, a.actor_id, a.first_night, a.night, tuple(evidence.get(a.alert_id, ()))) for a in alerts]


def _evidence(row: AlertFinding) -> Evidence:
    return Evidence(
        row.finding_id,
        "rule" if row.detector == "rule" else "forest",
        row.rule_id,
        row.title,
        row.level,
        row.strength,
        row.explanation,
        row.night,
        row.first_event_time,
        row.last_event_time,
    )


def summarise(item: Grouped, alert: Alert | None, now: datetime) -> Alert:
    """The alert's row with what its findings now come to; rank and budget are not yet dealt."""
    if alert is None:
        alert = Alert(alert_id=item.alert_id, actor_id=item.actor_id, state=OPEN, created_at=now)
        alert.rank, alert.in_budget = 0, False
    strongest = min(item.evidence, key=strongest_first)
    alert.rule_id = strongest.rule_id
    alert.theme = next((f.theme for f in item.added if f.finding_id == strongest.finding_id), alert.theme)
    alert.night = max(e.night for e in item.evidence)
    alert.first_night = min(e.night for e in item.evidence)
    alert.first_event_time = min(e.first_event_time for e in item.evidence)
    alert.last_event_time = max(e.last_event_time for e in item.evidence)
    alert.score = score(item.evidence)
    alert.level = level(item.evidence)
    alert.title = title(item.evidence)
    alert.explanation = explanation(item.evidence)
    alert.updated_at = now
    return alert


def store_alerts(changed: list[Alert], budget: BudgetSettings) -> None:
    """Give every alert its place and write what is new or another now."""
    ranked = _rank(changed, budget)
    Alert.objects.bulk_create(ranked, update_conflicts=True, unique_fields=["alert_id"], update_fields=_WRITTEN)


def _rank(changed: list[Alert], budget: BudgetSettings) -> list[Alert]:
    """Deal the places of every night that a changed alert belongs to; returns the rows to write, changed ones and all
    whose place is another now."""
    rows = {alert.alert_id: alert for alert in changed}
    write = dict(rows)
    nights = sorted({alert.night for alert in changed})
    reserved = dict(SampleDraw.objects.filter(night__in=nights).values_list("night", "wanted"))
    for night in nights:
        of_night = Alert.objects.filter(findings__night=night, findings__superseded_at=None).distinct()
        for alert in of_night:
            rows.setdefault(alert.alert_id, alert)
        known = {alert.alert_id for alert in of_night}
        contenders = [a for a in rows.values() if a.alert_id in known or a.night == night]
        places = deal(
            (
                Contender(
                    a.alert_id,
                    a.score,
                    a.level,
                    a.first_event_time,
                    a.queued_on,
                    a.state in DECIDED,
                    a.sample_probability is not None,
                )
                for a in contenders
            ),
            night=night,
            slots=max(budget.alerts_per_night - reserved.get(night, 0), 0),
            least_score=budget.least_score,
        )
        for alert in contenders:
            place = places[alert.alert_id]
            rank = place.rank if alert.night == night else alert.rank
            if (rank, place.queued_on) != (alert.rank, alert.queued_on):
                alert.rank, alert.queued_on, alert.in_budget = rank, place.queued_on, place.queued_on is not None
                write[alert.alert_id] = alert
    return [write[key] for key in sorted(write)]


def _supersede(outdated: Iterable[AlertFinding], now: datetime) -> None:
    rows = list(outdated)
    for row in rows:
        row.superseded_at = now
    AlertFinding.objects.bulk_update(rows, ["superseded_at"], batch_size=_CHUNK)


def _store_findings(grouped: Sequence[Grouped], stored: Set[str]) -> None:
    """Insert what is new; a superseded finding that came back is only marked as valid again."""
    rows: list[AlertFinding] = []
    for alert in grouped:
        for finding in alert.added:
            if finding.finding_id in stored:
                AlertFinding.objects.filter(pk=finding.finding_id).update(superseded_at=None, alert=alert.alert_id)
            else:
                rows.append(finding_row(alert.alert_id, finding))
    AlertFinding.objects.bulk_create(rows)


def finding_row(alert_id: str, finding: Finding) -> AlertFinding:
    return AlertFinding(
        finding_id=finding.finding_id,
        alert_id=alert_id,
        detector=finding.detector,
        rule_id=finding.rule_id,
        title=finding.title,
        level=finding.level,
        strength=float(finding.strength),
        explanation=finding.explanation,
        night=finding.night,
        first_event_time=finding.first_event_time,
        last_event_time=finding.last_event_time,
        event_ids=list(_evidence_ids(finding)),
        usual=[_usual(item) for item in finding.usual],
        reasons=_reasons(finding),
    )


def _reasons(finding: Finding) -> dict[str, Any]:
    """Every sentence once, since many look-ups share one."""
    given = finding.reasons[:MAX_EVENTS]
    places = {reason: place for place, reason in enumerate(dict.fromkeys(r for each in given for r in each or ()))}
    if not given:
        return {}
    return {
        "said": [[reason.sentence, reason.counts] for reason in places],
        "of": [None if each is None else [places[reason] for reason in each] for each in given],
    }


def _usual(item: Usual) -> dict[str, Any]:
    """As JSON, which knows no NaN: a number that is none is null."""
    row = asdict(item)
    return row | {key: _finite(row[key]) for key in ("value", "own", "peers")}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
