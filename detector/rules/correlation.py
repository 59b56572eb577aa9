"""Correlations: what happens often enough, to enough different values, or together, within a sliding time span.

Every matching event ends a window that reaches back over the time span, both ends included. A window in which the
condition holds is a hit; hits that share events are one episode, and all events of its windows are its evidence. So a
thousand look-ups in an hour are one finding, not a thousand.

An event that lacks a group-by field, or whose time cannot be read, belongs to no group.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from detector.rules.pack import Correlation

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}
#: Columns of a table of matches, beside `group_0…`, `value_0…` and one boolean `rule_0…` a base rule.
ROW, TIME = "row", "time"


def episodes(rule: Correlation, matches: ir.Table) -> ir.Table:
    """The episodes of a correlation as (rows, first_row): row keys in order of time.

    `matches` has the events that match any of the rule's base rules: `row` (a sortable key), `time` (microseconds,
    int64), `group_i`, `value_i` (texts) and booleans `rule_i`, numbered as in the rule.
    """
    groups = [f"group_{index}" for index in range(len(rule.group_by))]
    usable = matches.filter(matches[TIME].notnull(), *(matches[name].notnull() for name in groups))
    span = rule.timespan // timedelta(microseconds=1)
    counted = usable.mutate(count=_measure(rule, usable, groups, span))
    bounds = [_COMPARE[name](counted["count"], number) for name, number in rule.bounds]
    hit = functools.reduce(operator.and_, bounds).fill_null(False)
    marked = counted.mutate(hit_time=ibis.ifelse(hit, counted[TIME], ibis.null("int64")))
    # the first hit at or after an event, and the last hit before it
    ahead = ibis.window(group_by=groups, order_by=marked[TIME], range=(0, None))
    behind = ibis.range_window(preceding=(None, 1), group_by=groups, order_by=marked[TIME])
    near = marked.mutate(next_hit=marked["hit_time"].min().over(ahead), last_hit=marked["hit_time"].max().over(behind))
    evidence = near.filter(near["next_hit"] - near[TIME] <= span)
    opens = evidence["last_hit"].isnull() | (evidence["next_hit"] - evidence["last_hit"] > span)
    opened = evidence.mutate(opening=ibis.ifelse(opens, evidence["next_hit"], ibis.null("int64")))
    upto = ibis.range_window(preceding=None, following=0, group_by=groups, order_by=opened[TIME])
    numbered = opened.mutate(episode=opened["opening"].max().over(upto))
    order = [numbered[TIME], numbered[ROW]]
    return numbered.group_by([*groups, "episode"]).aggregate(
        rows=numbered[ROW].collect(order_by=order), first_row=numbered[ROW].min(), first_time=numbered[TIME].min()
    )


def _measure(rule: Correlation, matches: ir.Table, groups: list[str], span: int) -> ir.NumericValue:
    window = ibis.range_window(preceding=span, following=0, group_by=groups, order_by=matches[TIME])
    if rule.type == "event_count":
        return matches.count().over(window)
    if rule.type == "value_count":
        names = [f"value_{index}" for index in range(len(rule.values))]
        value = matches[names[0]]
        if len(names) > 1:
            value = ibis.array([matches[name] for name in names]).cast("string")
            value = ibis.ifelse(functools.reduce(operator.or_, (matches[n].isnull() for n in names)), None, value)
        return value.nunique().over(window)
    seen = [matches[f"rule_{index}"].cast("int64").max().over(window) for index in range(len(rule.rules))]
    return functools.reduce(operator.add, seen)
