"""Correlations: what happens often enough, to enough different values, or together, within a sliding time span.

Every item (a matching event, or a moment of a base correlation's episode) ends a window that reaches back over the time
span, both ends included. A window in which the condition holds is a hit; hits whose windows share items are one
episode, and all items of its windows are its evidence. So a thousand look-ups in an hour are one finding.

An item that lacks a group-by field or the value measured, or whose time cannot be read, belongs to no group. Items of
one time end the same window. Where the order matters, those of one time are in the order of their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from detector.rules.measures import judge
from detector.rules.pack import Correlation
from detector.rules.windows import ROW, TIME, Windows

__all__ = ["ROW", "TIME", "evidence", "groups_of", "rows_of"]


def groups_of(rule: Correlation) -> list[str]:
    return [f"group_{index}" for index in range(len(rule.group_by))]


def evidence(rule: Correlation, items: ir.Table) -> ir.Table:
    """The items that are evidence of an episode, with `opening` and `moment`.

    `items`: `row` (integers, to order by), `time` (microseconds, int64), `group_i` (texts), `value_i` (texts, or
    numbers where the type reckons with them), booleans `rule_i` numbered as the rule's bases; more columns are kept.
    `opening` is the time of the episode's first hit, which with the groups says which episode it is; `moment` is the
    first time at or after the item at which the condition held.
    """
    groups, values = groups_of(rule), [f"value_{index}" for index in range(len(rule.values))]
    usable = items.filter(items[TIME].notnull(), *(items[name].notnull() for name in (*groups, *values)))
    windows = Windows(groups, rule.timespan // timedelta(microseconds=1))
    judged = judge(rule, usable, windows)
    marked = judged.mutate(hit_time=ibis.ifelse(judged["hit"].fill_null(False), judged[TIME], ibis.null("int64")))
    near = marked.mutate(moment=marked["hit_time"].min().over(windows.onward(marked)))
    found = near.filter(near["moment"] - near[TIME] <= windows.span)
    # Every hit is its own moment, so that moments one after the other are hits one after the other; items of one time
    # have one moment, in whatever order they come.
    after = found.mutate(last_moment=found["moment"].lag().over(windows.in_time(found)))
    opens = after["last_moment"].isnull() | (after["moment"] - after["last_moment"] > windows.span)
    opened = after.mutate(opens_at=ibis.ifelse(opens, after["moment"], ibis.null("int64")))
    return opened.mutate(opening=opened["opens_at"].max().over(windows.upto(opened)))


def rows_of(groups: Sequence[str], found: ir.Table) -> ir.Table:
    """The episodes of some evidence as (rows, first_row, first_time): rows in order of time, then of row."""
    return found.group_by([*groups, "opening"]).aggregate(
        rows=found[ROW].collect(order_by=[found[TIME], found[ROW]]),
        first_row=found[ROW].min(),
        first_time=found[TIME].min(),
    )
