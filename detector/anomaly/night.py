"""Scoring a whole night, part by part: what is kept is the strange look-ups, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ibis.backends.duckdb import Backend

from detector.anomaly.calibration import to_points, to_surprise
from detector.anomaly.drift import DriftTally
from detector.anomaly.model import TrainedModel
from detector.anomaly.score import score
from detector.anomaly.specification import FindingSpecification
from detector.engine import arrow, batches

Doubles = npt.NDArray[np.float64]

#: An event is known by these two together.
KEYS = ("event_id", "source_name")
EVENT_COLUMNS = ("event_time", "actor_id", "organisation", "unit", "role")
JUST_BELOW_100 = float(np.nextafter(100.0, 0.0))


@dataclass(frozen=True)
class StrangeActor:
    """An actor whose night is strange: how much, of how many look-ups, and the look-ups over the threshold."""

    actor_id: str
    strength: float
    look_ups: int
    events: pa.Table
    scores: Doubles


@dataclass(frozen=True)
class ScoredNight:
    """Strange actors, strongest first and no more than the specification wants; drift by feature; rows scored."""

    actors: tuple[StrangeActor, ...]
    drift: Mapping[str, float]
    rows: int

    @property
    def strange_actors(self) -> tuple[str, ...]:
        return tuple(actor.actor_id for actor in self.actors)


def score_night(con: Backend, model: TrainedModel, events: ir.Table, features: ir.Table) -> ScoredNight:
    """Score a night's events (EVENT_SCHEMA) joined with their features; both are stored tables or views of `con`."""
    return score_parts(model, _parts(con, model, events, features))


def score_people(
    con: Backend, model: TrainedModel, events: ir.Table, features: ir.Table, people: Sequence[str]
) -> ScoredNight:
    """All look-ups of a few people, strange or not; in order of name. The tables as for `score_night`.

    Their strength is the least that a finding has.
    """
    mine = events.filter(events.actor_id.isin(list(people)))
    parts = [part.append_column("score", pa.array(score(model, part))) for part in _parts(con, model, mine, features)]
    if not parts:
        return ScoredNight((), {}, 0)
    table = pa.concat_tables(parts).combine_chunks()
    actors = []
    for actor in sorted(set(table.column("actor_id").to_pylist())):
        own = _actor(table, actor, 0.0, 0)
        actors.append(replace(own, strength=model.specification.findings.threshold, look_ups=len(own.scores)))
    return ScoredNight(tuple(actors), {}, table.num_rows)


def people_of(con: Backend, events: ir.Table) -> frozenset[str]:
    """Who looked something up; without names that stand for many people."""
    names = arrow(con, events.select("actor_id").distinct()).column("actor_id").to_pylist()
    return frozenset(name for name in names if not _masked(name))


def _parts(con: Backend, model: TrainedModel, events: ir.Table, features: ir.Table) -> Iterator[pa.Table]:
    wanted = [name for name in model.features if name in features.columns]
    joined = events.select(*KEYS, *EVENT_COLUMNS).inner_join(features.select(*KEYS, *wanted), KEYS)
    spec = model.specification
    for part in batches(con, joined, rows=spec.threads * spec.chunk_rows):
        yield pa.Table.from_batches([part])


def score_parts(model: TrainedModel, parts: Iterable[pa.Table]) -> ScoredNight:
    """As `score_night`, of tables with KEYS, EVENT_COLUMNS and the model's features; how it is parted has no effect."""
    limits = model.specification.findings
    drift, look_ups, rows = DriftTally(model.bins), Counter[str](), 0
    strange: list[pa.Table] = []
    for part in parts:
        points = score(model, part)
        drift.add(part)
        rows += part.num_rows
        for entry in pc.value_counts(part.column("actor_id")).to_pylist():
            look_ups[entry["values"]] += entry["counts"]
        chosen = np.flatnonzero(points >= limits.threshold)
        if len(chosen):
            strange.append(part.take(chosen).append_column("score", pa.array(points[chosen])))
    return ScoredNight(tuple(_strongest(strange, look_ups, limits)), drift.indices(), rows)


def actor_strength(strangest: float, look_ups: int, correction: float) -> float:
    """Points of an actor's night: those of the strangest look-up, less the luck of many tries.

    By chance alone the strangest of n independent look-ups is n times as rare as one is (Bonferroni). An actor's are
    not independent, so only the share `correction` of log10(n) is taken off the surprise.
    """
    surprise = float(to_surprise(np.asarray([min(strangest, JUST_BELOW_100)]))[0])
    surprise = max(surprise - correction * float(np.log10(look_ups)), 0.0)
    return float(to_points(np.asarray([surprise]))[0])


def _strongest(
    strange: list[pa.Table], look_ups: Mapping[str, int], limits: FindingSpecification
) -> list[StrangeActor]:
    if not strange:
        return []
    table = pa.concat_tables(strange).combine_chunks()
    top = table.group_by("actor_id").aggregate([("score", "max")])
    ranked = []
    for actor, score_max in zip(top.column("actor_id").to_pylist(), top.column("score_max").to_pylist(), strict=True):
        strength = actor_strength(score_max, look_ups[actor], limits.volume_correction)
        if strength >= limits.threshold and not _masked(actor):
            ranked.append((-strength, actor))
    chosen = sorted(ranked)[: limits.max_actors]
    return [_actor(table, actor, -minus, look_ups[actor]) for minus, actor in chosen]


def _actor(table: pa.Table, actor: str, strength: float, look_ups: int) -> StrangeActor:
    mine = table.filter(pc.equal(table.column("actor_id"), actor))
    return StrangeActor(actor, strength, look_ups, mine, np.asarray(mine.column("score").to_numpy(), np.float64))


def _masked(actor: str) -> bool:
    """A masked or blank name stands for many people: what they did together is no pattern of one."""
    return actor.strip("* ") == ""
