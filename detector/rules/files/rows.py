"""The events of one file, once it is open: where their fields are, and which rows are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

from detector.rules.files.text import BadRow
from detector.rules.sources import ColumnSource, Source, in_one


@dataclass(frozen=True)
class Events:
    """`source.table` has the column `row`.

    `bad_rows` is given the rows that the engine found to be none. `again` reads the file with care, for when the engine
    has failed; None where that has been done. `notes` are for a person.
    """

    path: Path
    source: Source
    bad_rows: Callable[[Sequence[int]], Iterator[BadRow]] = lambda _: iter(())
    again: Callable[[], Events] | None = None
    notes: tuple[str, ...] = ()


def columns_of(
    path: Path, table: ir.Table, names: Sequence[str], columns: Sequence[str], *, numbered: bool = True
) -> Events:
    """A table whose `columns` have these names in the file. Columns of one name become one, whose values are a list."""
    by_name: dict[str, list[str]] = {}
    for name, column in zip(names, columns, strict=True):
        by_name.setdefault(name, []).append(column)
    joined = {f"several{index}": several for index, several in enumerate(by_name.values()) if len(several) > 1}
    if joined:
        table = table.mutate(**{new: in_one([table[old] for old in several]) for new, several in joined.items()})
    new_of = {several[0]: new for new, several in joined.items()}
    found = {name: new_of.get(several[0], several[0]) for name, several in by_name.items()}
    notes = [
        f"{path}: {len(several)} columns are named {name!r}; a rule looks at all of them"
        for name, several in by_name.items()
        if len(several) > 1
    ]
    return Events(path, ColumnSource(table, found, numbered), notes=tuple(notes))
