"""A night's events -> their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from detector.config import FeatureSettings
from detector.context.columns import SHAPES
from detector.context.reference import Reference
from detector.features import tables
from detector.features.catalogue import FEATURES, computable
from detector.features.engine import ProfileFiles, fill
from detector.features.explained import NEEDS
from detector.features.keyed import EVENT_COLUMNS, earlier_events, keyed_events
from detector.features.plan import Plan, Step, bound, filled
from detector.features.references import REFERENCE_DAYS
from detector.features.touches import CROWD_DAYS, EXPECTED_DAYS
from detector.features.workbench import REFERENCE, reference_benches, workbenches

_PLAN: Final = "night"
_RESULT: Final = "features"
#: The profile tables that features are computed from.
_READ: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        "actor_days": tables.ACTOR_DAYS,
        "actor_records": tables.ACTOR_RECORDS,
        "unit_records": tables.UNIT_RECORDS,
        "record_days": tables.RECORD_DAYS,
        "visits": tables.VISITS,
        "explained_visits": tables.EXPLAINED_VISITS,
        "habits": tables.HABITS,
        "case_records": tables.CASE_RECORDS,
    }
)
#: Columns of the result beside the features: what the roll-up and the reviewer want to know of an event.
EXTRAS: Final[Mapping[str, pa.DataType]] = MappingProxyType(
    {
        "explained_by": pa.int64(), "explained_case": pa.string(), "explained_incident": pa.string(),
        "subject_group": pa.int64(), "subject_tier": pa.float64(),
    }
)  # fmt: skip
#: Of which bench they come, and which tables they cannot do without.
_EXTRAS: Final = {
    **dict.fromkeys(("explained_by", "explained_case", "explained_incident"), ("cases", NEEDS)),
    "subject_group": ("subjects", frozenset({"records"})),
    "subject_tier": ("subjects", frozenset({"records"})),
}
#: A row of these tables is not known before it begins; a roster, an absence or a start of service is, being planned.
_BEGINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cases": "opened_at", "case_staff": "assigned_from", "incidents": "started_at", "watchlist": "active_from",
        "publicity": "published_at",
    }
)  # fmt: skip
#: Days on both sides of a night from which shifts, and before it from which incidents, are looked at.
_SHIFT_DAYS, _INCIDENT_DAYS = 5, 400


def read_back_days(settings: FeatureSettings) -> Mapping[str, int]:
    """How many days back each profile table is read; older files of it are of no use to a night."""
    return {
        "actor_days": settings.history_days,
        "actor_records": settings.novelty_days,
        "unit_records": settings.novelty_days,
        "record_days": settings.novelty_days,
        "visits": CROWD_DAYS,
        "explained_visits": CROWD_DAYS,
        "habits": settings.history_days,
        "case_records": REFERENCE_DAYS,
        "actor_features": settings.history_days,
        "feature_sample": settings.history_days,
    }


def night_features(
    con: Any,
    night: date,
    events: ir.Table,
    before: ir.Table,
    profiles: Mapping[str, ir.Table | Sequence[Path]],
    settings: FeatureSettings,
    reference: Reference | None = None,
) -> ir.Table:
    """One row per event of the night: event_id, source_name, every feature of the catalogue as float64, and EXTRAS.

    `events` and `before` are the night's and the previous day's events (EVENT_SCHEMA; an event is known by
    event_id and source_name together). `profiles` holds the tables of profiles.PROFILE_TABLES, or their Parquet files;
    rows of the night itself, later ones and those beyond the trailing days are not looked at. NULL = cannot be known
    for this event.
    Of `reference` nothing is looked at that begins after the night; a feature whose table it lacks is NULL throughout.
    The result is a temporary table of `con`; its rows are in no particular order.
    """
    reference = reference or Reference()
    days = read_back_days(settings)
    sources: dict[str, ir.Table | pa.Table | ProfileFiles] = {"events": events, "before": before}
    sources |= {name: _aged(profiles[name], _READ[name], night, days[name]) for name in _READ}
    # A table of its own, so that only the files of those nights are opened.
    sources["recent_record_days"] = _aged(profiles["record_days"], tables.RECORD_DAYS, night, EXPECTED_DAYS)
    if any(feature.needs for feature in computable(reference.present).values()):
        sources |= {f"{REFERENCE}{name}": _as_known(name, reference, night) for name in SHAPES}
    schemas = {name: schema for name, schema in _schemas().items() if name in sources}
    steps = _steps(con.name, reference.present, reference.vetting)
    with bound(con, _PLAN, sources, schemas), filled(con, steps[:-1]):
        name = ibis.util.gen_name(f"{_PLAN}_{_RESULT}")
        fill(con, name, steps[-1].query)
    return con.table(name)


@lru_cache(maxsize=8)
def _steps(engine: str, reference_tables: frozenset[str], vetting: tuple[str, ...]) -> tuple[Step, ...]:
    """The queries of a night with these reference tables; the last one gives the features."""
    plan = Plan(_PLAN, engine)
    source = {name: plan.source(name, schema) for name, schema in _schemas().items()}
    tonight = plan.keep("tonight", keyed_events(source["events"]))
    before = plan.keep("before_tonight", earlier_events(source["before"]))
    found = computable(reference_tables)
    benches = dict(workbenches(plan, tonight, before, source))
    benches |= reference_benches(plan, tonight, source, {f.bench for f in found.values() if f.needs}, vetting)
    result = tonight.select("seq", "event_id", "source_name")
    for bench, table in benches.items():
        values = {f.name: f.build(table).cast("float64") for f in found.values() if f.bench == bench}
        extras = {
            name: table[name] for name, (at, needs) in _EXTRAS.items() if at == bench and needs <= reference_tables
        }
        part = plan.keep(f"{bench}_features", table.select("seq", **values, **extras))
        result = result.inner_join(part, "seq")
    absent = {name: ibis.null("float64") for name in FEATURES if name not in result.columns}
    absent |= {name: ibis.null(ibis.dtype(kind)) for name, kind in EXTRAS.items() if name not in result.columns}
    plan.keep(_RESULT, result.mutate(**absent).select("event_id", "source_name", *FEATURES, *EXTRAS))
    return plan.steps()


def _aged(
    table: ir.Table | Sequence[Path], schema: pa.Schema, night: date, days: int
) -> ir.Table | pa.Table | ProfileFiles:
    """The last `days` days before the night, with how many days ago each row's night was."""
    if not isinstance(table, ir.Table):
        return ProfileFiles(tuple(table), night, days) if table else _with_age(schema).empty_table()
    recent = table.filter((table.night < night) & (table.night >= night - timedelta(days=days)))
    return recent.mutate(age=ibis.literal(night).delta(recent.night, unit="day"))


