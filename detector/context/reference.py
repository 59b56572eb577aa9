"""Reference tables: a folder of CSV or Parquet files named as in the contract, every one optional.

Rows may be wrong, late or missing: one that cannot be used is left out, counted and named with its line. A table
that is not there makes what needs it *inactive*; a table that is there but cannot be read at all is an error,
because a scan that quietly did without it would look complete. docs/reference-tables.md says it to the people who
export them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from detector.config import Settings
from detector.context.columns import PERSONS, RECORDS, SHAPES
from detector.context.files import read_rows
from detector.context.periods import staff_periods
from detector.context.rejects import TableReport, counted
from detector.context.typed import typed
from detector.errors import ReferenceTableError, Where
from detector.ingest.pseudonyms import Pseudonymiser, pseudonymiser
from detector.schema import REFERENCE_TABLES


@dataclass(frozen=True)
class Reference:
    """The tables found, typed as `columns.SHAPES` says (a column the file lacks is NULL), and what became of them.

    `vetting`: words in the name of a unit or role whose work it is to look up staff (`reference.vetting`).
    """

    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    reports: tuple[TableReport, ...] = ()
    vetting: tuple[str, ...] = ()

    @property
    def present(self) -> frozenset[str]:
        return frozenset(self.tables)

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(REFERENCE_TABLES) - self.present

    @cached_property
    def staff_periods(self) -> pa.Table:
        """Who belonged where and when: `periods.PERIODS`, no two rows of one person overlapping."""
        return staff_periods(self.tables["staff"])


def load_reference(
    folder: Path | None, settings: Settings | None = None, env: Mapping[str, str] = os.environ
) -> Reference:
    """The tables of a folder; none without a folder.

    Raises ReferenceTableError for a folder that is not there, and for a table given twice, unreadable, or without a
    column it cannot do without; ConfigError where ids are to be pseudonymised without a key.
    """
    if folder is None:
        return Reference()
    if not folder.is_dir():
        raise ReferenceTableError("no such folder of reference tables", where=Where(folder))
    settings = settings or Settings()
    columns = [{"person": "operator_id"}.get(name, name) for name in settings.reference.pseudonymise]
    pseudonyms = pseudonymiser(columns, settings.pseudonyms, (), env)
    tables: dict[str, pa.Table] = {}
    reports: list[TableReport] = []
    for name, shape in SHAPES.items():
        path = _file(folder, name)
        if path is None:
            continue
        found = typed(read_rows(path, shape, settings.ingest), shape, settings.reference)
        reasons, named = counted(found.rejects)
        tables[name] = found.table if pseudonyms is None else _pseudonymised(found.table, pseudonyms)
        reports.append(
            TableReport(
                name, path, _sha256(path), found.table.num_rows, found.duplicates, reasons, named, found.emptied
            )
        )
    return Reference(tables, tuple(reports), settings.reference.vetting)


def _pseudonymised(table: pa.Table, pseudonyms: Pseudonymiser) -> pa.Table:
    """The table with the tokens that the logs have for the same people and records."""
    for column, names in (("operator_id", PERSONS), ("record_id", RECORDS)):
        for name in (one for one in names if one in table.column_names):
            values = pseudonyms.apply(column, table.column(name).combine_chunks())
            table = table.set_column(table.column_names.index(name), name, values)
    return table


def _file(folder: Path, name: str) -> Path | None:
    files = [path for path in (folder / f"{name}.csv", folder / f"{name}.parquet") if path.is_file()]
    if len(files) > 1:
        raise ReferenceTableError(
            f"table {name} is given twice: {files[0].name} and {files[1].name}",
            where=Where(folder),
            hint="Keep one of the two.",
        )
    return files[0] if files else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
