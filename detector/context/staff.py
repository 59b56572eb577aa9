"""Who somebody was on a day: unit and role as the staff table has them, for events that do not say."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.context.reference import Reference


def with_staff(events: ir.Table, reference: Reference) -> ir.Table:
    """Events whose missing or blank unit and role are filled from the staff table, by actor, as they were then.

    A blank unit names none: the feed that left it out is no better informed than the staff table.
    """
    if "staff" not in reference.tables:
        return events
    known = ibis.memtable(reference.staff_periods)
    joined = events.left_join(
        known,
        [
            events.actor_id == known.staff_id,
            known.since <= events.event_time,
            known.until > events.event_time,
        ],
    )
    return joined.mutate(
        unit=ibis.coalesce(joined.unit.nullif(""), joined.staff_unit, joined.unit),
        role=ibis.coalesce(joined.role.nullif(""), joined.staff_role, joined.role),
    ).select(events.columns)
