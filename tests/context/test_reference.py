"""Reference tables as forces have them: transfers, gaps, damage."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import ibis
import pytest

from detector.context.reference import load_reference, with_staff
from detector.errors import ReferenceTableError

STAFF = """staff_id,unit,role,start_date,end_date
op1,Traffic,constable,2025-01-01,2026-02-28
op1,Custody,sergeant,2026-03-01,
op2,Records,clerk,,
"""


def test_unit_and_role_are_those_of_the_day(tmp_path: Path) -> None:
    (tmp_path / "staff.csv").write_text(STAFF)
    rows = [
        ("before", datetime(2026, 2, 28, 23, tzinfo=UTC), "op1", None, None),
        ("after", datetime(2026, 3, 1, 1, tzinfo=UTC), "op1", None, None),
        ("own", datetime(2026, 3, 1, 1, tzinfo=UTC), "op1", "Murder", "detective"),
        ("undated", datetime(2026, 3, 1, 1, tzinfo=UTC), "op2", None, None),
        ("unknown", datetime(2026, 3, 1, 1, tzinfo=UTC), "op3", None, None),
    ]
    schema = {"event_id": "string", "event_time": "timestamp('UTC')", "actor_id": "string", "unit": "string"}
    events = ibis.memtable(rows, schema=ibis.schema(schema | {"role": "string"}))
    filled = with_staff(events, load_reference(tmp_path)).to_pyarrow().to_pylist()
    assert {row["event_id"]: (row["unit"], row["role"]) for row in filled} == {
        "before": ("Traffic", "constable"),
        "after": ("Custody", "sergeant"),
        "own": ("Murder", "detective"),
        "undated": ("Records", "clerk"),
        "unknown": (None, None),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit,role\nA,B\n", "column staff_id is missing"),
        ("staff_id,unit,unit\n1,A,B\n", "given twice"),
        ("", "cannot be read"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "staff.csv").write_text(text)
    with pytest.raises(ReferenceTableError, match=said) as caught:
        load_reference(tmp_path)
    assert "staff.csv" in str(caught.value)
