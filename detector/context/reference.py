"""Reference tables: a folder of CSV or Parquet files named as in the contract, every one optional.

Rows may be wrong, late or missing. A table that is not there makes what needs it *inactive*; a table that is
there but cannot be read is an error, because a scan that quietly did without it would look complete.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from detector.errors import ReferenceTableError, Where
from detector.schema import REFERENCE_TABLES


@dataclass(frozen=True)
class Reference:
    """The tables found, all columns strings as given (a column the file lacks is NULL), and what is missing."""

    tables: Mapping[str, pa.Table] = field(default_factory=dict)

    @property
    def present(self) -> frozenset[str]:
        return frozenset(self.tables)

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(REFERENCE_TABLES) - self.present


def load_reference(folder: Path | None) -> Reference:
    """The tables of a folder; none without a folder.

    Raises ReferenceTableError for a folder that is not there, a table given twice, unreadable, or without its
    first (key) column.
    """
    if folder is None:
        return Reference()
    if not folder.is_dir():
        raise ReferenceTableError("no such folder of reference tables", where=Where(folder))
    tables: dict[str, pa.Table] = {}
    for name, columns in REFERENCE_TABLES.items():
        files = [path for path in (folder / f"{name}.csv", folder / f"{name}.parquet") if path.is_file()]
        if len(files) > 1:
            raise ReferenceTableError(
                f"table {name} is given twice: {files[0].name} and {files[1].name}",
                where=Where(folder),
                hint="Keep one of the two.",
            )
        if files:
            tables[name] = _tidy(_read(files[0]), columns, files[0])
    return Reference(tables)


def with_staff(events: ir.Table, reference: Reference) -> ir.Table:
    """Events whose missing unit and role are filled from the staff table, by actor, as they were on the event's day.

    Of several rows of one person (a transfer) that one counts that started last before the event; a row without a
    start date only where there is no other.
    """
    if "staff" not in reference.tables:
        return events
    columns = ["staff_id", "unit", "role", "start_date", "end_date"]
    staff = ibis.memtable(reference.tables["staff"].select(columns).filter(pc.field("staff_id").is_valid()))
    day = events.event_time.strftime("%Y-%m-%d")
    keyed = events.mutate(staff_day=day).select("actor_id", "staff_day").distinct()
    rows = keyed.inner_join(staff, keyed.actor_id == staff.staff_id)
    valid = (rows.start_date.isnull() | (rows.start_date.left(10) <= rows.staff_day)) & (
        rows.end_date.isnull() | (rows.end_date.left(10) >= rows.staff_day)
    )
    order = rows.start_date.fill_null("")
    listed = (
        rows.filter(valid)
        .group_by("actor_id", "staff_day")
        .agg(staff_unit=rows.unit.argmax(order), staff_role=rows.role.argmax(order))
    )
    joined = events.mutate(staff_day=day).left_join(listed, ["actor_id", "staff_day"])
    return joined.mutate(
        unit=ibis.coalesce(joined.unit, joined.staff_unit), role=ibis.coalesce(joined.role, joined.staff_role)
    ).select(events.columns)


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            return pq.ParquetFile(path).read()
        with path.open("rb") as stream:
            header = stream.readline().decode("utf-8-sig").strip("\r\n")
        names = next(iter(_csv_rows(header)), [])
        options = pacsv.ConvertOptions(column_types={name: pa.string() for name in names}, strings_can_be_null=False)
        return pacsv.read_csv(path, convert_options=options, parse_options=pacsv.ParseOptions(newlines_in_values=True))
    except (pa.ArrowException, csv.Error, UnicodeDecodeError, OSError) as exc:
        raise ReferenceTableError(f"cannot be read: {str(exc).splitlines()[0]}", where=Where(path)) from None


def _csv_rows(line: str) -> list[list[str]]:
    return list(csv.reader([line]))


def _tidy(table: pa.Table, columns: tuple[str, ...], path: Path) -> pa.Table:
    by_name = {name.strip().lower(): name for name in table.column_names}
    if len(by_name) < len(table.column_names):
        raise ReferenceTableError("a column is given twice", where=Where(path, 1), hint="Keep one of the two.")
    if columns[0] not in by_name:
        raise ReferenceTableError(
            f"column {columns[0]} is missing",
            where=Where(path, 1),
            hint=f"The table has: {', '.join(table.column_names)}. Expected: {', '.join(columns)}.",
        )
    arrays = [
        _as_text(table[by_name[name]]) if name in by_name else pa.nulls(table.num_rows, pa.string()) for name in columns
    ]
    return pa.table(arrays, names=list(columns))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As trimmed text; in a reference table blank means that nobody filled it in, so it is NULL."""
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
