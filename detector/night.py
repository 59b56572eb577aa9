"""One night, from its events to its alerts. Everything it reads lies before it; everything it writes lands at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from django.db import transaction
from ibis.backends.duckdb import Backend

from detector.alerts.raising import NightAlerts
from detector.anomaly import ModelSpecification, forest_findings, score_night, train_if_due
from detector.config import Settings
from detector.context.reference import Reference, with_staff
from detector.engine import connect
from detector.features.compute import night_features
from detector.features.explain import usual_values
from detector.features.profiles import PROFILE_TABLES, roll_up
from detector.home import Home
from detector.ingest.lake import StagedTable, event_files, table_files, write_table
from detector.ledger.models import LakeFile, Night
from detector.records import Finding, fingerprint
from detector.rules.findings import rule_findings
from detector.rules.load import RulePack
from detector.schema import EVENT_SCHEMA, FINDING_SCHEMA
from detector.triage.services import raise_alerts


@dataclass(frozen=True)
class Means:
    """What every night of a run is scanned with."""

    home: Home
    settings: Settings
    rules: RulePack
    model: ModelSpecification
    reference: Reference
    now: datetime


@dataclass(frozen=True)
class NightResult:
    """What a night came to. Durations in seconds, by stage."""

    night: date
    events: int
    findings: int
    alerts: NightAlerts
    model_version: str
    model_status: str
    drift: Mapping[str, float]
    stage_seconds: Mapping[str, float] = field(default_factory=dict)


class Stopwatch:
    """Seconds spent in each named stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - start, 3)


def nights_due() -> list[date]:
    """The nights whose events are not, or not all, scanned yet; oldest first."""
    files: dict[date, list[str]] = {}
    for night, path in LakeFile.objects.filter(table="events").values_list("night", "path"):
        files.setdefault(night, []).append(path)
    done = dict(Night.objects.values_list("night", "events_fingerprint"))
    return sorted(night for night, paths in files.items() if done.get(night) != fingerprint(paths))


def scan_night(night: date, means: Means) -> NightResult:
    """Scan one night and record it. On any error nothing of it is recorded."""
    watch = Stopwatch()
    home, settings = means.home, means.settings
    spill = home.staging / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    con = connect(
        readable=[home.lake], threads=settings.features.threads, memory_limit=settings.features.memory_limit, spill=spill
    )
    try:
        return _scan(con, night, means, watch)
    finally:
        con.disconnect()


def _scan(con: Backend, night: date, means: Means, watch: Stopwatch) -> NightResult:
    home, settings = means.home, means.settings
    with watch.stage("features"):
        paths = event_files(home, night)
        events = with_staff(_events(con, paths), means.reference)
        before = with_staff(_events(con, event_files(home, night - timedelta(days=1))), means.reference)
        profiles = {name: _profile(con, home, name, night, settings) for name in PROFILE_TABLES}
        features = night_features(con, night, events, before, profiles, settings.features)
    with watch.stage("rules"):
        findings = list(rule_findings(con, means.rules, night, _with_features(con, events, features, night, means)))
    with watch.stage("model"):
        model, status = train_if_due(home, _sample_loader(con, home), night, means.model, now=means.now)
        drift: Mapping[str, float] = {}
        if model is not None:
            scored = score_night(model, events, features)
            actors = scored.strange_actors
            usual = usual_values(con, profiles["actor_features"], actors)
            findings += forest_findings(model, scored, usual, night)
            drift = scored.drift
    with watch.stage("profiles"):
        rolled = roll_up(con, night, events, features)
        staged = [write_table(home, name, night, table) for name, table in rolled.items()]
        if findings:
            staged.append(write_table(home, "findings", night, findings_table(findings)))
    with watch.stage("alerts"):
        count = events.count().execute()
        alerts = _record(night, means, paths, staged, findings, count, model.version if model else "", status, watch)
    return NightResult(
        night=night,
        events=count,
        findings=len(findings),
        alerts=alerts,
        model_version=model.version if model else "",
        model_status=status,
        drift=drift,
        stage_seconds=watch.seconds,
    )


def findings_table(findings: Sequence[Finding]) -> pa.Table:
    """Findings as FINDING_SCHEMA, ordered by id, so that the same findings are the same bytes."""
    rows = [
        {name: getattr(finding, name) for name in FINDING_SCHEMA.names} | {"event_ids": list(finding.event_ids)}
        for finding in sorted(findings, key=lambda finding: finding.finding_id)
    ]
    return pa.Table.from_pylist(rows, schema=FINDING_SCHEMA)


def _events(con: Backend, paths: Sequence[Path]) -> ir.Table:
    if not paths:
        return ibis.memtable(EVENT_SCHEMA.empty_table())
    return con.read_parquet([str(path) for path in paths])


def _profile(con: Backend, home: Home, name: str, night: date, settings: Settings) -> ir.Table:
    days = max(settings.features.history_days, settings.features.novelty_days)
    paths = table_files(home, name, since=night - timedelta(days=days), before=night)
    if not paths:
        return ibis.memtable(PROFILE_TABLES[name].empty_table())
    return con.read_parquet([str(path) for path in paths])
