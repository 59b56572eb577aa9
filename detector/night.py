"""One night, from its events to its alerts. Everything it reads lies before it; everything it writes lands at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import transaction
from ibis.backends.duckdb import Backend

from detector.alerts.context import with_reasons
from detector.alerts.raising import NightAlerts
from detector.alerts.rarity import WINDOW, Earlier, rates
from detector.alerts.weigh import weigh
from detector.anomaly import (
    ModelSpecification,
    ScoredNight,
    forest_findings,
    people_of,
    score_night,
    score_people,
    train_if_due,
)
from detector.anomaly.model import TrainedModel
from detector.anomaly.schedule import SampleLoader
from detector.anomaly.train import FLAGGED
from detector.config import Settings
from detector.context.reference import Reference
from detector.context.staff import with_staff
from detector.engine import arrow, connect
from detector.features.compute import night_features, read_back_days
from detector.features.explain import sentence, usual_values
from detector.features.explained import NEEDS, Explained, Judged, explained_counts, judged
from detector.features.profiles import FEATURE_TABLES, PROFILE_TABLES, roll_up
from detector.home import Home
from detector.ingest.lake import event_files, register_tables, table_files, write_table
from detector.ledger.models import LakeFile, Night
from detector.records import Finding, fingerprint
from detector.rules.findings import rule_findings
from detector.rules.nightly import NightlyRules
from detector.rules.pack import RulePack
from detector.schema import EVENT_SCHEMA, FINDING_SCHEMA
from detector.triage.feedback import Feedback, feedback
from detector.triage.flagged import flagged_events
from detector.triage.models import Alert
from detector.triage.services import draw_samples, raise_alerts, reserve_slots
from detector.writing import Stopwatch


@dataclass(frozen=True)
class Means:
    """What every night of a run is scanned with."""

    home: Home
    settings: Settings
    rules: RulePack
    model: ModelSpecification
    reference: Reference
    now: datetime

    @cached_property
    def nightly(self) -> NightlyRules:
        """The rules with their queries, which are written on the first night."""
        return NightlyRules(self.rules)


@dataclass(frozen=True)
class NightResult:
    """What a night came to. Durations in seconds, by stage."""

    night: date
    events: int
    findings: int
    alerts: NightAlerts
    model_version: str
    model_status: str
    model_trained_at: datetime | None
    drift: Mapping[str, float]
    explained: Explained | None = None
    stage_seconds: Mapping[str, float] = field(default_factory=dict)


def nights_due() -> list[date]:
    """The nights whose events are not, or not all, scanned yet; oldest first."""
    files: dict[date, list[str]] = {}
    events = LakeFile.objects.filter(table="events")
    for night, path in events.values_list("night", "path"):
        if night is not None:  # events always have one; the column allows none for rejects
            files.setdefault(night, []).append(path)
    done = dict(Night.objects.values_list("night", "events_fingerprint"))
    return sorted(night for night, paths in files.items() if done.get(night) != fingerprint(paths))


def scan_night(night: date, means: Means) -> NightResult:
    """Scan one night and record it. On any error nothing of it is recorded."""
    con = engine_of(means.home, means.settings)
    try:
        return _scan(con, night, means, Stopwatch())
    finally:
        con.disconnect()


def _scan(con: Backend, night: date, means: Means, watch: Stopwatch) -> NightResult:
    home, settings = means.home, means.settings
    with watch.stage("features"):
        paths = event_files(home, night)
        read = read_night(con, home, night, settings, means.reference)
        events, features = read.events, read.features
    with watch.stage("rules"):
        table = rule_table(con, home, read, means.rules, means.reference)
        usual = partial(usual_values, con, _actors_before(con, means, night))
        findings = rule_findings(con, means.nightly, night, table, usual)
    with watch.stage("model"):
        verdict = _model_findings(con, night, means, events, features)
        findings += verdict.findings
    with watch.stage("profiles"):
        rolled = roll_up(con, night, events, features, means.reference.present)
        known = _judged(con, means, features, findings)
        findings = _weighed(con, night, means, findings, rolled["actor_features"], known.explained)
        findings = with_reasons(findings, known.reasons)
        staged = [write_table(home, name, night, rows) for name, rows in rolled.items()]
        if news := _not_listed(home, night, findings):
            staged.append(write_table(home, "findings", night, findings_table(news)))
        explained = explained_counts(con, features) if means.reference.present >= NEEDS else None
        count = sum(pq.read_metadata(path).num_rows for path in paths)
    with watch.stage("alerts"), transaction.atomic():
        register_tables(home, staged, now=means.now)
        alerts = _raise(con, means, read, verdict.model, findings)
        Night.objects.update_or_create(
            night=night,
            defaults={
                "events_fingerprint": fingerprint(path.relative_to(home.lake).as_posix() for path in paths),
                "events": count,
                "findings": len(findings),
                "alerts": Alert.objects.filter(findings__night=night, findings__superseded_at=None).distinct().count(),
                "model_version": verdict.version,
                # With a model its version says all: whether this run trained it, or one that was killed, is no matter.
                "model_status": "" if verdict.version else verdict.status,
                "stage_seconds": dict(watch.seconds),
                "scanned_at": means.now,
            },
        )
    return NightResult(
        night=night,
        events=count,
        findings=len(findings),
        alerts=alerts,
        model_version=verdict.version,
        model_status=verdict.status,
        model_trained_at=verdict.trained_at,
        drift=verdict.drift,
        explained=explained,
        stage_seconds=watch.seconds,
    )


def _weighed(
    con: Backend, night: date, means: Means, findings: list[Finding], actors: pa.Table, explained: Set[str]
) -> list[Finding]:
    """The findings with the strength that they have in this force and night."""
    since = night - timedelta(days=WINDOW)
    files = (table_files(means.home, name, since=since, before=night) for name in ("findings", "actor_features"))
    rare = rates(con, night, findings, actors, Earlier(*files))
    learned = feedback(night) if means.settings.ranking.feedback else Feedback()
    return weigh(findings, rare, explained, learned.shift)


@dataclass(frozen=True)
class NightTables:
    """A night's events with the staff table's columns, and their features, one row an event."""

    night: date
    events: ir.Table
    features: ir.Table


def read_night(con: Backend, home: Home, night: date, settings: Settings, reference: Reference) -> NightTables:
    """A night as its scan sees it: features from the profiles of the nights before alone, whatever came after."""
    events = with_staff(_events(con, event_files(home, night)), reference)
    before = with_staff(_events(con, event_files(home, night - timedelta(days=1))), reference)
    profiles = {
        name: table_files(home, name, since=night - timedelta(days=days), before=night)
        for name, days in read_back_days(settings.features).items()
    }
    return NightTables(
        night, events, night_features(con, night, events, before, profiles, settings.features, reference)
    )


def rule_table(con: Backend, home: Home, read: NightTables, rules: RulePack, reference: Reference) -> ir.Table:
    """The night's events with their features, and before them those that a correlation of the rules may still need."""
    features = read.features.drop("explained_case", "explained_incident")  # no values that a rule could be about
    tonight = read.events.inner_join(features, ["event_id", "source_name"]).mutate(in_night=ibis.literal(True))
    days = math.ceil(rules.lookback / timedelta(days=1))
    files = [path for back in range(days, 0, -1) for path in event_files(home, read.night - timedelta(days=back))]
    if not files:
        return tonight
    earlier = with_staff(_events(con, files), reference).mutate(in_night=ibis.literal(False))
    absent = {name: ibis.null(kind) for name, kind in tonight.schema().items() if name not in earlier.columns}
    return tonight.union(earlier.mutate(**absent).select(tonight.columns))


