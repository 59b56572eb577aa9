"""A small made-up force for the feature tests: events in few words, nights in order, features by event id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa

from detector.config import FeatureSettings
from detector.context.columns import SHAPES
from detector.context.reference import Reference
from detector.engine import arrow
from detector.features.compute import night_features
from detector.features.profiles import PROFILE_TABLES, roll_up
from detector.schema import EVENT_SCHEMA

Row = Mapping[str, Any]
Values = dict[str, dict[str, float | None]]
Connect = Callable[[], Any]

MONDAY = date(2026, 3, 2)
#: Tables that some tests do without. All the same ones: the queries of a night are written anew for other tables.
LACKING = ("absences", "associations", "incidents", "records", "shifts")
_ALWAYS = {
    "system": "PNC", "action": "search", "operator_id": "alice", "source_name": "made", "source_file": "made.csv",
    "source_line": 1, "source_sha256": "0" * 64,
}  # fmt: skip


def at(day: int, clock: str) -> datetime:
    """`clock` (HH:MM or HH:MM:SS) on the day-th day after MONDAY, UTC."""
    return datetime.fromisoformat(f"{MONDAY + timedelta(days=day)}T{clock}").replace(tzinfo=UTC)


def look(event_id: str, time: datetime, **columns: Any) -> dict[str, Any]:
    """One event. What is not given is absent, but for the required columns."""
    row = {**_ALWAYS, **columns, "event_id": event_id, "event_time": time, "ingested_at": time}
    row.setdefault("actor_id", row.get("requester_id") or row["operator_id"])
    return row


def table(rows: Sequence[Row]) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in EVENT_SCHEMA.names} for row in rows], EVENT_SCHEMA)


@dataclass
class Nights:
    """Nights in order, each seeing only what the ones before left behind."""

    connect: Connect
    settings: FeatureSettings = field(default_factory=FeatureSettings)
    reference: Reference = field(default_factory=Reference)
    profiles: dict[str, list[pa.Table]] = field(default_factory=lambda: {name: [] for name in PROFILE_TABLES})
    events: dict[date, pa.Table] = field(default_factory=dict)

    def run(self, night: date, rows: Sequence[Row] | pa.Table) -> Values:
        """The features of that night's events, by event id; its profiles are kept for later nights."""
        values, rolled = self._run(night, rows, keep=True)
        for name, profile in rolled.items():
            self.profiles[name].append(profile)
        return values

    def look_again(self, night: date, rows: Sequence[Row] | pa.Table) -> Values:
        """The same, but nothing of it is kept."""
        return self._run(night, rows, keep=False)[0]

    def _run(self, night: date, rows: Sequence[Row] | pa.Table, *, keep: bool) -> tuple[Values, Mapping[str, pa.Table]]:
        events = rows if isinstance(rows, pa.Table) else table(rows)
        before = self.events.get(night - timedelta(days=1), EVENT_SCHEMA.empty_table())
        if keep:
            self.events[night] = events
        con = self.connect()
        try:
            source = ibis.memtable(events)
            past = ibis.memtable(before)
            features = night_features(con, night, source, past, self._past(), self.settings, self.reference)
            found = arrow(con, features).to_pylist()
            rolled = roll_up(con, night, source, features, self.reference.present) if keep else {}
        finally:
            con.disconnect()
        return {row.pop("event_id"): row for row in found}, rolled

    def _past(self) -> dict[str, Any]:
        return {
            name: ibis.memtable(pa.concat_tables(parts) if parts else PROFILE_TABLES[name].empty_table())
            for name, parts in self.profiles.items()
        }


def known(*, without: Sequence[str] = (), **tables: Sequence[Row]) -> Reference:
    """Reference tables in few words: rows by table, with the columns that matter; times as `at` gives them.

    Tables not named are there and empty, but for those `without`.
    """
    return Reference(
        {
            name: pa.Table.from_pylist(
                [{column: row.get(column) for column in shape.columns} for row in tables.get(name, ())], shape.schema
            )
            for name, shape in SHAPES.items()
            if name not in without
        },
        vetting=("vetting",),
    )


@dataclass
class Asked(Exception):  # noqa: N818 - nothing is wrong
    """Raised by `features_of` in place of an answer, where it is given this for an engine: what was asked."""

    rows: Sequence[Row] = ()
    reference: Reference = field(default_factory=Reference)

    def __call__(self) -> Any:
        raise self


def features_of(
    connect: Connect,
    rows: Sequence[Row],
    settings: FeatureSettings | None = None,
    reference: Reference | None = None,
) -> Values:
    """All rows' features, each UTC day run as a night of its own, in order."""
    if isinstance(connect, Asked):
        raise Asked(rows, reference or Reference())
    nights = Nights(connect, settings or FeatureSettings(), reference or Reference())
    values: Values = {}
    for day in sorted({row["event_time"].date() for row in rows}):
        values |= nights.run(day, [row for row in rows if row["event_time"].date() == day])
    return values


def column(values: Values, feature: str, *event_ids: str) -> list[float | None]:
    """One feature of the events named."""
    return [values[event_id][feature] for event_id in event_ids]
