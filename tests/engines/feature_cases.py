"""The cases of tests/features, all in one night: what each asks the features of, under names of its own.

Every night of every case is moved to TONIGHT with the nights that it had before, so that one run of an engine answers
all of them. Whatever is shared by a whole force then differs from what the case's own test works out, on both engines
alike; who did what at which record, terminal and case does not.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import feature_world
import pyarrow as pa
from feature_world import Asked, Row, known
from random_events import DAYS, WORLD, night_of, random_nights

from detector.context.columns import SHAPES
from detector.context.reference import Reference

#: 2026-03-29: a night on which clocks change, and the last of the random ones.
TONIGHT: Final = night_of(DAYS[-1])
RANDOM_SEED, RANDOM_EVENTS = 5, 60
#: Columns of events and of reference tables that name somebody or something; all else is kept as it is.
_NAMES: Final = frozenset(
    {
        "event_id", "operator_id", "requester_id", "actor_id", "organisation", "unit", "terminal_id", "case_ref",
        "record_id", "parent_id", "staff_id", "home_address_id", "person_record_id", "owning_unit", "incident_id",
        "address_id", "vehicle_keeper_id",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What a test asks: events of one or more nights, and the reference tables there are."""

    name: str
    rows: Sequence[Row]
    reference: Reference


def feature_cases() -> list[Case]:
    """Those of every test and fixture of tests/features that asks an engine with `features_of`, and random nights."""
    here = Path(feature_world.__file__).parent
    names = sorted(found.name for found in pkgutil.iter_modules([str(here)]) if found.name.startswith("test_features_"))
    cases = [case for name in names for case in _asked(importlib.import_module(name))]
    return [*cases, Case("random", random_nights(RANDOM_SEED, RANDOM_EVENTS), WORLD)]


def _asked(module: ModuleType) -> Iterator[Case]:
    for name, member in vars(module).items():
        function: Callable[..., Any] = getattr(member, "__wrapped__", member)
        if not inspect.isfunction(function) or list(inspect.signature(function).parameters) != ["engine"]:
            continue
        if function.__module__ == module.__name__:
            try:
                function(Asked())
            except Asked as asked:
                if asked.rows:
                    yield Case(f"{module.__name__}.{name}", asked.rows, asked.reference)


def in_one_night(cases: Sequence[Case]) -> tuple[dict[date, list[dict[str, Any]]], Reference]:
    """Night -> events, the last of them TONIGHT's; and the tables of all, those that a case has not got left empty."""
    nights: dict[date, list[dict[str, Any]]] = {}
    tables: dict[str, Any] = {name: [] for name in SHAPES}
    for number, case in enumerate(cases):
        for last in sorted({row["event_time"].date() for row in case.rows}):
            move = _Move(f"{number}.{last:%j}.", TONIGHT - last)
            for row in case.rows:
                if row["event_time"].date() <= last:
                    moved = move(row)
                    nights.setdefault(moved["event_time"].date(), []).append(moved)
            for name, table in case.reference.tables.items():
                tables[name] += [move(row) for row in table.to_pylist()]
    return dict(sorted(nights.items())), known(**tables)


@dataclass(frozen=True)
class _Move:
    """Puts a case elsewhere: names get `prefix`, times move on by whole days."""

    prefix: str
    days: timedelta

    def __call__(self, row: Row) -> dict[str, Any]:
        return {name: self._value(name, value) for name, value in row.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, datetime):
            return value + self.days
        if name not in _NAMES or not value or not value.strip("*"):  # what is absent, blank or masked has no name
            return value
        return value.replace(value.strip(), self.prefix + value.strip())


def as_rows(table: pa.Table, *keys: str) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in table.to_pylist()}
