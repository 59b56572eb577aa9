"""Trailing windows over one actor's and one terminal user's events, and the state carried over from last night."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, HOUR_US, MINUTE_US, earlier, running, until
from detector.features.plan import Plan

#: A pause this long ends a block of work: the least daily rest between two duties in most rosters is longer.
REST_US = 6 * HOUR_US
LONGEST_US = DAY_US


_READ = (
    "seq", "us", "local_day", "actor", "operator", "terminal", "counted", "exported", "on_behalf", "failed",
)  # fmt: skip


def trailing(plan: Plan, tonight: ir.Table, before: ir.Table, actors: ir.Table) -> ir.Table:
    """One row per event of the night: seq and the window columns. `actors` as baselines.actor_baselines.

    A look-up counts itself; of events of the same microsecond those before it in `seq` count too. Streak and block
    are of the counted events only, and start with what `actors` says of earlier nights.
    """
    both = tonight.select(_READ).union(before.select(_READ))
    windows = _windows(plan.keep("running", _running(both, actors)))
    return plan.keep("trailing", windows.filter(windows.seq > 0))


def _running(both: ir.Table, actors: ir.Table) -> ir.Table:
    carried = actors.select("actor", "last_us", "block_start_us", "last_day", "streak_start")
    e = both.left_join(carried, "actor").drop("actor_right")
    lookup, tonight = e.counted.cast("int64"), e.counted & (e.seq > 0)
    by_actor, by_operator = running(e.actor, e.seq), running(e.operator, e.seq)
    asked = (e.counted & e.on_behalf.notnull()).cast("int64")
    by_seat = ibis.window(group_by=[e.operator, e.terminal.notnull()], order_by=e.seq)
    e = e.mutate(
        sum_lookups=lookup.sum().over(by_actor),
        sum_exported=e.exported.sum().over(by_actor),
        sum_failed=e.failed.fill_null(False).cast("int64").sum().over(by_actor),
        sum_asked=asked.sum().over(by_operator),
        sum_on_behalf=(e.counted & e.on_behalf.fill_null(False)).cast("int64").sum().over(by_operator),
        earlier_us=tonight.ifelse(e.us, None).max().over(earlier(e.actor, e.seq)),
        earlier_day=tonight.ifelse(e.local_day, None).max().over(earlier(e.actor, e.seq)),
        other_terminal=e.terminal.lag().over(by_seat),
        other_us=e.us.lag().over(by_seat),
    )
    previous_us = ibis.coalesce(e.earlier_us, e.last_us)
    previous_day = ibis.greatest(e.earlier_day, e.last_day)
    rested = previous_us.isnull() | (e.us - previous_us >= REST_US)
    broken = previous_day.isnull() | (e.local_day > previous_day + 1)
    return e.select(
        "seq", "us", "actor", "operator", "terminal", "block_start_us", "streak_start", "sum_lookups",
        "sum_exported", "sum_failed", "sum_asked", "sum_on_behalf",
        previous_us=previous_us,
        # The latest local day so far: with two zones in one log a day may come after its successor.
        day=ibis.greatest(e.local_day, previous_day),
        block_mark=(tonight & rested).ifelse(e.us, None),
        streak_mark=(tonight & broken).ifelse(e.local_day, None),
        switch_us=(e.terminal != e.other_terminal).ifelse(e.other_us, None),
    )  # fmt: skip


def _windows(e: ir.Table) -> ir.Table:
    by_actor = running(e.actor, e.seq)
    by_seat = running([e.operator, e.terminal.notnull()], e.seq)

    def since(column: ir.IntegerColumn, who: ir.IntegerColumn, length: int) -> ir.IntegerColumn:
        """Growth of a running sum over the last `length` microseconds: (t - length, t]."""
        return column - column.last().over(until(who, e.us, length)).fill_null(0)

    return e.select(
        "seq",
        lookups_15m=since(e.sum_lookups, e.actor, 15 * MINUTE_US),
        lookups_1h=since(e.sum_lookups, e.actor, HOUR_US),
        lookups_24h=since(e.sum_lookups, e.actor, LONGEST_US),
        exported_24h=since(e.sum_exported, e.actor, LONGEST_US),
        failed_24h=since(e.sum_failed, e.actor, LONGEST_US),
        asked_24h=since(e.sum_asked, e.operator, LONGEST_US),
        on_behalf_24h=since(e.sum_on_behalf, e.operator, LONGEST_US),
        idle_us=e.us - e.previous_us,
        block_us=e.us - ibis.greatest(e.block_mark.max().over(by_actor), e.block_start_us),
        streak=e.day - ibis.greatest(e.streak_mark.max().over(by_actor), e.streak_start) + 1,
        other_terminal_us=e.us - e.switch_us.max().over(by_seat),
    )
