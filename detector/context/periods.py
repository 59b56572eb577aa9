"""A person's rows in the staff table, which may overlap and have gaps, as periods that do not overlap."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from detector.schema import TIMESTAMP

#: Stand for no start and no end, so that every period has both.
EVER: Final = datetime(1, 1, 1, tzinfo=UTC)
FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
PERIODS: Final = pa.schema(
    [
        pa.field("staff_id", pa.string(), nullable=False),
        pa.field("since", TIMESTAMP, nullable=False),
        pa.field("until", TIMESTAMP, nullable=False),
        pa.field("staff_unit", pa.string()),
        pa.field("staff_role", pa.string()),
    ]
)


def staff_periods(staff: pa.Table) -> pa.Table:
    """One row per person and period [since, until): unit and role as of the row that started last by then.

    A secondment that ends gives way to the row it interrupted. A row without a start counts where there is no other.
    """
    table = pa.table(
        [
            staff["staff_id"], pc.fill_null(staff["start_date"], EVER), pc.fill_null(staff["end_date"], FOR_EVER),
            staff["unit"], staff["role"],
        ],
        schema=PERIODS,
    )  # fmt: skip
    counts = pc.value_counts(table["staff_id"])
    several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    is_several = pc.is_in(table["staff_id"], value_set=several)
    rows: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in table.filter(is_several).to_pylist():
        rows[row["staff_id"]].append(row)
    cut = [piece for each in rows.values() for piece in _cut(each)]
    return pa.concat_tables([table.filter(pc.invert(is_several)), pa.Table.from_pylist(cut, PERIODS)])


def _cut(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """One person's rows, cut wherever one begins or ends; of each piece the row that started last."""
    marks = sorted({row["since"] for row in rows} | {row["until"] for row in rows})  # type: ignore[type-var]
    pieces = []
    for since, until in pairwise(marks):
        valid = [row for row in rows if row["since"] <= since and row["until"] >= until]  # type: ignore[operator]
        if valid:
            pieces.append({**max(valid, key=lambda row: row["since"]), "since": since, "until": until})  # type: ignore[arg-type, return-value]
    return pieces
