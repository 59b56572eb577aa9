"""What each type of correlation measures in a window, and whether its condition holds there.

Counting different values, and the order of rules, are put as running sums and maxima, which every engine has:
COUNT(DISTINCT) over a frame and self-joins are not needed. Only `quantile` is special.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from detector.rules.pack import Correlation, Together
from detector.rules.windows import ROW, TIME, Windows

COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
    "neq": operator.ne,
}


def judge(rule: Correlation, items: ir.Table, windows: Windows) -> ir.Table:
    """The items with the boolean `hit`: does the condition hold in the window that the item ends?"""
    if rule.type == "temporal":
        indexes = range(len(rule.bases))
        seen = {
            f"seen_{index}": items[f"rule_{index}"].cast("int64").max().over(windows.back(items)) for index in indexes
        }
        table = items.mutate(**seen)
        present = [table[f"seen_{index}"] == 1 for index in indexes]
        if rule.ways:
            return table.mutate(hit=_any(_holds(way, [present[at] for at in way.bases], present) for way in rule.ways))
        return table.mutate(hit=_within(rule, _sum(flag.cast("int64") for flag in present)))
    if rule.type == "temporal_ordered":
        return (_ordered_ways if rule.ways else _ordered_count)(rule, items, windows)
    measured, number = _measure(rule, items, windows)
    table = measured.mutate(measure=number)
    return table.mutate(hit=_within(rule, table["measure"]))


def _measure(rule: Correlation, items: ir.Table, windows: Windows) -> tuple[ir.Table, ir.NumericValue]:
    if rule.type == "event_count":
        return items, items.count().over(windows.back(items))
    if rule.type == "value_count":
        return _different(rule, items, windows)
    value = items["value_0"]
    if rule.type == "value_sum":
        return items, value.sum().over(windows.back(items))
    if rule.type == "value_avg":
        return items, value.mean().over(windows.back(items))
    return items, quantile(value, 50.0 if rule.percentile is None else rule.percentile, windows.back(items))


def quantile(value: ir.NumericValue, percentile: float, window: Any) -> ir.NumericValue:
    """The value that `percentile` % of a window's values do not exceed, interpolated between the two nearest."""
    return value.quantile(percentile / 100).over(window)


def _different(rule: Correlation, items: ir.Table, windows: Windows) -> tuple[ir.Table, ir.IntegerValue]:
    """How many different values. A value comes in with an item that has none of its kind within the span before, and
    goes out with one that has none within the span after: what came in by now, less what went out before the window.
    """
    same = ibis.window(
        group_by=[*windows.groups, *(f"value_{index}" for index in range(len(rule.values)))],
        order_by=[items[TIME], items[ROW]],
    )
    beside = items.mutate(earlier=items[TIME].lag().over(same), later=items[TIME].lead().over(same))
    comes = beside["earlier"].isnull() | (beside[TIME] - beside["earlier"] > windows.span)
    goes = beside["later"].isnull() | (beside["later"] - beside[TIME] > windows.span)
    table = beside.mutate(comes=comes.cast("int64"), goes=goes.cast("int64"))
    came = table["comes"].sum().over(windows.upto(table))
    gone = table["goes"].sum().over(windows.older(table, windows.span + 1))
    return table, came - ibis.coalesce(gone, 0)


def _ordered_ways(rule: Correlation, items: ir.Table, windows: Windows) -> ir.Table:
    """The bases in the order of a way: the latest time at which a chain of them that is complete by now can have begun
    is a running maximum a step, over the items that come before.
    """
    table = items.mutate(never=ibis.null("int64"), place=windows.places(items))
    for index in sorted({index for way in rule.ways for index in way.without}):
        table = table.mutate(**{f"seen_{index}": _seen(table, index, windows)})
    for number, way in enumerate(rule.ways):
        table = _chain(table, windows, way.bases, f"begun_{number}")
    conditions = []
    for number, way in enumerate(rule.ways):
        in_time = [table[TIME] - table[f"begun_{number}"] <= windows.span] if way.bases else []
        conditions.append(_holds(way, in_time, {index: table[f"seen_{index}"] == 1 for index in way.without}))
    return table.mutate(hit=_any(conditions))


def _ordered_count(rule: Correlation, items: ir.Table, windows: Windows) -> ir.Table:
    """How many of the bases occur in their order: the longest chain that leaves some out."""
    table = items.mutate(never=ibis.null("int64"), place=windows.places(items))
    count = len(rule.bases)
    for length in range(1, count + 1):
        ends = range(length - 1, count)
        for index in ends:
            start = table[TIME]
            if length > 1:
                shorter = [table[f"chain_{length - 1}_{before}"] for before in range(length - 2, index)]
                table = table.mutate(shorter=_latest(shorter))
                table = table.mutate(until=table["shorter"].max().over(windows.before(table)))
                start = table["until"]
            table = table.mutate(
                **{f"chain_{length}_{index}": ibis.ifelse(table[f"rule_{index}"], start, table["never"])}
            )
        table = table.mutate(latest=_latest([table[f"chain_{length}_{index}"] for index in ends]))
        table = table.mutate(**{f"begun_{length}": table["latest"].max().over(windows.upto(table))})
    begun = [table[f"begun_{length}"] for length in range(1, count + 1)]
    within = [(table[TIME] - start <= windows.span).fill_null(False) for start in begun]
    return table.mutate(hit=_within(rule, _sum(flag.cast("int64") for flag in within)))


def _chain(table: ir.Table, windows: Windows, bases: Sequence[int], begun: str) -> ir.Table:
    """With column `begun`: when, at the latest, did a chain of these bases begin that is complete by an item's time?"""
    for step, index in enumerate(bases):
        if step == 0:
            start = table[TIME]
        else:
            table = table.mutate(until=table["at"].max().over(windows.before(table)))
            start = table["until"]
        table = table.mutate(at=ibis.ifelse(table[f"rule_{index}"], start, table["never"]))
    return table.mutate(**{begun: table["at"].max().over(windows.upto(table))}) if bases else table


def _seen(items: ir.Table, base: int, windows: Windows) -> ir.IntegerValue:
    """1 where a window has an item of this base, else 0."""
    return items[f"rule_{base}"].cast("int64").max().over(windows.back(items))


def _holds(
    way: Together, conditions: Sequence[ir.BooleanValue], present: Mapping[int, ir.BooleanValue] | Sequence[Any]
) -> ir.BooleanValue:
    return functools.reduce(
        operator.and_, [*conditions, *(~present[index] for index in way.without)], ibis.literal(True)
    )


def _within(rule: Correlation, measure: ir.NumericValue) -> ir.BooleanValue:
    return functools.reduce(operator.and_, [COMPARE[name](measure, number) for name, number in rule.bounds])


def _any(flags: Iterable[ir.BooleanValue]) -> ir.BooleanValue:
    return functools.reduce(operator.or_, [flag.fill_null(False) for flag in flags])


def _sum(numbers: Iterable[ir.IntegerValue]) -> ir.IntegerValue:
    return functools.reduce(operator.add, numbers)


def _latest(times: Sequence[ir.IntegerValue]) -> ir.IntegerValue:
    return times[0] if len(times) == 1 else ibis.greatest(*times)
