"""A night's events -> their features."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from detector.config import FeatureSettings
from detector.features import tables
from detector.features.catalogue import FEATURES
from detector.features.keyed import EVENT_COLUMNS, earlier_events, keyed_events
from detector.features.plan import Plan, Step, bound, fill, filled
from detector.features.references import REFERENCE_DAYS
from detector.features.touches import CROWD_DAYS, EXPECTED_DAYS
from detector.features.workbench import workbenches

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
        "habits": tables.HABITS,
        "case_records": tables.CASE_RECORDS,
    }
)


def read_back_days(settings: FeatureSettings) -> Mapping[str, int]:
    """How many days back each profile table is read; older files of it are of no use to a night."""
    return {
        "actor_days": settings.history_days,
        "actor_records": settings.novelty_days,
        "unit_records": settings.novelty_days,
        "record_days": settings.novelty_days,
        "visits": CROWD_DAYS,
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
    profiles: Mapping[str, ir.Table],
    settings: FeatureSettings,
) -> ir.Table:
    """One row per event of the night: event_id, source_name, and every feature of the catalogue as float64.

    `events` and `before` are the night's and the previous day's events (EVENT_SCHEMA; an event is known by
    event_id and source_name together). `profiles` holds the tables of profiles.PROFILE_TABLES; rows of the night
    itself, later ones and those beyond the trailing days are not looked at. NULL = cannot be known for this event.
    The result is a temporary table of `con`; its rows are in no particular order.
    """
    days = read_back_days(settings)
    sources = {"events": events, "before": before}
    sources |= {name: _aged(profiles[name], night, days[name]) for name in _READ}
    # A table of its own, so that only the files of those nights are opened.
    sources["recent_record_days"] = _aged(profiles["record_days"], night, EXPECTED_DAYS)
    steps = _steps(con.name)
    with bound(con, _PLAN, sources, _schemas()), filled(con, steps[:-1]):
        name = ibis.util.gen_name(f"{_PLAN}_{_RESULT}")
        fill(con, name, steps[-1].query)
    return con.table(name)


@lru_cache(maxsize=4)
def _steps(engine: str) -> tuple[Step, ...]:
    """The queries of a night; the last one gives the features."""
    plan = Plan(_PLAN, engine)
    source = {name: plan.source(name, schema) for name, schema in _schemas().items()}
    tonight = plan.keep("tonight", keyed_events(source["events"]))
    before = plan.keep("before_tonight", earlier_events(source["before"]))
    result = tonight.select("seq", "event_id", "source_name")
    for bench, table in workbenches(plan, tonight, before, source).items():
        values = {f.name: f.build(table).cast("float64") for f in FEATURES.values() if f.bench == bench}
        part = plan.keep(f"{bench}_features", table.select("seq", **values))
        result = result.inner_join(part, "seq")
    plan.keep(_RESULT, result.select("event_id", "source_name", *FEATURES))
    return plan.steps()


def _aged(table: ir.Table, night: date, days: int) -> ir.Table:
    """The last `days` days before the night, with how many days ago each row's night was."""
    recent = table.filter((table.night < night) & (table.night >= night - timedelta(days=days)))
    return recent.mutate(age=ibis.literal(night).delta(recent.night, unit="day"))


def _schemas() -> dict[str, pa.Schema]:
    age = pa.field("age", pa.int32())
    read = {**_READ, "recent_record_days": tables.RECORD_DAYS}
    return {"events": EVENT_COLUMNS, "before": EVENT_COLUMNS} | {
        name: schema.remove(schema.get_field_index("night")).append(age) for name, schema in read.items()
    }
