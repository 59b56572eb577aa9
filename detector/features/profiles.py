"""A night's events and features -> what later nights read of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from detector.features import tables
from detector.features.catalogue import FEATURES, MODEL_FEATURES, computable
from detector.features.colleagues import DIRECT
from detector.features.compute import EXTRAS
from detector.features.engine import HOUR_US, constant, stable_hash, stored_rows, total
from detector.features.habit_rows import habit_rows
from detector.features.keyed import EVENT_COLUMNS, keyed_events
from detector.features.linked import bit
from detector.features.plan import Plan, Step, bound, filled
from detector.features.touches import NIGHTS

#: Every table of a night, each with its `night`.
PROFILE_TABLES: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        "actor_days": tables.ACTOR_DAYS,
        "actor_records": tables.ACTOR_RECORDS,
        "unit_records": tables.UNIT_RECORDS,
        "record_days": tables.RECORD_DAYS,
        "visits": tables.VISITS,
        "explained_visits": tables.EXPLAINED_VISITS,
        "habits": tables.HABITS,
        "case_records": tables.CASE_RECORDS,
        "actor_features": tables.actor_features_schema(FEATURES),
        "feature_sample": tables.feature_sample_schema(MODEL_FEATURES),
    }
)
#: Those with a column a feature, which an earlier release may have written without the later ones.
FEATURE_TABLES: Final = frozenset({"actor_features", "feature_sample"})
#: Columns that a table is sorted by; they identify a row.
_ORDER: Final = {
    "actor_days": ("actor",),
    "actor_records": ("key",),
    "unit_records": ("key",),
    "record_days": ("key",),
    "visits": ("record", "actor"),
    "explained_visits": ("key", "actor"),
    "habits": ("key",),
    "case_records": ("case", "record"),
    "actor_features": ("actor_id",),
    "feature_sample": ("draw", "event_id"),
}
SAMPLE_SIZE = 5_000
_PLAN: Final = "profile"
_IDENTITY: Final = ["event_id", "source_name"]
_PLACE: Final = ("organisation", "unit", "role")
#: Columns kept as they are, beside their keys.
_NAMES: Final = {"actor_id": "actor_id"} | {f"{name}_name": name for name in _PLACE}
#: Features that the roll-ups are counted from.
_NEEDED: Final = (
    *_IDENTITY, "lookups_15m", "lookups_1h", "lookups_24h", "span_hours", "streak_days", "revisit_days",
    "reference_records",
)  # fmt: skip
#: The same with reference tables.
_OF_REFERENCE: Final = ("explained_by", "subject_group", "subject_tier", "unexplained")
_SOURCES: Final = {
    "events": EVENT_COLUMNS,
    "features": pa.schema(
        [
            pa.field("event_id", pa.string()),
            pa.field("source_name", pa.string()),
            *(pa.field(name, pa.float64()) for name in FEATURES),
            *(pa.field(name, kind) for name, kind in EXTRAS.items()),
        ]
    ),
}


def roll_up(
    con: Any, night: date, events: ir.Table, features: ir.Table, reference_tables: Collection[str] = ()
) -> Mapping[str, pa.Table]:
    """The night's rows of every profile table, sorted, so that the same night is the same bytes.

    `features` is what night_features gave for the same events with these reference tables. Masked actors leave no rows
    of their own.
    """
    sources = {"events": events, "features": features}
    with bound(con, _PLAN, sources, _SOURCES), filled(con, _steps(con.name, frozenset(reference_tables))):
        return {name: _arrow(con, name, night) for name in PROFILE_TABLES}


@lru_cache(maxsize=8)
def _steps(engine: str, reference_tables: frozenset[str]) -> tuple[Step, ...]:
    found = computable(reference_tables)
    of_reference = _OF_REFERENCE if any(feature.needs for feature in found.values()) else ()
    plan = Plan(_PLAN, engine)
    events, features = (plan.source(name, schema) for name, schema in _SOURCES.items())
    base = plan.keep(
        "base", keyed_events(events, _NAMES).inner_join(features.select(*_NEEDED, *of_reference), _IDENTITY)
    )
    whole = plan.keep("whole", _with_features(base, features))
    visited = plan.keep("visited", _visited(base))
    parts = {
        "actor_days": _actor_days(base),
        "actor_records": visited.select("gap", key="visit"),
        "unit_records": base.filter(base.unit_record.notnull()).select(key="unit_record").distinct(),
        "record_days": _record_days(base),
        "visits": visited.select("record", "actor", "last_us"),
        "explained_visits": _explained_visits(base),
        "habits": habit_rows(plan, base),
        "case_records": base.filter(base.case_record.notnull()).select("case", "record").distinct(),
        "actor_features": _actor_features(whole, found),
        "feature_sample": _feature_sample(whole),
    }
    for name, table in parts.items():
        plan.keep(name, table.order_by(_ORDER[name]))
    return plan.steps()


def _with_features(base: ir.Table, features: ir.Table) -> ir.Table:
    """All features beside who, an actor's rows together: medians are then found four times as fast."""
    people = base.select(*_IDENTITY, "seq", "actor", *_NAMES)
    return people.inner_join(features, _IDENTITY).order_by("actor", "seq")


