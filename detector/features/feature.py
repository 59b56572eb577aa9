"""What a feature is: a documented value of one event, and the words it is explained with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

Direction = Literal["high", "low", "both"]
#: The tables that formulas read: see workbench.py.
Bench = Literal["volumes", "records", "habits", "ties", "cases", "subjects", "duty"]


@dataclass(frozen=True)
class Feature:
    """One feature of one event.

    `build` takes the table called `bench` (one row per event of the night, see `workbench.py`) and gives a number;
    NULL means that it cannot be known for that row. `sentence` is a template over `{value}`, `{own}` and
    `{peers}`. `direction` says which values are strange. `needs` names the reference tables it cannot do without,
    `columns` the optional event columns. `model` says whether the forest sees it.
    """

    name: str
    family: str
    unit: str
    definition: str
    sentence: str
    direction: Direction
    bench: Bench
    build: Callable[[ir.Table], ir.Value]
    columns: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    model: bool = True
