"""One run, top to bottom: what is new is read, then every night that needs it is scanned, oldest first."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from detector.anomaly.specification import load_specification
from detector.config import Settings
from detector.context.reference import Reference, load_reference
from detector.errors import RuleError
from detector.features.catalogue import computable
from detector.home import Home
from detector.ingest.run import IngestSummary, ingest_paths
from detector.ledger.models import Run
from detector.metrics.textfile import write_textfile
from detector.night import Means, NightResult, nights_due, scan_night
from detector.progress import Progress
from detector.rules.filters import in_force
from detector.rules.load import load_rules
from detector.rules.pack import Inactive, RulePack, active_rules
from detector.rules.pipeline import given_by
from detector.schema import EVENT_SCHEMA, LEVELS
from detector.shipped import rules_dir
from detector.writing import Stopwatch, writing


@dataclass(frozen=True)
class ScanSummary:
    """What a run came to. `rules` are the active ones, with what was refused at load."""

    ingest: IngestSummary
    nights: tuple[NightResult, ...]
    rules: RulePack
    inactive: tuple[Inactive, ...]
    reference: Reference
    stage_seconds: Mapping[str, float]

    def exit_code(self, settings: Settings, fail_on: str | None = None) -> int:
        """The contract's: 3 a rule was refused, 1 an alert at or above `fail_on` was raised, 4 too many rejects, 0."""
        if self.rules.refusals:
            return RuleError.exit_code
        if fail_on is not None:
            grave = LEVELS[LEVELS.index(fail_on) :]
            if any(alert.level in grave for night in self.nights for alert in night.alerts.raised):
                return 1
        return self.ingest.exit_code(settings)


def scan(
    paths: Sequence[Path],
    *,
    home: Home,
    settings: Settings,
    source: str | None,
    reference: Path | None,
    now: datetime,
    progress: Progress,
    env: Mapping[str, str] = os.environ,
) -> ScanSummary:
    """The nightly job. Raises DetectorError subclasses; whatever was finished before stays.

    Everything that a user can get wrong in writing (rules, model specification, reference tables) is read before
    the first file is touched.
    """
    folders = [*([rules_dir()] if settings.rules.shipped else []), *settings.rules.dirs]
    rules = load_rules(folders, strict=True, given=given_by(settings.rules))
    tables = load_reference(reference, settings)
    columns = {*EVENT_SCHEMA.names, *computable(tables.present)}
    # every night has its own day to judge by; what is told is how things stand now
    usable, _ = in_force(rules, date.min, columns)
    _, ended = in_force(rules, now.date(), columns)
    active, inactive = active_rules(usable, columns, tables.present)
    inactive += ended
    model = load_specification(settings.model.specification)
    watch = Stopwatch()
    with writing(home, "scan", now, env) as run:
        with watch.stage("ingest"):
            ingested = ingest_paths(
                paths, home=home, settings=settings, source=source, now=now, progress=progress, env=env
            )
        means = Means(home=home, settings=settings, rules=active, model=model, reference=tables, now=now)
        nights = tuple(_nights(means, progress))
        for result in nights:
            for stage, seconds in result.stage_seconds.items():
                watch.seconds[stage] = round(watch.seconds.get(stage, 0.0) + seconds, 3)
        summary = ScanSummary(ingested, nights, active, inactive, tables, watch.seconds)
        run.stage_seconds = dict(watch.seconds)
        run.summary = run_summary(summary) | _of_nights(summary, run)
        run.exit_code = summary.exit_code(settings)
    write_textfile(home.textfile)
    return summary


def run_summary(summary: ScanSummary) -> dict[str, Any]:
    """What status and metrics want to know of the run, as JSON."""
    return {
        "rules": {
            "active": len(summary.rules.rules),
            "inactive": len(summary.inactive),
            "failed": len(summary.rules.refusals),
            "inactive_because": [f"{rule.title}: {rule.reason}" for rule in summary.inactive],
            "refused": [str(refusal) for refusal in summary.rules.refusals],
        },
        "reference": reference_summary(summary.reference),
        "not_recognised": [f"{name}: {why}" for name, why in summary.ingest.not_recognised],
    }


def reference_summary(reference: Reference) -> dict[str, Any]:
    """Which tables there were, and what became of their rows."""
    return {
        "present": sorted(reference.present),
        "missing": sorted(reference.missing),
        "tables": [report.as_json() for report in reference.reports],
    }


def _of_nights(summary: ScanSummary, run: Run) -> dict[str, Any]:
    """The model and the explanations of the newest night; those of before when no night was scanned."""
    if not summary.nights:
        before = Run.objects.filter(command="scan", state=Run.SUCCEEDED).exclude(pk=run.pk).first()
        told = before.summary if before else {}
        return {"model": told.get("model", {}), "explained": told.get("explained", {})}
    last = summary.nights[-1]
    model = {
        "version": last.model_version,
        "status": last.model_status,
        "trained_at": last.model_trained_at.isoformat() if last.model_trained_at else None,
        "drift": dict(last.drift),
    }
    explained = {night.night.isoformat(): night.explained.as_json() for night in summary.nights[-7:] if night.explained}
    return {"model": model, "explained": explained}


def _nights(means: Means, progress: Progress) -> Iterator[NightResult]:
    due = nights_due()
    for index, night in enumerate(due):
        progress.update(f"scanning the night of {night.isoformat()}", index / len(due))
        yield scan_night(night, means)
