"""Who is on duty, away, or gone: shifts, absences and the staff table's dates. All of them are plans, known ahead."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US
from detector.features.keyed import person_key
from detector.features.known import FOR_EVER, since_us, until_us
from detector.features.linked import AFTERWARDS
from detector.features.plan import Plan

#: A shift further away than this says nothing: the roster has a hole, or the actor is not rostered.
NEAR = 3 * DAY_US


def rostered(plan: Plan, looks: ir.Table, shifts: ir.Table) -> ir.Table:
    """seq -> `off_us`: microseconds to the nearest shift of the actor, 0 within one; no row where none is NEAR."""
    s = shifts.select(
        actor=person_key(shifts.staff_id), since=since_us(shifts.shift_start), until=until_us(shifts.shift_end)
    )
    s = plan.keep("shifts", s.semi_join(looks, "actor"))
    t = looks.select("seq", "us", "actor").inner_join(s, "actor")
    early, late = t.since - t.us, t.us - t.until
    off = ibis.greatest(early, late, ibis.literal(0, "int64"))
    t = t.mutate(off_us=off)
    t = t.filter(t.off_us <= NEAR)
    return plan.keep("rostered", t.group_by("seq").agg(off_us=t.off_us.min()))


def away(plan: Plan, looks: ir.Table, absences: ir.Table) -> ir.Table:
    """seq -> `away` and `suspended`, 1 where the actor is absent at the time, and suspended; no row where not."""
    a = absences.select(
        actor=person_key(absences.staff_id),
        since=since_us(absences.absent_from),
        until=until_us(absences.absent_to),
        suspended=absences.kind.lower().contains("suspen").fill_null(False).cast("int64"),
    )
    t = looks.select("seq", "us", "actor").inner_join(plan.keep("absences", a.semi_join(looks, "actor")), "actor")
    t = t.filter((t.since <= t.us) & (t.us < t.until))
    return plan.keep("away", t.group_by("seq").agg(away=ibis.literal(1, "int64"), suspended=t.suspended.max()))


def employed(plan: Plan, looks: ir.Table, staff: ir.Table) -> ir.Table:
    """actor -> `last_us`, the end of their last row in the staff table; NULL where it has none (open).

    Of rows with a gap between them (a transfer that was entered late) only the last end counts.
    """
    t = staff.semi_join(looks, "actor")
    found = t.group_by("actor").agg(last_us=t.until.max())
    return plan.keep(
        "employed",
        found.mutate(is_staff=ibis.literal(1, "int64"), last_us=(found.last_us < FOR_EVER).ifelse(found.last_us, None)),
    )


def is_leaving(t: ir.Table) -> ir.BooleanValue:
    """Whether the event falls in the actor's final 28 days."""
    return (t.us < t.last_us) & (t.us >= t.last_us - AFTERWARDS)