def _raise(
    con: Backend, means: Means, read: NightTables, model: TrainedModel | None, findings: Sequence[Finding]
) -> NightAlerts:
    """The night's alerts, and the blind samples among them. Without a model there is nothing to show of a sample."""
    night, budget = read.night, means.settings.budget
    if model is None:
        return raise_alerts(night, findings, means.now, means.settings)

    def describe(people: Sequence[str]) -> dict[str, Finding]:
        scored = score_people(con, model, read.events, read.features, people)
        told = _told(con, means, night, model, scored)
        known = _judged(con, means, read.features, told)
        return {finding.actor_id: finding for finding in with_reasons(told, known.reasons)}

    reserve_slots(night, budget)
    alerts = raise_alerts(night, findings, means.now, means.settings)
    samples = draw_samples(night, people_of(con, read.events), findings, means.now, budget, describe)
    return replace(alerts, samples=samples)


def _judged(con: Backend, means: Means, features: ir.Table, findings: Sequence[Finding]) -> Judged:
    """What speaks for the findings' look-ups, where the tables are there that could tell."""
    if not means.reference.present >= NEEDS:
        return Judged()
    return judged(con, features, (event for item in findings for event in item.event_ids))


def _actors_before(con: Backend, means: Means, night: date) -> ir.Table:
    """The profiles that usual values are read from."""
    since = night - timedelta(days=means.settings.features.history_days)
    return _nights(con, means.home, "actor_features", since=since, before=night)


