"""Trailing windows over one actor's and one terminal user's events, and the state carried over from last night."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, HOUR_US, MINUTE_US, earlier, running, total, until
from detector.features.plan import Plan

#: A pause this long ends a block of work: the least daily rest between two duties in most rosters is longer.
REST_US = 6 * HOUR_US
LONGEST_US = DAY_US


_OF_ACTOR = ("seq", "us", "local_day", "actor", "counted", "exported", "failed")
_OF_OPERATOR = ("seq", "us", "operator", "terminal", "counted", "on_behalf")


def actor_windows(plan: Plan, tonight: ir.Table, before: ir.Table, actors: ir.Table) -> ir.Table:
    """One row per event of the night: seq and what led up to it. `actors` as baselines.actor_baselines.

    A look-up counts itself; of events of the same microsecond those before it in `seq` count too. Streak and block
    are of the counted events only, and start with what `actors` says of earlier nights.
    """
    both = tonight.select(_OF_ACTOR).union(before.select(_OF_ACTOR))
    e = plan.keep("actors_running", _actor_running(both, actors))
    so_far = running(e.actor, e.seq)
    windows = e.select(
        "seq",
        lookups_15m=grown(e, "sum_lookups", "actor", 15 * MINUTE_US),
        lookups_1h=grown(e, "sum_lookups", "actor", HOUR_US),
        lookups_24h=grown(e, "sum_lookups", "actor", LONGEST_US),
        exported_24h=grown(e, "sum_exported", "actor", LONGEST_US),
        failed_24h=grown(e, "sum_failed", "actor", LONGEST_US),
        idle_us=e.us - e.previous_us,
        block_us=e.us - ibis.greatest(e.block_mark.max().over(so_far), e.block_start_us),
        streak=e.day - ibis.greatest(e.streak_mark.max().over(so_far), e.streak_start) + 1,
    )
    return plan.keep("actors_trailing", windows.filter(windows.seq > 0))


def operator_windows(plan: Plan, tonight: ir.Table, before: ir.Table) -> ir.Table:
    """One row per event of the night: seq and what the signed-in operator did before, as in actor_windows."""
    both = tonight.select(_OF_OPERATOR).union(before.select(_OF_OPERATOR))
    e = plan.keep("operators_running", _operator_running(both))
    windows = e.select(
        "seq",
        asked_24h=grown(e, "sum_asked", "operator", LONGEST_US),
        on_behalf_24h=grown(e, "sum_on_behalf", "operator", LONGEST_US),
        other_terminal_us=e.us - e.switch_us.max().over(running([e.operator, e.seated], e.seq)),
    )
    return plan.keep("operators_trailing", windows.filter(windows.seq > 0))


def _actor_running(e: ir.Table, actors: ir.Table) -> ir.Table:
    """Running sums, and marks where a block of work or a streak begins."""
    tonight = e.counted & (e.seq > 0)
    so_far, before = running(e.actor, e.seq), earlier(e.actor, e.seq)
    e = e.mutate(
        tonight=tonight,
        sum_lookups=total(e.counted.cast("int64"), over=so_far),
        sum_exported=total(e.exported, over=so_far),
        sum_failed=total(e.failed.fill_null(False).cast("int64"), over=so_far),
        earlier_us=tonight.ifelse(e.us, None).max().over(before),
        earlier_day=tonight.ifelse(e.local_day, None).max().over(before),
    )
    carried = actors.select("actor", "last_us", "block_start_us", "last_day", "streak_start")
    e = e.left_join(carried, "actor").drop("actor_right")
    previous_us = ibis.coalesce(e.earlier_us, e.last_us)
    previous_day = ibis.greatest(e.earlier_day, e.last_day)
    rested = previous_us.isnull() | (e.us - previous_us >= REST_US)
    broken = previous_day.isnull() | (e.local_day > previous_day + 1)
    return e.select(
        "seq", "us", "actor", "block_start_us", "streak_start", "sum_lookups", "sum_exported", "sum_failed",
        previous_us=previous_us,
        # The latest local day so far: with two zones in one log a day may come after its successor.
        day=ibis.greatest(e.local_day, previous_day),
        block_mark=(e.tonight & rested).ifelse(e.us, None),
        streak_mark=(e.tonight & broken).ifelse(e.local_day, None),
    )  # fmt: skip


def _operator_running(e: ir.Table) -> ir.Table:
    """Running sums, and when the operator was last seen at the terminal before, where it changes."""
    e = e.mutate(seated=e.terminal.notnull())
    so_far = running(e.operator, e.seq)
    at_seats = ibis.window(group_by=[e.operator, e.seated], order_by=e.seq)
    asked = e.counted & e.on_behalf.notnull()
    return e.select(
        "seq",
        "us",
        "operator",
        "seated",
        sum_asked=total(asked.cast("int64"), over=so_far),
        sum_on_behalf=total((asked & e.on_behalf.fill_null(False)).cast("int64"), over=so_far),
        switch_us=(e.terminal != e.terminal.lag().over(at_seats)).ifelse(e.us.lag().over(at_seats), None),
    )


def grown(e: ir.Table, summed: str, who: str, length: int) -> ir.IntegerValue:
    """Growth of a running sum over the last `length` microseconds: (t - length, t].

    The sum only grows, so its highest value up to t - length is the one there: whatever the order of simultaneous rows.
    """
    return e[summed] - e[summed].max().over(until(e[who], e.us, length)).fill_null(0)
