"""Blind samples in the queue. Called by the scan, within the transaction of its night.

Until it is decided a sample looks like any other alert: its sentences are true, its score and place are borrowed. It is
led by what was found of that night, however weak, and where nothing was by what the forest would say of it, which is
true of anybody's night; the level then is borrowed, too. Why that is right, and what is told of it afterwards:
docs/reviewing.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from detector.alerts.evidence import Evidence, strongest_first
from detector.alerts.group import Grouped
from detector.alerts.sampling import (
    borrowed,
    borrowed_strength,
    chance,
    drawn,
    expected_samples,
    inclusion,
    samples_of,
)
from detector.alerts.worth import WEAK
from detector.config import BudgetSettings
from detector.records import Finding, stable_id
from detector.triage.models import Alert, AlertFinding, SampleDraw
from detector.triage.raising import finding_row, store_alerts, summarise

#: People -> for each of them a finding of the forest about the night, whatever it is worth.
Describe = Callable[[Sequence[str]], Mapping[str, Finding]]

#: Days of the queue that a score may be borrowed from.
_RECENT_DAYS: Final = 30


def reserve_slots(night: date, budget: BudgetSettings) -> None:
    """Keep the slots of the night's samples free; how many never changes once it is set."""
    expected = expected_samples(budget.alerts_per_night, budget.sample_share)
    if expected:
        wanted = samples_of(night, expected, budget.sample_seed)
        SampleDraw.objects.get_or_create(night=night, defaults={"expected": expected, "wanted": wanted, "eligible": 0})


def draw_samples(
    night: date,
    people: Iterable[str],
    findings: Iterable[Finding],
    now: datetime,
    budget: BudgetSettings,
    describe: Describe,
) -> int:
    """Put the night's samples into the queue, drawn from `people` (all with an event of the night) that no alert of
    the queue is about; returns how many are new.

    `findings` are all of the night: what was said of somebody who is drawn is shown too. Must run after the night's
    alerts are raised and its slots reserved. A second scan draws only where more people were active than at the first.
    """
    with transaction.atomic():
        chosen, probability = _choose(night, people, budget)
        if not chosen:
            return 0
        said: dict[str, list[Finding]] = {actor: [] for actor in chosen}
        for item in findings:
            if item.actor_id in said:
                said[item.actor_id].append(item)
        patterns = describe([actor for actor in chosen if not said[actor]])
        recent = Alert.objects.filter(queued_on__range=(night - timedelta(days=_RECENT_DAYS), night))
        queue = list(recent.filter(sample_probability=None).values_list("score", "level"))
        alerts, rows = [], []
        for actor in chosen:
            at = chance(budget.sample_seed, "score", night, actor)
            score, level = borrowed(queue, budget.least_score, at)
            shown = _shown(said[actor], patterns.get(actor), score, level)
            alert = _alert(night, actor, shown, now, budget.sample_seed)
            alert.sample_probability = probability
            alerts.append(alert)
            rows += [_row(alert, item, budget.sample_seed) for item in shown]
        store_alerts(alerts, budget)
        AlertFinding.objects.bulk_create(rows)
    return len(chosen)


def _choose(night: date, people: Iterable[str], budget: BudgetSettings) -> tuple[list[str], float]:
    """Who is drawn now, and the probability with which one was; nobody where nobody has come since the last draw."""
    draw = SampleDraw.objects.select_for_update().filter(night=night).first()
    if draw is None:
        return [], 0.0
    before = set(_samples(night).values_list("actor_id", flat=True))
    of_night = AlertFinding.objects.filter(night=night, superseded_at=None, alert__sample_probability=None)
    queued = set(of_night.filter(alert__in_budget=True).values_list("alert__actor_id", flat=True))
    eligible = (set(people) - queued) | before
    if len(eligible) <= draw.eligible:
        return [], 0.0
    draw.eligible = len(eligible)
    draw.save(update_fields=["eligible"])
    chosen = drawn(night, eligible, draw.wanted, budget.sample_seed)
    return [actor for actor in chosen if actor not in before], inclusion(draw.expected, draw.eligible)


def _alert(night: date, actor: str, shown: Sequence[Finding], now: datetime, seed: str) -> Alert:
    evidence = tuple(Evidence.of(item) for item in shown)
    alert_id = stable_id("A", seed, "sample", night, actor)
    alert = summarise(Grouped(alert_id, actor, True, tuple(shown), evidence), None, now)
    alert.in_budget, alert.queued_on = True, night
    return alert


def _row(alert: Alert, item: Finding, seed: str) -> AlertFinding:
    row = finding_row(alert.alert_id, item)
    # The same finding may be in an alert below the budget.
    row.finding_id = stable_id("F", seed, "sample", item.finding_id)
    return row


def _samples(night: date) -> QuerySet[Alert]:
    return Alert.objects.filter(first_night=night, sample_probability__isnull=False)


def _shown(said: Sequence[Finding], pattern: Finding | None, score: float, level: str) -> list[Finding]:
    """What was found of the night, or else `pattern`; the strongest of it so strong that the score is met.

    What leads an alert is never of the level that raises none, so a leading finding of that level borrows another.
    """
    found = sorted(said, key=lambda item: (item.level == WEAK, strongest_first(Evidence.of(item))))
    if not found:
        assert pattern is not None  # noqa: S101 - it was asked for
        # Its first reason as title: one title for all samples would soon be known for what it is.
        heads = [item.sentence.partition(";")[0] for item in pattern.usual[:1]]
        titles = [f"{head[:1].upper()}{head[1:]}" for head in heads] or [pattern.title]
        return [replace(pattern, title=titles[0], level=level, strength=borrowed_strength(score, ()))]
    leading, *others = found
    strength = max(borrowed_strength(score, (Evidence.of(item) for item in others)), leading.strength)
    return [replace(leading, level=level if leading.level == WEAK else leading.level, strength=strength), *others]
