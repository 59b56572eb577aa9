"""The events of the conformance cases as tables with typed columns, as the lake and Parquet files have them.

A column has one type, so that an event whose field is a number and one whose field is a text go into two tables. A
column cannot tell null from absent, a list is of one type and here never empty, a struct's members have names: rows
that turn on any of these are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from rule_cases import Case

#: Case name and number of the row within it.
Key = tuple[str, int]


@dataclass
class TypedTable:
    """Events that agree on the type of every field that they share."""

    types: dict[str, pa.DataType] = field(default_factory=dict)
    rows: list[tuple[Key, dict[str, Any]]] = field(default_factory=list)

    def takes(self, types: Mapping[str, pa.DataType]) -> bool:
        if any(self.types.get(name, kind) != kind for name, kind in types.items()):
            return False
        # `user.name` of an event is a column of that name or within the column `user`: in one table, only one of them
        names = {*self.types, *types}
        return not any(longer.startswith(f"{shorter}.") for longer in names for shorter in names)

    @property
    def names(self) -> dict[str, str]:
        """The fields' columns, by plain names: what a field is called is the events' affair."""
        return {name: f"c{index}" for index, name in enumerate(self.types)}

    def arrow(self) -> pa.Table:
        columns = {
            self.names[name]: pa.array([event.get(name) for _, event in self.rows], kind)
            for name, kind in self.types.items()
        }
        return pa.table({"row": pa.array(range(len(self.rows)), pa.int64()), **columns})


def typed_tables(cases: Sequence[Case]) -> tuple[list[TypedTable], dict[str, list[int]]]:
    """As few tables as hold the cases' events, and for each case the rows of it that they hold."""
    tables: list[TypedTable] = []
    held: dict[str, list[int]] = {case.name: [] for case in cases}
    for case in cases:
        for number, event in enumerate(case.events):
            if not _holdable(case, event):
                continue
            given = {name: value for name, value in event.items() if value is not None}
            types = {name: pa.infer_type([value]) for name, value in given.items()}
            table = next((table for table in tables if table.takes(types)), None)
            if table is None:
                tables.append(table := TypedTable())
            table.types |= types
            table.rows.append(((case.name, number), given))
            held[case.name].append(number)
    return tables, held


def _holdable(case: Case, event: Mapping[str, Any]) -> bool:
    if any(not _typed(value) for value in event.values()):
        return False
    return not ("|exists" in case.detection and None in event.values())


def _typed(value: Any) -> bool:
    """Has a column a type for it?"""
    if isinstance(value, dict):
        return "" not in value and all(map(_typed, value.values()))
    if isinstance(value, list):
        return bool(value) and None not in value and len(set(map(type, value))) == 1 and all(map(_typed, value))
    return True
