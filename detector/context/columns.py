"""What each column of a reference table holds, which of them a row cannot do without, and what names a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pyarrow as pa

from detector.schema import REFERENCE_TABLES, TIMESTAMP

#: `since` and `until` bound a period, `at` is an instant, `born` a day of birth, `tier` an ordered degree.
Kind = Literal["text", "since", "until", "at", "born", "tier"]

_KINDS: Final[Mapping[str, Kind]] = {
    "date_of_birth": "born", "sensitivity": "tier", "published_at": "at",
    "start_date": "since", "end_date": "until", "shift_start": "since", "shift_end": "until",
    "absent_from": "since", "absent_to": "until", "opened_at": "since", "closed_at": "until",
    "assigned_from": "since", "assigned_to": "until", "started_at": "since", "ended_at": "until",
    "active_from": "since", "active_to": "until",
}  # fmt: skip
_TYPES: Final[Mapping[Kind, pa.DataType]] = {
    "text": pa.string(), "since": TIMESTAMP, "until": TIMESTAMP, "at": TIMESTAMP, "born": pa.date32(),
    "tier": pa.float64(),
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """A table's columns, in order, with what they hold.

    A row without one of `required` says nothing. Rows that agree in `key` (where there is one) must agree in all.
    """

    columns: Mapping[str, Kind]
    required: tuple[str, ...]
    key: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(name, _TYPES[kind]) for name, kind in self.columns.items()])

    @property
    def period(self) -> tuple[str, str] | None:
        """The columns between which a row holds, if it is of a period."""
        since = [name for name, kind in self.columns.items() if kind == "since"]
        until = [name for name, kind in self.columns.items() if kind == "until"]
        return (since[0], until[0]) if since and until else None


_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "staff": ("staff_id",),
    "shifts": ("staff_id", "shift_start", "shift_end"),
    "absences": ("staff_id", "absent_from"),
    "cases": ("case_ref",),
    "case_staff": ("case_ref", "staff_id"),
    "case_records": ("case_ref", "record_id"),
    "incidents": ("incident_id", "started_at"),
    "records": ("record_id",),
    "associations": ("staff_id", "record_id"),
    "watchlist": ("record_id",),
    "publicity": ("record_id", "published_at"),
}
#: Tables that say one thing of one key. A person may have several rows in staff, one for each start.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "staff": ("staff_id", "start_date"), "cases": ("case_ref",), "records": ("record_id",),
}  # fmt: skip

#: Columns that name a person or a record of the logs.
PERSONS: Final = ("staff_id", "manager_id")
RECORDS: Final = ("record_id", "person_record_id", "home_address_id", "address_id", "vehicle_keeper_id")

SHAPES: Final[Mapping[str, Shape]] = {
    name: Shape({column: _KINDS.get(column, "text") for column in columns}, _REQUIRED[name], _KEYS.get(name, ()))
    for name, columns in REFERENCE_TABLES.items()
}
