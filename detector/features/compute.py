"""A night's events -> their features."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir

from detector.config import FeatureSettings
from detector.features.catalogue import FEATURES
from detector.features.engine import nullable, workspace
from detector.features.keyed import keyed_events
from detector.features.workbench import workbench


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
    itself and later are not looked at. NULL = cannot be known for this event. The result is a temporary table of
    `con`, in the order of the events' times.
    """
    with workspace(con) as space:
        base = space.keep("base", keyed_events(events, before))
        past = {name: nullable(table) for name, table in profiles.items()}
        bench = workbench(space, base, past, night, settings)
        values = {name: feature.build(bench).cast("float64") for name, feature in FEATURES.items()}
        # Sorted outside the select: the order's column is no feature.
        result = bench.select("seq", "event_id", "source_name", **values).order_by("seq").drop("seq")
        return space.keep("result", result, beyond=True)
