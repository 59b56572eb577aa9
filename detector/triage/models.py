"""The tables of alerts and decisions. A person is in `actor_id` only, never in an id, a label or a log."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from detector.errors import StateError
from detector.schema import ALERT_STATES, LEVELS, VERDICTS


def _choices(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class Alert(models.Model):
    """What one reviewer decides on: findings about one actor; `theme` is that of the strongest.

    `night` is the latest night with evidence, `rank` the rank among that night's alerts. `queued_on` is the night
    whose budget put the alert into the reviewers' queue; while `in_budget` is false it is NULL. `rule_id` is the
    strongest finding's, by which alerts are counted. `sample_probability` is NULL but for a blind sample: see
    `detector.triage.sampling`.
    """

    alert_id = models.CharField(max_length=40, primary_key=True)
    actor_id = models.TextField()
    theme = models.TextField()
    rule_id = models.TextField()
    night = models.DateField(db_index=True)
    first_night = models.DateField()
    first_event_time = models.DateTimeField()
    last_event_time = models.DateTimeField()
    score = models.FloatField()
    rank = models.IntegerField()
    level = models.CharField(max_length=20, choices=_choices(LEVELS))
    state = models.CharField(max_length=20, choices=_choices(ALERT_STATES), default=ALERT_STATES[0])
    title = models.TextField()
    explanation = models.TextField()
    in_budget = models.BooleanField()
    queued_on = models.DateField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    sample_probability = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "in_budget", "night"])]

    def __str__(self) -> str:
        return self.alert_id


class AlertFinding(models.Model):
    """One finding in an alert. Kept for good: one that a later scan of its night replaced is marked, not deleted."""

    finding_id = models.CharField(max_length=40, primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="findings")
    detector = models.CharField(max_length=20)
    rule_id = models.TextField()
    title = models.TextField()
    level = models.CharField(max_length=20, choices=_choices(LEVELS))
    strength = models.FloatField()
    explanation = models.TextField()
    night = models.DateField(db_index=True)
    first_event_time = models.DateTimeField()
    last_event_time = models.DateTimeField()
    #: The evidence, in time order. A list here and not a table of its own: a night's events would be nine tenths of
    #: all rows and two thirds of the time that raising its alerts takes.
    event_ids = models.JSONField(default=list)
    #: List of {feature, value, own, peers, sentence}.
    usual = models.JSONField(default=list)
    #: What speaks for the events: {"said": [[sentence, whether it explains], …], "of": for each of event_ids the places
    #: in `said`, null where it is not judged}; empty where nothing is known.
    reasons = models.JSONField(default=dict)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["rule_id", "level"])]

    def __str__(self) -> str:
        return self.finding_id


class SampleDraw(models.Model):
    """The blind samples of one night: how many were `expected` on average and `wanted` of this night, and the number
    of people they were drawn from (0: not drawn yet)."""

    night = models.DateField(primary_key=True)
    expected = models.FloatField()
    wanted = models.IntegerField()
    eligible = models.IntegerField()

    def __str__(self) -> str:
        return self.night.isoformat()


class _AppendOnly(models.QuerySet["Decision"]):
    def update(self, **_: Any) -> NoReturn:
        raise StateError("decisions are only ever added to")

    def delete(self) -> NoReturn:
        raise StateError("decisions are only ever added to")


class Decision(models.Model):
    """One reviewer's verdict on one alert. Rows are only added; each carries the hash of the one before it.

    `hash` is described in `detector.triage.chain`. `prev_hash` is unique, so the chain cannot fork.
    """

    sequence = models.BigIntegerField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=20, choices=_choices(VERDICTS))
    reason = models.CharField(max_length=100)
    note = models.TextField(blank=True)
    decided_by = models.TextField()
    decided_at = models.DateTimeField()
    from_state = models.CharField(max_length=20, choices=_choices(ALERT_STATES))
    to_state = models.CharField(max_length=20, choices=_choices(ALERT_STATES))
    prev_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = _AppendOnly.as_manager()

    class Meta:
        ordering = ["sequence"]

    def __str__(self) -> str:
        return f"{self.sequence}: {self.verdict}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise StateError("a decision cannot be changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise StateError("a decision cannot be deleted")


class ChainHead(models.Model):
    """The last link of the decisions' chain: one row, locked while a link is added, so that a cut tail shows."""

    id = models.SmallIntegerField(primary_key=True)
    sequence = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.sequence}"