def _actor_days(base: ir.Table) -> ir.Table:
    lookup = base.counted
    # The start of the block of work that each look-up lies in; to the microsecond, as hours are exact to 1e-12.
    block = base.us - (base.span_hours * HOUR_US).round().cast("int64")
    known = base.filter(base.actor.notnull())
    days = known.group_by("actor").agg(
        peer=base.peer.argmax(base.seq),
        lookups=base.seq.count(where=lookup),
        peak_15m=base.lookups_15m.max(where=lookup),
        peak_1h=base.lookups_1h.max(where=lookup),
        peak_24h=base.lookups_24h.max(where=lookup),
        exported=total(base.exported),
        last_us=base.us.max(where=lookup),
        block_start_us=block.max(where=lookup),
        last_day=base.local_day.max(where=lookup),
        streak_start=(base.local_day - base.streak_days + 1).max(where=lookup),
    )
    return days.filter(days.lookups > 0)


def _visited(base: ir.Table) -> ir.Table:
    return (
        base.filter(base.visit.notnull())
        .group_by("visit", "record", "actor")
        .agg(
            last_us=base.us.max(),
            # Only the night's first touch is days after the one before it; the others are 0.
            gap=base.revisit_days.max().nullif(0),
        )
    )


def _explained_visits(base: ir.Table) -> ir.Table:
    known = base.filter(base.unit_record.notnull() & base.actor.notnull())
    # NULL where the reference tables do not suffice to explain anything.
    direct = bit(known, DIRECT) if "explained_by" in base.columns else ibis.literal(False)
    return known.filter(direct).group_by(key="unit_record", actor="actor").agg(last_us=known.us.max())


def _record_days(base: ir.Table) -> ir.Table:
    records = base.filter(base.record.notnull()).group_by(key="record").agg(actors=base.actor.nunique())
    nights = base.agg(n=base.count()).select(key=constant(NIGHTS), actors=ibis.literal(0, "int64"))
    return records.union(nights)


def _actor_features(whole: ir.Table, found: Collection[str]) -> ir.Table:
    """Medians by actor of what could be `found`; organisation, unit and role as in the actor's last event."""
    person = {name: whole[f"{name}_name"].argmax(whole.seq) for name in _PLACE}
    medians = {name: whole[name].median() for name in FEATURES if name in found}
    known = whole.filter(whole.actor.notnull()).group_by("actor_id").agg(**person, **medians)
    return known.mutate(**{name: ibis.null("float64") for name in FEATURES if name not in found})


def _feature_sample(whole: ir.Table) -> ir.Table:
    names = {name: f"{name}_name" for name in _PLACE}
    draw = stable_hash("sample", whole.event_id, whole.source_name)
    chosen = whole.select("event_id", "actor_id", **names, **{name: name for name in MODEL_FEATURES}, draw=draw)
    return chosen.order_by("draw", "event_id").limit(SAMPLE_SIZE)


def _arrow(con: Any, name: str, night: date) -> pa.Table:
    schema = PROFILE_TABLES[name]
    rows = stored_rows(con, f"{_PLAN}_{name}")
    rows = rows.append_column("night", pa.repeat(pa.scalar(night, pa.date32()), rows.num_rows))
    return rows.select(schema.names).cast(schema)