def _told(con: Backend, means: Means, night: date, model: TrainedModel, scored: ScoredNight) -> list[Finding]:
    """The scored people's findings, beside what was usual in the nights before."""
    usual = usual_values(con, _actors_before(con, means, night), scored.strange_actors, model.features)
    return forest_findings(model, scored, usual, night, sentence=sentence)


@dataclass(frozen=True)
class _Verdict:
    """What the forest had to say about a night; without a model only why there is none."""

    status: str
    model: TrainedModel | None = None
    findings: list[Finding] = field(default_factory=list)
    version: str = ""
    trained_at: datetime | None = None
    drift: Mapping[str, float] = field(default_factory=dict)


def _model_findings(con: Backend, night: date, means: Means, events: ir.Table, features: ir.Table) -> _Verdict:
    model, status = train_if_due(means.home, sample_of(con, means.home), night, means.model, now=means.now)
    if model is None:
        return _Verdict(status)
    scored = score_night(con, model, events, features)
    findings = _told(con, means, night, model, scored)
    return _Verdict(status, model, findings, model.version, model.created_at, scored.drift)


def sample_of(con: Backend, home: Home) -> SampleLoader:
    """What a model learns from: the sampled events of the nights first..last, both inclusive, in a fixed order, and
    which of them must not be taken for normal."""

    def load(first: date, last: date) -> pa.Table:
        table = _nights(con, home, "feature_sample", since=first, before=last + timedelta(days=1))
        sample = arrow(con, table.order_by("night", "event_id", "actor_id"))
        flagged = pa.array(sorted(flagged_events(first, last)), pa.string())
        return sample.append_column(FLAGGED, pc.is_in(sample.column("event_id").cast(pa.string()), value_set=flagged))

    return load


def engine_of(home: Home, settings: Settings) -> Backend:
    """The query engine over a home's lake, spilling beside it."""
    spill = home.staging / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    limits = settings.features
    return connect(readable=[home.lake], threads=limits.threads, memory_limit=limits.memory_limit, spill=spill)


def findings_table(findings: Sequence[Finding]) -> pa.Table:
    """Findings as FINDING_SCHEMA, ordered by id, so that the same findings are the same bytes."""
    rows = [
        {name: getattr(finding, name) for name in FINDING_SCHEMA.names} | {"event_ids": list(finding.event_ids)}
        for finding in sorted(findings, key=lambda finding: finding.finding_id)
    ]
    return pa.Table.from_pylist(rows, schema=FINDING_SCHEMA)


def _not_listed(home: Home, night: date, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that an earlier scan of the night has not written: what the lake holds is only ever added to."""
    listed: set[str] = set()
    for path in table_files(home, "findings", since=night, before=night + timedelta(days=1)):
        listed.update(pq.read_table(path, columns=["finding_id"], partitioning=None)["finding_id"].to_pylist())
    return [finding for finding in findings if finding.finding_id not in listed]


def _events(con: Backend, paths: Sequence[Path]) -> ir.Table:
    if not paths:
        return _empty(con, EVENT_SCHEMA)
    return con.read_parquet([str(path) for path in paths])


def _nights(con: Backend, home: Home, name: str, *, since: date, before: date) -> ir.Table:
    paths = table_files(home, name, since=since, before=before)
    schema = PROFILE_TABLES[name]
    if not paths:
        return _empty(con, schema)
    files = [str(path) for path in paths]
    if name not in FEATURE_TABLES:
        return con.read_parquet(files)
    # Nights scanned by an earlier release know nothing of features that came later.
    table = con.read_parquet(files, union_by_name=True)
    later = {field.name: ibis.null(ibis.dtype(field.type)) for field in schema if field.name not in table.columns}
    return table.mutate(**later)


def _empty(con: Backend, schema: pa.Schema) -> ir.Table:
    nullable = ibis.Schema({name: kind.copy(nullable=True) for name, kind in ibis.Schema.from_pyarrow(schema).items()})
    return con.create_table(ibis.util.gen_name("empty"), schema=nullable, temp=True)
