"""Every metric: name, kind, labels, help. The one list that the collector serves and docs/metrics.md describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "counter"]


@dataclass(frozen=True)
class Metric:
    """`name` without the `detector_` prefix; a counter's without `_total` too. No label may ever name a person."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    @property
    def exposed(self) -> str:
        """The name of its samples."""
        return f"detector_{self.name}" + ("_total" if self.kind == "counter" else "")


_ALL: Final = (
    Metric("build_info", "gauge", "Version of the detector; always 1.", ("version",)),
    Metric("last_success_timestamp_seconds", "gauge", "When the last successful scan ended."),
    Metric("last_completion_timestamp_seconds", "gauge", "When the last scan ended, successful or not."),
    Metric("stage_duration_seconds", "gauge", "How long each stage of the last finished scan took.", ("stage",)),
    Metric("alerts", "gauge", "Alerts in the reviewers' queue, by leading rule.", ("rule", "level", "state")),
    Metric("alerts_below_budget", "gauge", "Undecided alerts that no night had a slot for."),
    Metric("alerts_raised", "counter", "Alerts that a rule has spoken in, by its findings' level.", ("rule", "level")),
    Metric("oldest_open_alert_timestamp_seconds", "gauge", "When the longest waiting queued alert was raised."),
    Metric("events_ingested", "counter", "Access events read into the lake.", ("source",)),
    Metric("events_rejected", "counter", "Input lines that are no event.", ("source", "reason")),
    Metric("source_latest_event_timestamp_seconds", "gauge", "Time of the latest event of a source.", ("source",)),
    Metric("rules", "gauge", "Rules of the last scan, by what became of them.", ("status",)),
    Metric("rule_precision_ratio", "gauge", "Share of a rule's decided alerts that were true positives.", ("rule",)),
    Metric("model_trained_timestamp_seconds", "gauge", "When the model of the last scan was trained."),
    Metric("model_feature_drift", "gauge", "Drift of a feature against the model's training data.", ("feature",)),
    Metric("decisions", "counter", "Reviewers' decisions.", ("verdict",)),
)

METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for metric in _ALL}
