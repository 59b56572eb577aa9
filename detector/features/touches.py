"""Who touched which record before: by actor, by unit, by anybody; and who else is on it just now."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, constant
from detector.features.plan import Plan

#: Trailing days in which days of touching a record are counted, and its revisit gaps.
REPEAT_DAYS = 180
#: Trailing days in which others on the same record make a crowd.
CROWD_DAYS = 3
#: Fewer gaps than this say nothing about how regular they are.
LEAST_GAPS = 3

#: The key under which each night leaves one row, so that nights of history can be counted.
NIGHTS = "nights"


def touched(plan: Plan, tonight: ir.Table, touches: ir.Table) -> ir.Table:
    """One row per `kind` (visit, unit_record, record) and `key` touched tonight, and one for NIGHTS.

    `first_seq` is its first touch tonight; the others tell of earlier nights and are 0 or NULL where there is none.
    """
    parts = [
        tonight.select(kind=ibis.literal(kind), key=kind, seq="seq") for kind in ("visit", "unit_record", "record")
    ]
    keys = parts[0].union(*parts[1:])
    keys = keys.filter(keys.key.notnull()).group_by("kind", "key").agg(first_seq=keys.seq.min())
    one = tonight.agg(first_seq=tonight.seq.max()).select(
        kind=ibis.literal(NIGHTS), key=constant(NIGHTS), first_seq="first_seq"
    )
    keys = plan.keep("touched", keys.union(one))
    old = touches.semi_join(keys, "key")
    gap = old.gap.cast("int64")
    in_repeat = old.age <= REPEAT_DAYS
    seen = old.group_by("key").agg(
        nights=old.count(),
        last_age=old.age.min(),
        repeat_nights=in_repeat.cast("int64").sum(),
        gaps=gap.count(where=in_repeat),
        gap_sum=gap.sum(where=in_repeat),
        gap_squares=(gap * gap).sum(where=in_repeat),
        actor_nights=old.n.sum(where=old.age > CROWD_DAYS),
    )
    joined = keys.left_join(seen, "key").drop("key_right")
    return plan.keep("seen", joined)


def crowds(plan: Plan, tonight: ir.Table, visits: ir.Table) -> ir.Table:
    """One row per event with a record: `seq`, and `crowd_actors`, the distinct actors on it in (t - 72 h, t].

    Each record starts the night with those of the last three nights; one leaves it 72 hours after the last touch,
    and comes (again) with the first touch of tonight. So the count is a running sum, and never looks ahead.
    """
    touch = tonight.filter(tonight.record.notnull())
    first = touch.filter(touch.actor.notnull()).group_by("record", "actor")
    first = first.agg(seq=touch.seq.min(), us=touch.us.min())
    old = visits.semi_join(touch.select("record").distinct(), "record").group_by("record", "actor")
    old = old.agg(leaves=lambda t: t.last_us.max() + CROWD_DAYS * DAY_US)
    both = old.left_join(first, ["record", "actor"]).drop("record_right", "actor_right")
    stays = (both.us < both.leaves).fill_null(False)
    kept = plan.keep("crowd", both.mutate(stays=stays))
    zero = ibis.literal(0, "int64")
    one = ibis.literal(1, "int64")
    marks = kept.select("record", us=zero, seq=zero, step=one)
    leaving = kept.filter(~kept.stays)
    marks = marks.union(leaving.select("record", us="leaves", seq=zero, step=-one))
    coming = first.anti_join(kept.filter(kept.stays), ["record", "actor"])
    arrivals = coming.select(arrival="seq")
    events = touch.left_join(arrivals, touch.seq == arrivals.arrival)
    events = events.select("record", "us", "seq", step=events.arrival.notnull().cast("int64"))
    marks = marks.union(events)
    frame = ibis.window(preceding=None, following=0, group_by=marks.record, order_by=[marks.us, marks.seq])
    counted = marks.select("seq", crowd_actors=marks.step.sum().over(frame))
    return plan.keep("crowds", counted.filter(counted.seq > 0))
