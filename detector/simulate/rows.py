"""Look-ups of a day as columns of whole numbers; names and texts are put in only when they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from detector.simulate.chance import Bools, Ints

SYSTEMS: Final = ("PNC", "ANPR", "CRIS", "EVIDENCE", "CUSTODY", "INTEL")
PNC, ANPR, CRIS, FOOTAGE, CELLS, INTEL = range(6)
ACTIONS: Final = ("search", "view", "create", "update", "delete", "print", "export", "disclose")
SEARCH, VIEW, CREATE, UPDATE, DELETE, PRINT, EXPORT, DISCLOSE = range(8)
#: What a case reference is: left blank, a case, an incident, or a number that no case has.
NO_REF, CASE_REF, INCIDENT_REF, UNKNOWN_REF = range(4)
#: How many numbers there are that no case has.
UNKNOWN_REFS: Final = 4_000
#: What was typed: the record's own key, a broad description, nothing.
BY_KEY, BROAD, NO_QUERY = range(3)
NONE: Final = -1
#: A key is the number of the local day, shifted by so many bits, and a number within it.
KEY_BITS: Final = 32

#: Column -> value where none is given. `time` is local until a day's look-ups are put together, then UTC.
COLUMNS: Final[Mapping[str, int]] = {
    "key": 0,  # unique; event ids are made from it
    "time": 0,
    "operator": NONE,
    "requester": NONE,
    "system": PNC,
    "action": SEARCH,
    "record": NONE,
    "query": BY_KEY,
    "reason": 0,  # code of reasons.py; 0 is blank
    "ref_kind": NO_REF,
    "ref": 0,
    "results": 1,
    "scope": NONE,
    "exports": NONE,
    "found": 1,
    "terminal": NONE,  # none: the operator's own for that turn of duty
    "recipient": NONE,
    "parent": NONE,  # key of the look-up that spawned this one
    "episode": NONE,
    "group": NONE,
    "explained": 0,  # whether a case or incident is behind it: only for hiding misuse beside, never written
}


@dataclass(frozen=True)
class Rows:
    columns: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.columns["time"])

    def __getitem__(self, name: str) -> Ints:
        return self.columns[name]

    def take(self, which: Ints | Bools) -> Rows:
        return Rows({name: column[which] for name, column in self.columns.items()})

    def having(self, **columns: Any) -> Rows:
        """The same look-ups with these columns instead."""
        return make_rows(len(self), **{**self.columns, **columns})


def make_rows(count: int, **given: Any) -> Rows:
    """`count` look-ups; each column given as one value or as an array."""
    unknown = set(given) - set(COLUMNS)
    if unknown:
        raise KeyError(f"no such columns: {sorted(unknown)}")
    columns = {}
    for name, default in COLUMNS.items():
        value = np.asarray(given.get(name, default), dtype=np.int64)
        columns[name] = np.full(count, value) if value.ndim == 0 else value
        if len(columns[name]) != count:
            raise ValueError(f"column {name} has {len(columns[name])} values for {count} look-ups")
    return Rows(columns)


def together(parts: Iterable[Rows]) -> Rows:
    """All look-ups in the order given."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return make_rows(0)
    return Rows({name: np.concatenate([part[name] for part in parts]) for name in COLUMNS})
