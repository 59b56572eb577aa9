"""The episodes of correlations over the matches of one run, correlations of correlations included.

To a correlation that builds on another, the other's episode is like an event:

- Its time is the moment at which the condition held. The temporal types see it at every such moment; the types that
  count or reckon see it once, at the first.
- Its fields are those that the base correlation groups by. For any other field it stands for each value that its events
  have there, from the moment at which the condition held with that event in it.
- Whichever moment a window takes in, the whole episode is evidence: in the end always events, each once.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from detector.rules.correlation import evidence, groups_of, rows_of
from detector.rules.fields import Raw
from detector.rules.pack import NUMERIC, Base, Correlation, in_order
from detector.rules.windows import ROW, TIME

#: What an item stands for: `member` is the row of an event where `origin` is this, else an episode of that base.
_EVENT = -1


@dataclass(frozen=True)
class Found:
    """The matches of a run: a stored table with `row` and `time`, and how to get at rules and fields by name."""

    table: ir.Table
    matched: Callable[[str], ir.BooleanValue]
    text: Callable[[str], ir.StringValue]
    number: Callable[[str], ir.NumericValue]


@dataclass(frozen=True)
class Episodes:
    """`served` are the correlations that others build on: a stored row for each event of each of their episodes."""

    found: Found
    correlations: dict[str, Correlation]
    served: dict[str, ir.Table] = field(default_factory=dict)

    def rows(self, rule: Correlation) -> ir.Table:
        """`rows` of each episode, in order of time and row; episodes by their first event."""
        events = self._events(rule, evidence(rule, self._items(rule)))
        return rows_of(groups_of(rule), events).order_by("first_time", "first_row").select("rows")

    def moments(self, rule: Correlation) -> ir.Table:
        """Every event of every episode: `episode`, the groups, `row`, and the `moment` at which the condition held with
        the event in it, with the last row of that moment.
        """
        groups = groups_of(rule)
        items = evidence(rule, self._items(rule))
        hits = items.filter(items["moment"] == items[TIME])
        last = hits.group_by([*groups, "moment"]).aggregate(moment_row=hits[ROW].max())
        events = (
            self._events(rule, items)
            .join(last, [*groups, "moment"])
            .select(*groups, "opening", "moment", "moment_row", ROW)
        )
        number = ibis.dense_rank().over(ibis.window(order_by=[events[name] for name in (*groups, "opening")]))
        return events.mutate(episode=number)

    def _items(self, rule: Correlation) -> ir.Table:
        """What the correlation's windows are filled with."""
        parts = self._event_items(rule)
        distinct = {base.key: base for base in rule.bases if base.key in self.correlations}
        parts += [self._episode_items(rule, base, number) for number, base in enumerate(distinct.values())]
        return functools.reduce(lambda one, other: one.union(other), parts)

    def _event_items(self, rule: Correlation) -> list[ir.Table]:
        """Events that match base rules: one item each, or one for each set of fields that stand for the groups."""
        table = self.found.table
        readings: dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = {}
        for base in rule.bases:
            if base.key not in self.correlations:
                readings.setdefault((base.group_by, base.values), set()).add(base.key)
        parts = []
        for (group_by, values), keys in readings.items():
            matched = functools.reduce(operator.or_, [self.found.matched(key) for key in sorted(keys)])
            value = self.found.number if rule.type in NUMERIC else self.found.text
            parts.append(
                table.filter(matched).select(
                    ROW,
                    TIME,
                    member=table[ROW],
                    origin=ibis.literal(_EVENT, "int64"),
                    **{f"group_{index}": self.found.text(name) for index, name in enumerate(group_by)},
                    **{f"value_{index}": value(name) for index, name in enumerate(values)},
                    **{
                        f"rule_{index}": self.found.matched(base.key) if base.key in keys else ibis.literal(False)
                        for index, base in enumerate(rule.bases)
                    },
                )
            )
        if len(parts) < 2:
            return parts
        # an event that two readings put into the same group is one item
        both = functools.reduce(lambda one, other: one.union(other), parts)
        flags = [name for name in both.columns if name.startswith("rule_")]
        same = [name for name in both.columns if name not in flags]
        merged = both.group_by(same).aggregate(**{name: both[name].any() for name in flags})
        return [merged.select(*parts[0].columns)]

    def _episode_items(self, rule: Correlation, base: Base, number: int) -> ir.Table:
        """Episodes of a base correlation."""
        below = self.correlations[base.key]
        table = self.served[base.key]
        if not {*base.group_by, *base.values} <= base.given:
            known = self.found.table
            table = table.join(known, table[ROW] == known[ROW], rname="event_{name}")
        reader = _Reader(self, table, below)
        columns = {f"group_{index}": reader.text(name) for index, name in enumerate(base.group_by)}
        value = reader.number if rule.type in NUMERIC else reader.text
        columns |= {f"value_{index}": value(name) for index, name in enumerate(base.values)}
        often = {"at": table["moment"]} if rule.type in ("temporal", "temporal_ordered") else {}
        picked = table.select("moment", "moment_row", member=table["episode"].cast("int64"), **columns, **often)
        once = picked.group_by(["member", *columns, *often]).aggregate(
            **{TIME: picked["moment"].min(), ROW: picked["moment_row"].argmin(picked["moment"])}
        )
        return once.select(
            ROW,
            TIME,
            "member",
            origin=ibis.literal(number, "int64"),
            **{name: once[name] for name in columns},
            **{f"rule_{index}": ibis.literal(other.key == base.key) for index, other in enumerate(rule.bases)},
        )

    def _events(self, rule: Correlation, items: ir.Table) -> ir.Table:
        """Items of evidence as events: an episode's are those of the base correlation."""
        groups = groups_of(rule)
        chained = [key for key in rule.rules if key in self.correlations]
        if not chained:
            return items
        columns = [*groups, "opening", "moment"]
        parts = [items.filter(items["origin"] == _EVENT).select(*columns, ROW)]
        for number, key in enumerate(chained):
            taken = items.filter(items["origin"] == number)
            taken = taken.group_by([*groups, "opening", "member"]).aggregate(moment=taken["moment"].min())
            below = self.served[key].select("episode", ROW)
            parts.append(taken.join(below, taken["member"] == below["episode"]).select(*columns, ROW))
        all_events = functools.reduce(lambda one, other: one.union(other), parts)
        once = all_events.group_by([*groups, "opening", ROW]).aggregate(moment=all_events["moment"].min())
        times = self.found.table.select(ROW, TIME)
        return once.join(times, ROW).select(*columns, ROW, TIME)


@dataclass(frozen=True)
class _Reader:
    """Fields of a base correlation's episodes: its own groups, else those of the events joined to them."""

    episodes: Episodes
    table: ir.Table
    below: Correlation

    def text(self, name: str) -> ir.StringValue:
        if name in self.below.group_by:
            return self.table[f"group_{self.below.group_by.index(name)}"]
        return self.table[self.episodes.found.text(name).get_name()]

    def number(self, name: str) -> ir.NumericValue:
        if name in self.below.group_by:
            return Raw("text", self.text(name), self.text(name).notnull()).part("number")
        return self.table[self.episodes.found.number(name).get_name()]


def episodes_of(correlations: Sequence[Correlation], found: Found, store: Callable[[ir.Table], ir.Table]) -> Episodes:
    """The episodes of these correlations; those that others build on are put aside by `store`."""
    episodes = Episodes(found, {rule.about.key: rule for rule in correlations})
    serving = {key for rule in correlations for key in rule.rules} & set(episodes.correlations)
    for rule in in_order(correlations):
        if rule.about.key in serving:
            episodes.served[rule.about.key] = store(episodes.moments(rule))
    return episodes
