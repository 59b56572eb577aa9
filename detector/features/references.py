"""How many different records were looked up under one case reference."""

from __future__ import annotations

import ibis.expr.types as ir

from detector.features.engine import running, total
from detector.features.plan import Plan

#: Trailing days in which the records of a case reference are counted.
REFERENCE_DAYS = 30


def reference_records(plan: Plan, tonight: ir.Table, case_records: ir.Table) -> ir.Table:
    """seq -> `reference_records`: distinct records under the event's case reference so far, this one included."""
    under = tonight.filter(tonight.case_record.notnull()).select("seq", "case", "record")
    old = case_records.select("case", "record").semi_join(under.select("case").distinct(), "case").distinct()
    old = plan.keep("case_records", old)
    before = old.group_by("case").agg(old_records=old.count())
    first = under.group_by("case", "record").agg(first_seq=under.seq.min()).anti_join(old, ["case", "record"])
    first = first.select("first_seq")
    marked = under.left_join(first, under.seq == first.first_seq)
    marked = marked.select("seq", "case", new=marked.first_seq.notnull().cast("int64"))
    so_far = total(marked.new, over=running(marked.case, marked.seq))
    counted = marked.select("seq", "case", so_far=so_far).left_join(before, "case")
    return plan.keep(
        "references", counted.select("seq", reference_records=counted.so_far + counted.old_records.fill_null(0))
    )
