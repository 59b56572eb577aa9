"""What the database says, as samples: one function a group of metrics, each one or two grouped queries."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Max, Min, Sum

import detector
from detector.ledger.models import IngestedFile, Run
from detector.schema import VERDICTS
from detector.triage.models import Alert, AlertFinding, Decision
from detector.triage.scorecard import CONFIRMED, COUNTED, latest_verdicts
from detector.triage.transitions import UNDECIDED

SCAN = "scan"
RULE_STATUSES = ("active", "inactive", "failed")


@dataclass(frozen=True)
class Reading:
    """One sample: the metric's name in the catalogue, its labels' values in the catalogue's order, the value."""

    metric: str
    labels: tuple[str, ...]
    value: float


def readings() -> Iterator[Reading]:
    """Every sample, read from the open database at this moment. A fact that is not known yet has no sample."""
    yield Reading("build_info", (detector.__version__,), 1)
    yield from _runs()
    yield from _alerts()
    yield from _sources()
    yield from _decisions()


def _runs() -> Iterator[Reading]:
    scans = Run.objects.filter(command=SCAN, finished_at__isnull=False)
    yield from _instant("last_success_timestamp_seconds", _latest(scans.filter(state=Run.SUCCEEDED)))
    yield from _instant("last_completion_timestamp_seconds", _latest(scans))
    last = scans.order_by("-finished_at", "-pk").first()
    if last is not None:
        for stage, seconds in sorted(last.stage_seconds.items()):
            yield Reading("stage_duration_seconds", (stage,), seconds)
    # A failed scan has no summary: what the last one with a summary said is still what the rules and the model are.
    told = scans.exclude(summary={}).order_by("-finished_at", "-pk").first()
    if told is not None:
        yield from _summary(told.summary)


def _summary(summary: Mapping[str, Any]) -> Iterator[Reading]:
    rules = summary.get("rules") or {}
    for status in RULE_STATUSES:
        if status in rules:
            yield Reading("rules", (status,), rules[status])
    model = summary.get("model") or {}
    trained = model.get("trained_at")
    if trained:
        yield from _instant("model_trained_timestamp_seconds", datetime.fromisoformat(trained))
    for feature, drift in sorted((model.get("drift") or {}).items()):
        if drift is not None and math.isfinite(drift):
            yield Reading("model_feature_drift", (feature,), drift)


def _alerts() -> Iterator[Reading]:
    queue = Alert.objects.filter(in_budget=True)
    for row in queue.values("rule_id", "level", "state").annotate(number=Count("pk")).order_by():
        yield Reading("alerts", (row["rule_id"], row["level"], row["state"]), row["number"])
    waiting = Alert.objects.filter(state__in=UNDECIDED)
    yield Reading("alerts_below_budget", (), waiting.filter(in_budget=False).count())
    oldest = waiting.filter(in_budget=True).aggregate(oldest=Min("created_at"))["oldest"]
    yield from _instant("oldest_open_alert_timestamp_seconds", oldest)
    # Findings are never deleted and never change rule or level, so this cannot fall.
    spoken_in = AlertFinding.objects.filter(alert__sample_probability=None)
    raised = spoken_in.values("rule_id", "level").annotate(number=Count("alert", distinct=True))
    for spoken in raised.order_by():
        yield Reading("alerts_raised", (spoken["rule_id"], spoken["level"]), spoken["number"])


def _sources() -> Iterator[Reading]:
    files = IngestedFile.objects.values("source_name")
    for row in files.annotate(number=Sum("events"), latest=Max("last_event_time")).order_by():
        yield Reading("events_ingested", (row["source_name"],), row["number"])
        yield from _instant("source_latest_event_timestamp_seconds", row["latest"], row["source_name"])
    rejected: dict[tuple[str, str], int] = {}
    for source, reasons in IngestedFile.objects.filter(rejects__gt=0).values_list("source_name", "reject_reasons"):
        for reason, number in reasons.items():
            rejected[source, reason] = rejected.get((source, reason), 0) + number
    for labels, number in rejected.items():
        yield Reading("events_rejected", labels, number)


def _decisions() -> Iterator[Reading]:
    given = dict(Decision.objects.order_by().values_list("verdict").annotate(number=Count("pk")))
    for verdict in VERDICTS:
        yield Reading("decisions", (verdict,), given.get(verdict, 0))
    latest = latest_verdicts()
    hits: dict[str, int] = {}
    total: dict[str, int] = {}
    decided = AlertFinding.objects.filter(
        superseded_at=None, alert__decisions__isnull=False, alert__sample_probability=None
    )
    for rule, alert_id in decided.values_list("rule_id", "alert_id").distinct():
        if latest.get(alert_id) in COUNTED:
            total[rule] = total.get(rule, 0) + 1
            hits[rule] = hits.get(rule, 0) + (latest[alert_id] == CONFIRMED)
    for rule, number in total.items():
        yield Reading("rule_precision_ratio", (rule,), hits[rule] / number)


def _latest(runs: Any) -> datetime | None:
    moment: datetime | None = runs.aggregate(latest=Max("finished_at"))["latest"]
    return moment


def _instant(metric: str, moment: datetime | None, *labels: str) -> Iterator[Reading]:
    if moment is not None:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        yield Reading(metric, labels, aware.timestamp())
