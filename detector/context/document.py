"""The reference tables as they stand in docs/reference-tables.md: their columns, from `columns.SHAPES`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from detector.context.columns import SHAPES, Kind

TYPES: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "text": "text", "since": "day or time", "until": "day or time", "at": "day or time", "born": "day",
        "tier": "number, or a name of `reference.sensitivity`",
    }
)  # fmt: skip
#: Of a column that no rule or feature reads: why it may be left out of an export.
_UNREAD: Final = "; nothing reads it yet"

MEANINGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "staff": {
            "staff_id": "the person, as the logs write operator and requester",
            "surname": "family name, compared with that of records",
            "forename": "given name" + _UNREAD,
            "date_of_birth": "day of birth" + _UNREAD,
            "sex": "sex" + _UNREAD,
            "role": "role in this period; fills in where an event has none",
            "rank": "rank" + _UNREAD,
            "unit": "unit in this period; fills in where an event has none",
            "manager_id": "the manager's staff_id" + _UNREAD,
            "start_date": "first day in this unit and role",
            "end_date": "last day in this unit and role; the last of a person's rows ends their service",
            "home_address_id": "where they live, as `records.address_id` writes it",
            "person_record_id": "the person's own record, as the logs write record_id",
        },
        "shifts": {
            "staff_id": "who is rostered",
            "shift_start": "when duty begins",
            "shift_end": "when duty ends",
        },
        "absences": {
            "staff_id": "who is away",
            "absent_from": "first day or time away",
            "absent_to": "last day, or the time of return",
            "kind": "leave, sick, suspended, …; one with `suspen` in it is a suspension",
        },
        "cases": {
            "case_ref": "the case, as the logs write case_ref",
            "case_type": "what kind of case" + _UNREAD,
            "opened_at": "when it was opened",
            "closed_at": "when it was closed",
            "owning_unit": "the unit whose case it is, named as in `staff` and the logs",
        },
        "case_staff": {
            "case_ref": "the case",
            "staff_id": "who works on it",
            "assigned_from": "since when",
            "assigned_to": "until when",
        },
        "case_records": {
            "case_ref": "the case",
            "record_id": "a record that belongs to it, as the logs write record_id",
        },
        "incidents": {
            "incident_id": "the incident, dispatch, custody or stop; one row for each record and officer of it",
            "started_at": "when it began",
            "ended_at": "when it ended; blank: two hours",
            "record_id": "a record it concerns; blank: not known, as at a dispatch",
            "unit": "the unit on it; blank: that of the officer",
            "staff_id": "an officer on it",
        },
        "records": {
            "record_id": "the record, as the logs write record_id",
            "record_type": "person, vehicle, address, …" + _UNREAD,
            "surname": "the person's family name",
            "sex": "the person's sex; only a first letter f or m counts",
            "date_of_birth": "the person's day of birth",
            "address_id": "where the person lives, or the address that it is",
            "vehicle_keeper_id": "of a vehicle, the record_id of its keeper",
            "sensitivity": "how sensitive it is, a higher number for more",
        },
        "associations": {
            "staff_id": "who declared it",
            "record_id": "the record of the person, vehicle or address declared",
            "kind": "self, family, relative, parent, child, sibling, partner, former_partner, spouse, former_spouse, "
            "neighbour, business, declared, …",
        },
        "watchlist": {
            "record_id": "the record on the list",
            "kind": "`vip`, `high_profile` and `protected` are the high-profile list; `organised_crime` and "
            "`canary` (a planted record that nobody has cause to open) are lists of their own; any other: listed",
            "active_from": "since when it is on the list",
            "active_to": "until when",
        },
        "publicity": {
            "record_id": "the record that a published story is about",
            "published_at": "when the story came out",
        },
    }
)  # fmt: skip


def columns_table(table: str) -> str:
    """Markdown: a table's columns, in the order of the contract. KeyError for a column without a meaning."""
    shape = SHAPES[table]
    rows = ["| column | type | required | meaning |", "|---|---|---|---|"]
    for name, kind in shape.columns.items():
        required = "yes" if name in shape.required else "no"
        rows.append(f"| `{name}` | {TYPES[kind]} | {required} | {MEANINGS[table][name]} |")
    return "\n".join(rows)