def _as_known(name: str, reference: Reference, night: date) -> pa.Table:
    """A reference table as it may be known by the end of the night, or without rows if there is none."""
    table = reference.tables.get(name, SHAPES[name].schema.empty_table())
    midnight = datetime.combine(night + timedelta(days=1), time(), UTC)
    begins = _BEGINS.get(name)
    if begins:
        table = _rows(table, pc.fill_null(pc.less(table[begins], midnight), fill_value=True))
    if name == "incidents":
        table = _rows(table, pc.greater_equal(table["started_at"], midnight - timedelta(days=_INCIDENT_DAYS)))
    elif name == "shifts":
        table = _rows(table, pc.greater_equal(table["shift_end"], midnight - timedelta(days=_SHIFT_DAYS)))
        table = _rows(table, pc.less(table["shift_start"], midnight + timedelta(days=_SHIFT_DAYS)))
    elif name == "publicity":
        days = pc.days_between(pc.cast(table["published_at"], pa.date32()), pa.scalar(night))
        table = table.append_column("age", pc.cast(days, pa.int32()))
    return table


def _rows(table: pa.Table, wanted: pa.ChunkedArray) -> pa.Table:
    """The rows wanted; the table itself, not a copy, where that is all."""
    return table if pc.all(wanted).as_py() in (None, True) else table.filter(wanted)


def _with_age(schema: pa.Schema) -> pa.Schema:
    return schema.remove(schema.get_field_index("night")).append(pa.field("age", pa.int32()))


def _schemas() -> dict[str, pa.Schema]:
    read = {**_READ, "recent_record_days": tables.RECORD_DAYS}
    given = {f"{REFERENCE}{name}": shape.schema for name, shape in SHAPES.items()}
    given[f"{REFERENCE}publicity"] = given[f"{REFERENCE}publicity"].append(pa.field("age", pa.int32()))
    return (
        {"events": EVENT_COLUMNS, "before": EVENT_COLUMNS}
        | {name: _with_age(schema) for name, schema in read.items()}
        | given
    )
