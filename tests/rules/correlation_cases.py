"""Correlation cases: what follows `correlation:`, events, and the rows of every finding. One line of reasoning each.

`a`, `b` and `c` are rules on events that have such a field; `p` is one on `a` whose events call the person `user`.
"""

# ruff: noqa: E501 - a case is read as one line

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rule_helpers import rule_text

Event = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`more` are further correlations, by name, that `body` may build on. `t` of an event is its minute."""

    name: str
    body: str
    events: Sequence[Event]
    findings: list[list[int]]
    more: tuple[tuple[str, str], ...] = ()


def e(t: float | None, what: str = "a", **fields: Any) -> Event:
    return {"t": t, **dict.fromkeys(what, 1), **fields}


def run_of(what: str, minutes: Sequence[float], **fields: Any) -> list[Event]:
    return [e(minute, what, **fields) for minute in minutes]


def values(*items: Any, key: str = "v") -> list[Event]:
    """An event a minute with these values; `...` is an event without."""
    return [e(i) if value is ... else e(i, **{key: value}) for i, value in enumerate(items)]


def count(condition: str, extra: str = "") -> str:
    return f"{{type: event_count, rules: a, timespan: 10m, condition: {condition}{extra}}}"


def measured(kind: str, condition: str, span: str = "10m") -> str:
    return f"{{type: {kind}, rules: a, timespan: {span}, condition: {condition}}}"


EVENT_COUNT = [
    Case("count gte", count("{gte: 3}"), run_of("a", [0, 1, 2]), [[0, 1, 2]]),
    Case("count gte, one short", count("{gte: 3}"), run_of("a", [0, 1]), []),
    Case("count gt", count("{gt: 2}"), run_of("a", [0, 1, 2]), [[0, 1, 2]]),
    Case("count gt, equal is not more", count("{gt: 3}"), run_of("a", [0, 1, 2]), []),
    Case("count eq: only the window that has just so many", count("{eq: 2}"), run_of("a", [0, 1, 2]), [[0, 1]]),
    Case("count neq: the windows of one and of three", count("{neq: 2}"), run_of("a", [0, 1, 2]), [[0, 1, 2]]),
    Case("count lt: the first of a burst is few", count("{lt: 2}"), run_of("a", [0, 1, 2, 30]), [[0], [3]]),
    Case("count lte", count("{lte: 2}"), run_of("a", [0, 1, 2, 30]), [[0, 1], [3]]),
    Case("all six bounds together", count("{gt: 1, gte: 2, lt: 5, lte: 4, neq: 3, eq: 4}"), run_of("a", range(4)), [[0, 1, 2, 3]]),
    Case("a range leaves out what is over it", count("{gt: 1, lte: 2}"), run_of("a", [0, 1, 2]), [[0, 1]]),
    Case("a bound with a fraction", count("{gt: 1.5}"), run_of("a", [0, 1]), [[0, 1]]),
    Case("both ends belong", count("{gte: 2}"), run_of("a", [0, 10]), [[0, 1]]),
    Case("a second more does not", count("{gte: 2}"), run_of("a", [0, 10 + 1 / 60]), []),
    Case("over an hour's boundary", count("{gte: 3}"), run_of("a", [58, 59, 61]), [[0, 1, 2]]),
    Case("over midnight", count("{gte: 2}"), run_of("a", [1439, 1441]), [[0, 1]]),
    Case("two bursts apart", count("{gte: 2}"), run_of("a", [0, 1, 100, 101]), [[0, 1], [2, 3]]),
    Case("windows that share an event are one", count("{gte: 2}"), run_of("a", [0, 9, 18, 27]), [[0, 1, 2, 3]]),
    Case("bursts that do not share one are two", count("{gte: 3}"), run_of("a", [0, 1, 2, 13, 14, 15]), [[0, 1, 2], [3, 4, 5]]),
    Case("events of one time count all", count("{gte: 3}"), run_of("a", [5, 5, 5]), [[0, 1, 2]]),
    Case("order of time, then of row", count("{gte: 3}"), run_of("a", [7, 1, 7, 1]), [[1, 3, 0, 2]]),
    Case("without a time, in no window", count("{gte: 2}"), [e(0), e(None), e(5)], [[0, 2]]),
    Case("groups apart", count("{gte: 2}", ", group-by: g"), [e(0, g=1), e(1, g=2), e(2, g=1)], [[0, 2]]),
    Case("a group is a text: 1 and '1' are one", count("{gte: 2}", ", group-by: g"), [e(0, g=1), e(1, g="1")], [[0, 1]]),
    Case("groups regard case", count("{gte: 2}", ", group-by: g"), [e(0, g="x"), e(1, g="X")], []),
    Case("an empty group is a group", count("{gte: 2}", ", group-by: g"), [e(0, g=""), e(1, g="")], [[0, 1]]),
    Case("null is no group", count("{gte: 2}", ", group-by: g"), [e(0, g=None), e(1, g=None), e(2), e(3)], []),
    Case("by two fields", count("{gte: 2}", ", group-by: [g, h]"), [e(0, g=1, h=1), e(1, g=1, h=2), e(2, g=1, h=1)], [[0, 2]]),
    Case("by two fields, one missing", count("{gte: 2}", ", group-by: [g, h]"), [e(0, g=1, h=1), e(1, g=1), e(2, g=1)], []),
    Case("fields that differ in case are two", count("{gte: 2}", ", group-by: [g, G]"), [e(0, g=1, G=1), e(1, g=1, G=2), e(2, g=1, G=1)], [[0, 2]]),
    Case("by a nested field", count("{gte: 2}", ", group-by: u.n"), [e(0, u={"n": "x"}), e(1, **{"u.n": "x"})], [[0, 1]]),
    Case("of two rules", "{type: event_count, rules: [a, b], timespan: 10m, condition: {gte: 3}}", [e(0), e(1, "b"), e(2)], [[0, 1, 2]]),
    Case("an event of both counts once", "{type: event_count, rules: [a, b], timespan: 10m, condition: {gte: 3}}", [e(0, "ab"), e(1, "ab")], []),
    Case("seconds", "{type: event_count, rules: a, timespan: 60s, condition: {gte: 2}}", run_of("a", [0, 1, 2.1]), [[0, 1]]),
    Case("hours", "{type: event_count, rules: a, timespan: 2h, condition: {gte: 2}}", run_of("a", [0, 120, 241]), [[0, 1]]),
    Case("days", "{type: event_count, rules: a, timespan: 1d, condition: {gte: 2}}", run_of("a", [0, 1440, 2881]), [[0, 1]]),
    Case("weeks", "{type: event_count, rules: a, timespan: 1w, condition: {gte: 2}}", run_of("a", [0, 10080, 20161]), [[0, 1]]),
    Case("a month is 30.436875 days", "{type: event_count, rules: a, timespan: 1M, condition: {gte: 2}}", run_of("a", [0, 43829.1, 87659]), [[0, 1]]),
    Case("a year is 365.2425 days", "{type: event_count, rules: a, timespan: 1y, condition: {gte: 2}}", run_of("a", [0, 525949.2, 1051900]), [[0, 1]]),
]  # fmt: skip

VALUE_COUNT = [
    Case("different values", measured("value_count", "{field: v, gte: 3}"), values("x", "y", "x", "z"), [[0, 1, 2, 3]]),
    Case("the same value again is none more", measured("value_count", "{field: v, gte: 3}"), values("x", "y", "x", "y"), []),
    Case("values regard case", measured("value_count", "{field: v, gte: 2}"), values("x", "X"), [[0, 1]]),
    Case("without the value, no part", measured("value_count", "{field: v, gte: 2}"), values("x", ..., None, "y"), [[0, 3]]),
    Case("an empty value is one", measured("value_count", "{field: v, gte: 2}"), values("x", ""), [[0, 1]]),
    Case("a value goes out with its last event", measured("value_count", "{field: v, gte: 2}", "2m"), values("x", "x", "x", "x", "y"), [[2, 3, 4]]),
    Case("a value that comes back", measured("value_count", "{field: v, gte: 2}", "2m"), values("x", "y", "y", "y", "x"), [[0, 1, 2, 3, 4]]),
    Case("exactly one value", measured("value_count", "{field: v, eq: 1}", "1m"), values("x", "x", "y", "y"), [[0, 1], [2, 3]]),
    Case("pairs of two fields", measured("value_count", "{field: [v, w], gte: 3}"), [e(0, v=1, w=1), e(1, v=1, w=2), e(2, v=2, w=1)], [[0, 1, 2]]),
    Case("pairs, one half missing", measured("value_count", "{field: [v, w], gte: 2}"), [e(0, v=1, w=1), e(1, v=1), e(2, w=2)], []),
    Case("grouped by what it counts", "{type: value_count, rules: a, group-by: v, timespan: 9m, condition: {field: v, gte: 2}}", values("x", "y"), []),
]  # fmt: skip

NUMBERS = [
    Case("sum gte", measured("value_sum", "{field: v, gte: 10}"), values(3, 3, 4), [[0, 1, 2]]),
    Case("sum, one short", measured("value_sum", "{field: v, gt: 10}"), values(3, 3, 4), []),
    Case("sum of numbers in texts", measured("value_sum", "{field: v, eq: 5.5}"), values("2.5", 3), [[0, 1]]),
    Case("what is no number is no part", measured("value_sum", "{field: v, gte: 5}"), values(2, "many", "", None, ..., True, 3), [[0, 6]]),
    Case("negative numbers", measured("value_sum", "{field: v, lt: 0}"), values(5, -3, -4), [[0, 1, 2]]),
    Case("sum of zero", measured("value_sum", "{field: v, eq: 0}"), values(5, -5), [[0, 1]]),
    Case("sum slides", measured("value_sum", "{field: v, gte: 8}", "1m"), values(5, 1, 5, 4, 1), [[2, 3]]),
    Case("an event of two rules is summed once", "{type: value_sum, rules: [a, b], timespan: 9m, condition: {field: v, gte: 4}}", [e(0, "ab", v=3)], []),
    Case("average", measured("value_avg", "{field: v, gte: 3}"), values(2, 4), [[0, 1]]),
    Case("average of one", measured("value_avg", "{field: v, gt: 500}"), values(501), [[0]]),
    Case("average leaves out what is no number", measured("value_avg", "{field: v, gte: 4}"), values("x", 4, ...), [[1]]),
    Case("average range", measured("value_avg", "{field: v, gt: 2, lt: 3}"), values(2, 3), [[0, 1]]),
    Case("median of three", measured("value_median", "{field: v, eq: 2}"), values(9, 1, 2), [[0, 1, 2]]),
    Case("median of two is between them", measured("value_median", "{field: v, eq: 1.5}"), values(1, 2), [[0, 1]]),
    Case("a median is not moved by one", measured("value_median", "{field: v, gte: 5}"), values(1, 1, 1000), []),
    Case("percentile 100 is the greatest", measured("value_percentile", "{field: v, percentile: 100, gte: 9}"), values(1, 9, 2), [[0, 1, 2]]),
    Case("percentile 0 is the least", measured("value_percentile", "{field: v, percentile: 0, gte: 3}"), values(3, 9, 2), [[0, 1]]),
    Case("percentile 75 between two", measured("value_percentile", "{field: v, percentile: 75, eq: 1.75}"), values(1, 2), [[0, 1]]),
    Case("percentile 95 of a long run", measured("value_percentile", "{field: v, percentile: 95, gte: 19.05}", "1h"), values(*range(1, 21)), [list(range(20))]),
    Case("percentile 50 is the median", measured("value_percentile", "{field: v, percentile: 50, eq: 2}"), values(9, 1, 2), [[0, 1, 2]]),
]  # fmt: skip

AB = "{type: temporal, rules: [a, b], timespan: 10m}"
ABC = "{type: temporal, rules: [a, b, c], timespan: 10m}"
TEMPORAL = [
    Case("all rules, in any order", AB, [e(0, "b"), e(5)], [[0, 1]]),
    Case("one is missing", ABC, [e(0), e(1, "b")], []),
    Case("too far apart", AB, [e(0), e(11, "b")], []),
    Case("one event may be of both", AB, [e(0, "ab")], [[0]]),
    Case("two of three", "{type: temporal, rules: [a, b, c], timespan: 10m, condition: {gte: 2}}", [e(0), e(1, "c")], [[0, 1]]),
    Case("just one of three", "{type: temporal, rules: [a, b, c], timespan: 10m, condition: {eq: 1}}", [e(0), e(1)], [[0, 1]]),
    Case("a rule named twice is one", "{type: temporal, rules: [a, a, b], timespan: 10m}", [e(0), e(1)], []),
    Case("in words: or", "{type: temporal, rules: [a, b], timespan: 10m, condition: a or b}", [e(0), e(30, "b")], [[0], [1]]),
    Case("in words: and, or and brackets", "{type: temporal, rules: [a, b, c], timespan: 10m, condition: a and (b or c)}", [e(0, "b"), e(1, "c"), e(30), e(31, "c")], [[2, 3]]),
    Case("in words: not", "{type: temporal, rules: [a, b], timespan: 10m, condition: a and not b}", [e(0, "b"), e(5), e(11)], [[1, 2]]),
    Case("in words, without rules", "{type: temporal, timespan: 10m, condition: a and b}", [e(0), e(1, "b")], [[0, 1]]),
]  # fmt: skip

ORDERED = "{type: temporal_ordered, rules: [a, b], timespan: 10m}"
ORDER = [
    Case("in order", ORDERED, [e(0), e(5, "b")], [[0, 1]]),
    Case("out of order", ORDERED, [e(0, "b"), e(5)], []),
    Case("in the order of time, not of the file", ORDERED, [e(5, "b"), e(0)], [[1, 0]]),
    Case("of one time, in the order of rows", ORDERED, [e(0), e(0, "b")], [[0, 1]]),
    Case("of one time, rows the other way", ORDERED, [e(0, "b"), e(0)], []),
    Case("one event is not before itself", ORDERED, [e(0, "ab")], []),
    Case("two events that are both", ORDERED, [e(0, "ab"), e(1, "ab")], [[0, 1]]),
    Case("both ends belong, in order", ORDERED, [e(0), e(10, "b")], [[0, 1]]),
    Case("too far apart, in order", ORDERED, [e(0), e(10.1, "b")], []),
    Case("over midnight, in order", ORDERED, [e(1438), e(1442, "b")], [[0, 1]]),
    Case("the latest beginning counts", ORDERED, [e(0), e(8), e(15, "b")], [[1, 2]]),
    Case("events before and between are evidence", ORDERED, [e(0, "b"), e(1), e(2), e(3, "b")], [[0, 1, 2, 3]]),
    Case("three in order", "{type: temporal_ordered, rules: [a, b, c], timespan: 10m}", [e(0), e(1, "c"), e(2, "b"), e(3, "c")], [[0, 1, 2, 3]]),
    Case("the steps share one span", "{type: temporal_ordered, rules: [a, b, c], timespan: 10m}", [e(0), e(8, "b"), e(16, "c")], []),
    Case("there and back", "{type: temporal_ordered, rules: [a, b, a], timespan: 10m}", [e(0), e(1, "b")], []),
    Case("there and back again", "{type: temporal_ordered, rules: [a, b, a], timespan: 10m}", [e(0), e(1, "b"), e(2)], [[0, 1, 2]]),
    Case("any two of three, in order", "{type: temporal_ordered, rules: [a, b, c], timespan: 10m, condition: {gte: 2}}", [e(0), e(1, "c")], [[0, 1]]),
    Case("any two of three, out of order", "{type: temporal_ordered, rules: [a, b, c], timespan: 10m, condition: {gte: 2}}", [e(0, "c"), e(1)], []),
    Case("in words, in order", "{type: temporal_ordered, rules: [a, b, c], timespan: 10m, condition: a and (b or c)}", [e(0, "c"), e(1), e(2, "c")], [[0, 1, 2]]),
    Case("in order and not", "{type: temporal_ordered, rules: [a, b, c], timespan: 10m, condition: a and b and not c}", [e(0), e(1, "c"), e(2, "b"), e(30), e(31, "b")], [[3, 4]]),
    Case("order within a group", "{type: temporal_ordered, rules: [a, b], group-by: g, timespan: 10m}", [e(0, g=1), e(1, "b", g=2), e(2, "b", g=1)], [[0, 2]]),
]  # fmt: skip

SWAP = "{type: temporal, rules: [a, b], group-by: ip, timespan: 10m, aliases: {ip: {a: src, b: dst}}}"
ALIASES = [
    Case("an alias joins two fields", SWAP, [e(0, src=1, dst=2), e(1, "b", src=2, dst=1)], [[0, 1]]),
    Case("an alias is not the other field", SWAP, [e(0, src=1, dst=2), e(1, "b", src=1, dst=2)], []),
    Case("an event of both rules stands in two groups", SWAP, [e(0, "ab", src=1, dst=2), e(1, "b", dst=1), e(2, "a", src=2)], [[0, 1], [0, 2]]),
    Case("an event of both rules in one group is one", "{type: event_count, rules: [a, b], group-by: ip, timespan: 10m, aliases: {ip: {a: src, b: dst}}, condition: {gte: 2}}", [e(0, "ab", src=1, dst=1)], []),
    Case("an alias that is the condition's field", "{type: value_count, rules: [a, b], timespan: 10m, aliases: {who: {a: user, b: name}}, condition: {field: who, gte: 2}}", [e(0, user="x"), e(1, "b", name="x"), e(2, "b", name="y")], [[0, 1, 2]]),
    Case("an alias that is summed", "{type: value_sum, rules: [a, b], timespan: 10m, aliases: {n: {a: sent, b: got}}, condition: {field: n, gte: 5}}", [e(0, sent=2, got=100), e(1, "b", got=3)], [[0, 1]]),
    Case("a rule that an alias does not name has the field itself", "{type: temporal, rules: [a, b], group-by: who, timespan: 10m, aliases: {who: {a: user}}}", [e(0, user="x"), e(1, "b", who="x")], [[0, 1]]),
    Case("an alias and a plain field", "{type: temporal, rules: [a, b], group-by: [ip, g], timespan: 10m, aliases: {ip: {a: src, b: dst}}}", [e(0, src=1, g=1), e(1, "b", dst=1, g=2), e(2, "b", dst=1, g=1)], [[0, 2]]),
    Case("an alias, missing", SWAP, [e(0, dst=1), e(1, "b", dst=1)], []),
]  # fmt: skip

BURST = ("burst", "{type: event_count, rules: a, group-by: g, timespan: 10m, condition: {gte: 3}}")
THEN = "{type: temporal_ordered, rules: [burst, b], group-by: g, timespan: 10m}"
CHAINS = [
    Case("a burst, then another event", THEN, [*run_of("a", [0, 1, 2], g=1), e(5, "b", g=1)], [[0, 1, 2, 3]], (BURST,)),
    Case("the other event first", THEN, [e(0, "b", g=1), *run_of("a", [1, 2, 3], g=1)], [], (BURST,)),
    Case("the other event within the burst is too early", THEN, [e(0, g=1), e(1, g=1), e(1.5, "b", g=1), e(2, g=1)], [], (BURST,)),
    Case("no burst, no chain", THEN, [*run_of("a", [0, 1], g=1), e(5, "b", g=1)], [], (BURST,)),
    Case("a long burst still goes on", THEN, [*run_of("a", range(30), g=1), e(35, "b", g=1)], [list(range(31))], (BURST,)),
    Case("from the last moment of the burst", THEN, [*run_of("a", [0, 1, 2], g=1), e(12, "b", g=1)], [[0, 1, 2, 3]], (BURST,)),
    Case("too long after the burst", THEN, [*run_of("a", [0, 1, 2], g=1), e(12.1, "b", g=1)], [], (BURST,)),
    Case("another group's burst", THEN, [*run_of("a", [0, 1, 2], g=1), e(5, "b", g=2)], [], (BURST,)),
    Case("bursts are counted once each", "{type: event_count, rules: burst, group-by: g, timespan: 1d, condition: {gte: 2}}", run_of("a", [*range(20), *range(100, 103)], g=1), [list(range(23))], (BURST,)),
    Case("one long burst is one", "{type: event_count, rules: burst, group-by: g, timespan: 1d, condition: {gte: 2}}", run_of("a", range(50), g=1), [], (BURST,)),
    Case("how many groups had a burst", "{type: value_count, rules: burst, timespan: 1h, condition: {field: g, gte: 2}}", [*run_of("a", [0, 1, 2], g=1), *run_of("a", [30, 31, 32], g=2), *run_of("a", [40, 41], g=3)], [[0, 1, 2, 3, 4, 5]], (BURST,)),
    Case("by a field that the burst does not group by: each of its values", "{type: temporal_ordered, rules: [burst, b], group-by: who, timespan: 10m}", [e(0, g=1, who="x"), e(1, g=1, who="y"), e(2, g=1, who="y"), e(5, "b", who="x")], [[0, 1, 2, 3]], (BURST,)),
    Case("and none that it has not", "{type: temporal_ordered, rules: [burst, b], group-by: who, timespan: 10m}", [*run_of("a", [0, 1, 2], g=1, who="x"), e(5, "b", who="z")], [], (BURST,)),
    Case("an alias for a burst's group", "{type: temporal_ordered, rules: [burst, b], group-by: who, timespan: 10m, aliases: {who: {burst: g, b: name}}}", [*run_of("a", [0, 1, 2], g="x"), e(5, "b", name="x"), e(6, "b", g="x")], [[0, 1, 2, 3]], (BURST,)),
    Case("a chain on an alias", "{type: event_count, rules: swap, group-by: ip, timespan: 1h, condition: {gte: 1}}", [e(0, src=1), e(1, "b", dst=1)], [[0, 1]], (("swap", SWAP),)),
    Case("without groups below", "{type: temporal, rules: [any, c], timespan: 10m}", [e(0), e(1), e(2, "c")], [[0, 1, 2]], (("any", "{type: event_count, rules: a, timespan: 10m, condition: {gte: 2}}"),)),
    Case("three deep", "{type: temporal, rules: [then, c], group-by: g, timespan: 10m}", [*run_of("a", [0, 1, 2], g=1), e(3, "b", g=1), e(4, "c", g=1)], [[0, 1, 2, 3, 4]], (("then", THEN), BURST)),
    Case("an event by two ways is evidence once", "{type: temporal, rules: [burst, a], group-by: g, timespan: 10m}", run_of("a", [0, 1, 2], g=1), [[0, 1, 2]], (BURST,)),
    Case("two bursts, and both are wanted", "{type: temporal, rules: [burst, other], group-by: g, timespan: 10m}", [*run_of("a", [0, 1, 2], g=1), e(3, "c", g=1), e(4, "c", g=1)], [[0, 1, 2, 3, 4]], (BURST, ("other", "{type: event_count, rules: c, group-by: g, timespan: 10m, condition: {gte: 2}}"))),
    Case("a sum over bursts takes each once", "{type: value_sum, rules: burst, timespan: 1h, condition: {field: g, gte: 7}}", [*run_of("a", range(9), g="3"), *run_of("a", [20, 21, 22], g="4")], [list(range(12))], (BURST,)),
    Case("a sum over bursts, one short", "{type: value_sum, rules: burst, timespan: 1h, condition: {field: g, gte: 8}}", [*run_of("a", range(9), g="3"), *run_of("a", [20, 21, 22], g="4")], [], (BURST,)),
    Case("what one event brings about has no order", "{type: temporal_ordered, rules: [burst, a], group-by: g, timespan: 10m}", run_of("a", [0, 1, 2], g=1), [], (BURST,)),
    Case("a burst, then one of it again", "{type: temporal_ordered, rules: [burst, a], group-by: g, timespan: 10m}", run_of("a", [0, 1, 2, 3], g=1), [[0, 1, 2, 3]], (BURST,)),
    Case("a burst and nothing else", "{type: temporal, rules: [burst, b], group-by: g, timespan: 10m, condition: burst and not b}", [*run_of("a", [0, 1, 2], g=1), e(3, "b", g=2), e(20, "b", g=2), *run_of("a", [21, 22, 23], g=2)], [[0, 1, 2]], (BURST,)),
]  # fmt: skip

CASES = [*EVENT_COUNT, *VALUE_COUNT, *NUMBERS, *TEMPORAL, *ORDER, *ALIASES, *CHAINS]

#: Cases of the same rules share them, for a rule costs more than its events: those of the second lie `APART` from those
#: of the first, further than any window reaches.
SHARED = [
    [case for case in CASES if (case.body, case.more) == rules]
    for rules in dict.fromkeys((c.body, c.more) for c in CASES)
]
APART = timedelta(days=3653)
START = datetime(2026, 3, 1, tzinfo=UTC)


def rules() -> Iterator[list[str]]:
    """The rules of each list of `SHARED`, whose bases see its own events alone."""
    for number, (case, *_) in enumerate(SHARED):
        bodies = [case.body, *(body for _, body in case.more)]
        texts = [
            rule_text(name, f"s: {{shared: {number}, {name}: 1}}\ncondition: s", f"name: {name}\n")
            for name in "abc"
            if any(re.search(rf"\b{name}\b", body) for body in bodies)
        ]
        texts += [f"title: {name}\nname: {name}\ncorrelation: {body}\n" for name, body in case.more]
        yield [*texts, f"title: {_title(number)}\ncorrelation: {case.body}\n"]


@dataclass(frozen=True)
class Row:
    """An event of the suite: number `row` of `case`."""

    case: Case
    row: int
    title: str
    event: Event


def _rows() -> Iterator[Row]:
    for number, cases in enumerate(SHARED):
        for index, case in enumerate(cases):
            for row, given in enumerate(case.events):
                event = {**given, "event_time": _time(given["t"], index), "shared": number}
                yield Row(case, row, _title(number), event)


def findings(hits: Iterable[tuple[str, Sequence[int]]]) -> dict[str, list[list[int]]]:
    """Case name -> its findings, rows numbered within the case, of titles with rows of `ROWS`."""
    found: dict[str, list[list[int]]] = {case.name: [] for case in CASES}
    for title, numbers in hits:
        rows = [ROWS[number] for number in numbers]
        (name,) = {row.case.name for row in rows}
        assert {row.title for row in rows} == {title}
        found[name].append([row.row for row in rows])
    return found


def _title(number: int) -> str:
    return f"shared {number}"


def _time(minute: float | None, index: int) -> str | None:
    if minute is None:
        return None
    return (START + index * APART + timedelta(seconds=round(minute * 60))).isoformat()


ROWS = list(_rows())
