"""Who touched which record before: by actor, by unit, by anybody; and who else is on it just now."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, constant, total
from detector.features.plan import Plan

#: Trailing days in which days of touching a record are counted, and its revisit gaps.
REPEAT_DAYS = 180
#: Trailing days in which others on the same record make a crowd.
CROWD_DAYS = 3
#: Trailing days from which it is judged how many are to be expected there.
EXPECTED_DAYS = 30
#: Fewer gaps than this say nothing about how regular they are.
LEAST_GAPS = 3

#: The record under which each night leaves one row, so that nights of history can be counted.
NIGHTS = "nights"


def touched_by_actor(plan: Plan, tonight: ir.Table, actor_records: ir.Table) -> ir.Table:
    """One row per `visit` tonight: its first touch tonight, and of earlier nights what is known, else NULL."""
    keys = _first(plan, tonight, "visit")
    old = actor_records.semi_join(keys, actor_records.key == keys.visit)
    gap = old.gap.cast("int64")
    in_repeat = old.age <= REPEAT_DAYS
    seen = old.group_by(visit="key").agg(
        visit_last_age=old.age.min(),
        visit_repeat_nights=old.key.count(where=in_repeat),
        visit_gaps=gap.count(where=in_repeat),
        visit_gap_sum=total(gap, in_repeat),
        visit_gap_squares=total(gap * gap, in_repeat),
    )
    return plan.keep("visits", keys.left_join(seen, "visit").drop("visit_right"))


def touched_by_unit(plan: Plan, tonight: ir.Table, unit_records: ir.Table) -> ir.Table:
    """One row per `unit_record` tonight: its first touch tonight, and whether the unit touched it before."""
    return _with_known(plan, _first(plan, tonight, "unit_record"), "unit_record", unit_records)


def touched_by_anybody(plan: Plan, tonight: ir.Table, record_days: ir.Table, recent: ir.Table) -> ir.Table:
    """One row per `record` tonight, and one for NIGHTS, whose `record_nights` are those of the log.

    Its first touch tonight, whether anybody touched it before; and from `recent`, the record_days of EXPECTED_DAYS,
    without those that make a crowd: the nights on which anybody touched it, and the sum of their distinct actors.
    """
    nights = tonight.agg(record_first_seq=tonight.seq.max()).select("record_first_seq", record=constant(NIGHTS))
    first = _first(plan, tonight, "record")
    keys = plan.keep("record_keys", first.union(nights.select(first.columns)))
    recent = recent.filter(recent.age > CROWD_DAYS)
    recent = recent.semi_join(keys, recent.key == keys.record)
    counted = recent.group_by(record="key").agg(record_nights=recent.count(), record_actor_nights=total(recent.actors))
    counted = plan.keep("record_counts", counted)
    known = _with_known(plan, keys, "record", record_days)
    return plan.keep("records", known.left_join(counted, "record").drop("record_right"))


def _with_known(plan: Plan, keys: ir.Table, key: str, old: ir.Table) -> ir.Table:
    """`keys` with `<key>_known`, whether it is among the old ones. Nothing is counted: history is by far the longer."""
    known = plan.keep(f"{key}_known", keys.semi_join(old, keys[key] == old.key).select(key))
    found = known.mutate(**{f"{key}_known": ibis.literal(True)})
    joined = keys.left_join(found, key).drop(f"{key}_right")
    return plan.keep(f"{key}_touched", joined.mutate(**{f"{key}_known": joined[f"{key}_known"].fill_null(False)}))


def _first(plan: Plan, tonight: ir.Table, key: str) -> ir.Table:
    known = tonight.filter(tonight[key].notnull())
    return plan.keep(f"{key}_first", known.group_by(key).agg(**{f"{key}_first_seq": tonight.seq.min()}))


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
    counted = marks.select("seq", crowd_actors=total(marks.step, over=frame))
    return plan.keep("crowds", counted.filter(counted.seq > 0))
