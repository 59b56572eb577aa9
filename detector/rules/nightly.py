"""The queries of a rule pack, written once and run every night.

To have Ibis build and translate some forty rules takes longer than running them on a small night, and many nights may
be caught up with at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from detector.features.engine import stored_rows
from detector.features.plan import Plan as Queries
from detector.features.plan import Step, bound, filled
from detector.rules.episodes import episodes_of
from detector.rules.evidence import Matches
from detector.rules.explain import named_features
from detector.rules.filters import in_force
from detector.rules.pack import Correlation, RulePack, active_rules
from detector.rules.run import Plan, evaluated, found_of, telling
from detector.rules.sources import ColumnSource
from detector.rules.windows import ROW, TIME
from detector.schema import REFERENCE_TABLES

_NAME: Final = "rules"
#: Events of one time are in the order in which the source wrote them.
_ORIGIN: Final = ("source_name", "source_file", "source_line")
_KEPT: Final = ("event_id", "actor_id", "record_id", "utc_offset_minutes", "in_night")


@dataclass(frozen=True)
class Written:
    """`columns` is what the queries read of a night's table; `episodes` names the table of each reported correlation.

    `ordered` is the table of all matches, in order of time and id.
    """

    plan: Plan
    columns: ibis.Schema
    steps: tuple[Step, ...]
    ordered: str
    episodes: tuple[tuple[Correlation, str], ...]

    @contextmanager
    def run(self, con: Any, table: ir.Table) -> Iterator[Found]:
        """What the rules found in a night's table; it is there within the block."""
        with bound(con, _NAME, {"events": table}, {"events": self.columns}), filled(con, self.steps):
            yield Found(con, self)


@dataclass(frozen=True)
class Found:
    """The matches of a night, and the episodes of each correlation as lists of row keys."""

    con: Any
    written: Written

    def matches(self) -> Matches:
        batches = stored_rows(self.con, self.written.ordered).to_batches()
        return Matches.of(batches, plan_words=self.written.plan.words)

    def episodes(self) -> Iterator[tuple[Correlation, list[int]]]:
        for rule, table in self.written.episodes:
            for rows in stored_rows(self.con, table).column("rows").to_pylist():
                yield rule, rows


@dataclass
class NightlyRules:
    """The rules of a pack for the nights of one run. What applies on a night decides which queries are its."""

    pack: RulePack
    _written: dict[tuple[Any, ...], Written | None] = field(default_factory=dict)

    def written(self, engine: str, night: date, columns: ibis.Schema) -> Written | None:
        """The queries for tables of these columns, with the filters that apply on the night; None without any rule."""
        valid, _ = in_force(self.pack, night, columns.names)
        runnable, _ = active_rules(valid, columns.names, REFERENCE_TABLES)
        applied = tuple((rule.about.key, tuple(one.filter.key for one in rule.filters)) for rule in runnable.detections)
        key = (engine, columns, applied)
        if key not in self._written:
            self._written[key] = _write(engine, runnable, columns)
        return self._written[key]


def _write(engine: str, runnable: RulePack, columns: ibis.Schema) -> Written | None:
    plan = Plan.of(runnable)
    if not plan.detections:
        return None
    features = sorted({name for rule in runnable.rules for name in named_features(rule, plan)})
    keep = [name for name in dict.fromkeys((*_KEPT, *_ORIGIN, *features)) if name in columns]
    wanted = plan.wanted("event_time")
    # Rules that look for a value anywhere look at every column; others at those they name.
    needed = columns.names if wanted.keywords else ["event_time", *keep, *wanted.names]
    read = ibis.schema({name: kind for name, kind in columns.items() if name in set(needed)})

    queries = Queries(_NAME, engine)
    numbers = itertools.count()
    events = queries.source("events", read)
    # Without correlations there is nothing to look back for.
    looked_at = events if plan.correlations else events.filter(events["in_night"])
    source = ColumnSource(looked_at, {name: name for name in read.names if name != "in_night"})

    def view(table: ir.Table) -> ir.Table:
        return queries.view(f"view_{next(numbers)}", table)

    ready = source.prepare(wanted, view)
    result = evaluated(plan, ready, wanted, view=view, time_field="event_time", keep=keep)
    found = queries.keep("matches", _numbered(telling(view(result))))
    queries.keep("ordered", _in_order(found))
    episodes = episodes_of(
        plan.correlations, found_of(plan, found), lambda table: queries.keep(f"served_{next(numbers)}", table)
    )
    told = [rule for rule in plan.correlations if rule.about.reported]
    names = [queries.keep(f"episodes_{index}", episodes.rows(rule)).get_name() for index, rule in enumerate(told)]
    return Written(plan, read, queries.steps(), f"{_NAME}_ordered", tuple(zip(told, names, strict=True)))


def _numbered(found: ir.Table) -> ir.Table:
    """By time, then as the source wrote them: any scan of the same events numbers, and so links, them alike."""
    written = [f"keep_{column}" for column in _ORIGIN if f"keep_{column}" in found.columns]
    order = ibis.window(order_by=[found[TIME], *(found[name] for name in written), found["keep_event_id"]])
    return found.mutate(**{ROW: ibis.row_number().over(order)}).drop(*written)


def _in_order(found: ir.Table) -> ir.Table:
    """All matches, in order of time, then of id, without what only correlations ask for."""
    columns: Sequence[str] = [name for name in found.columns if not name.startswith(("text_", "number_"))]
    return found.select(**{name.removeprefix("keep_"): found[name] for name in columns}).order_by(TIME, ROW)
