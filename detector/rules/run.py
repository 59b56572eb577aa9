"""All rules over one table in one pass. A rule more costs its expression, not a query.

The pass gives, for every event that any rule matches, its row key and one bit a rule. Correlations then work on the
matches of their base rules alone, which the same pass has put aside. Thousands of rules take a few passes, for the
engine keeps a column of memory for every expression and thread.
"""

from __future__ import annotations

import operator
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.engine import SPARK, arrow, batches, drop
from detector.rules.compile import balanced, condition_boolean
from detector.rules.episodes import Found, episodes_of
from detector.rules.fields import Part, Prepared, Wanted, project
from detector.rules.pack import Correlation, Detection, RulePack
from detector.rules.sources import ColumnSource, Source, View
from detector.rules.windows import ROW, TIME

#: Rules in one 64-bit word of the result; the sign bit is left alone.
WORD = 62
#: Words evaluated in one pass. The 3,755 detections of the public rule set at once need more than 1.5 GB.
PASS = 8
#: Column that marks rows that are no events.
BROKEN = "broken"
#: Column that marks rows with a list where none was known.
SURPRISE = "surprise"
#: Matches handed on at once.
LOT = 100_000
#: Rows looked at for lists beforehand. A list that only comes later costs a second pass.
LOOKED_AT = 1_000


@dataclass(frozen=True)
class Hit:
    """One match: a row key for a detection; for a correlation the keys of one episode, in order of time."""

    rule: Detection | Correlation
    rows: tuple[Any, ...]


@dataclass(frozen=True)
class Hits:
    """Matches one after the other, `LOT` at most: of each its rule, as a place among `rules`, and what it matched.

    What a detection matched is a row key; a correlation, a list of them. Millions of matches go through Python: as
    lists they take a quarter of the time that an object each would.
    """

    rules: Sequence[Detection | Correlation]
    which: list[int]
    matched: list[Any]


@dataclass(frozen=True)
class Plan:
    """What one pass works out."""

    detections: tuple[Detection, ...]
    correlations: tuple[Correlation, ...]

    @classmethod
    def of(cls, pack: RulePack) -> Plan:
        based_on = {key for rule in pack.correlations for key in rule.rules}
        needed = tuple(rule for rule in pack.detections if rule.about.reported or rule.about.key in based_on)
        return cls(needed, pack.correlations)

    def wanted(self, time_field: str | None) -> Wanted:
        parts: dict[str, frozenset[Part]] = defaultdict(frozenset)
        for detection in self.detections:
            for name, needed in detection.parts.items():
                parts[name] |= needed
        for name in self.texts:
            parts[name] |= {"text"}
        for name in self.numbers:
            parts[name] |= {"number"}
        if time_field:
            parts[time_field] |= {"moment"}
        return Wanted(dict(parts), keywords=any(rule.keywords for rule in self.detections))

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Fields that correlations need as they are written, and the columns they are put in."""
        # numbered: to the engine, columns whose names differ in case alone are one
        names = sorted({name for rule in self.correlations for name in rule.texts})
        return {name: f"text_{index}" for index, name in enumerate(names)}

    @cached_property
    def numbers(self) -> Mapping[str, str]:
        """Fields that correlations reckon with, and the columns they are put in."""
        names = sorted({name for rule in self.correlations for name in rule.numbers})
        return {name: f"number_{index}" for index, name in enumerate(names)}

    @property
    def passes(self) -> list[Plan]:
        """The same in parts of `PASS` words; what correlations need comes with the first."""
        size = PASS * WORD
        parts = [self.detections[at : at + size] for at in range(0, len(self.detections), size)]
        return [Plan(part, () if index else self.correlations) for index, part in enumerate(parts)]

    @property
    def words(self) -> list[str]:
        return [f"hits_{index}" for index in range((len(self.detections) + WORD - 1) // WORD)]

    @cached_property
    def masks(self) -> Mapping[str, int]:
        """For each word the bits of the rules that are reported themselves."""
        masks = dict.fromkeys(self.words, 0)
        for index, rule in enumerate(self.detections):
            if rule.about.reported:
                masks[f"hits_{index // WORD}"] |= 1 << index % WORD
        return masks

    def below(self, rule: Correlation) -> list[Detection]:
        """The detections that a correlation stands on in the end."""
        correlations = {item.about.key: item for item in self.correlations}
        keys, todo = set(rule.rules), list(rule.rules)
        while todo:
            more = set(correlations[key].rules) - keys if (key := todo.pop()) in correlations else set()
            keys |= more
            todo += more
        return [item for item in self.detections if item.about.key in keys]

    @cached_property
    def bits(self) -> Mapping[str, tuple[int, int]]:
        """Detection key -> its word and bit."""
        return {rule.about.key: divmod(index, WORD) for index, rule in enumerate(self.detections)}


@dataclass
class Notice:
    """What a run could not look at: rows that are no events, and how many matches have no time to order them by."""

    broken: list[Any] = field(default_factory=list)
    untimed: int = 0

    def see(self, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        broken = batch.column(BROKEN) if BROKEN in names and batch.column(BROKEN).true_count else None
        if broken is not None:
            self.broken += batch.column(ROW).filter(broken).to_pylist()
        if TIME in names:
            times = batch.column(TIME)
            self.untimed += times.null_count - (0 if broken is None else times.filter(broken).null_count)


@contextmanager
def matched(
    con: Backend,
    plan: Plan,
    source: Source,
    *,
    row: str,
    time_field: str | None,
    stored: bool = False,
) -> Iterator[ir.Table]:
    """The events that any rule matches, computed when read unless `stored`; what it stands on is dropped on leaving.

    Columns: `row` (from the column so named), `time` (microseconds, where a field is named), one word of bits for each
    62 rules, the columns of the plan's `texts` and `numbers`.
    """
    with _aside(con) as aside:
        first, *others = plan.passes
        result = _evaluate(con, aside, first, source, row=row, time_field=time_field)
        if others and source.numbered:
            result = aside.store(result)
        for index, part in enumerate(others, start=1):
            more = aside.store(telling(_evaluate(con, aside, part, source, row=row, time_field=None)))
            result = _joined(result, more, {name: f"hits_{index * PASS + at}" for at, name in enumerate(part.words)})
        if others or (stored and source.numbered):
            result = aside.store(telling(result).order_by(ROW) if others else telling(result))
        elif source.numbered:
            result = aside.view(result)
        yield telling(result)


def _evaluate(con: Backend, aside: _Aside, plan: Plan, source: Source, *, row: str, time_field: str | None) -> ir.Table:
    """The outcome of one pass for every event, computed when read where the source is numbered, else stored."""
    wanted = plan.wanted(time_field)

    def outcome(source: Source) -> ir.Table:
        ready = source.prepare(wanted, aside.view)
        return evaluated(plan, ready, wanted, view=aside.view, row=row, time_field=time_field)

    if source.numbered:
        return outcome(source)
    # The engine numbers a stored table's rows as it goes, on all threads; a row_number() would take one thread.
    # What is stored is the outcome: a few numbers a row, however wide the events are.
    source = source.looked_at(con, wanted, rows=LOOKED_AT)
    result = aside.store(outcome(source))
    if _surprised(con, result):
        result = aside.store(outcome(source.looked_at(con, wanted)))
    return result.mutate(**{ROW: result.rowid()})


def _joined(result: ir.Table, more: ir.Table, words: Mapping[str, str]) -> ir.Table:
    """The outcome with the words of another pass, under new names."""
    more = more.select(ROW, **{new: more[old] for old, new in words.items()})
    both = result.left_join(more, ROW)
    return both.select(*result.columns, **{name: both[name].fill_null(0) for name in words.values()})


@dataclass
class _Aside:
    """Tables and views of one run, under names of their own."""

    con: Backend
    made: list[tuple[Literal["TABLE", "VIEW"], str]] = field(default_factory=list)

    def view(self, table: ir.Table) -> ir.Table:
        # A view keeps the engine's projections apart, so that what many rules use is worked out once.
        self.made.append(("VIEW", f"rules_{uuid.uuid4().hex}"))
        return self.con.create_view(self.made[-1][1], table)

    def store(self, table: ir.Table) -> ir.Table:
        self.made.append(("TABLE", f"events_{uuid.uuid4().hex}"))
        return self.con.create_table(self.made[-1][1], table, temp=True)


@contextmanager
def _aside(con: Backend) -> Iterator[_Aside]:
    """What was put aside is dropped on leaving."""
    aside = _Aside(con)
    try:
        yield aside
    finally:
        for kind, name in reversed(aside.made):
            drop(con, kind, name)


def evaluated(
    plan: Plan,
    ready: Prepared,
    wanted: Wanted,
    *,
    view: View,
    row: str = "",
    time_field: str | None,
    keep: Sequence[str] = (),
) -> ir.Table:
    """Every event's outcome: see `matched`, without `row` where the table has no such column.

    `keep_NAME` are the columns to keep.
    """
    broken, surprise = ready.broken(), ready.surprise()
    kept: dict[str, ir.Value] = {
        **({ROW: ready.table[row]} if row in ready.table.columns else {}),
        **({} if broken is None else {BROKEN: broken}),
        **({} if surprise is None else {SURPRISE: surprise}),
        **{f"keep_{name}": ready.table[name] for name in keep},
    }
    projected = project(ready, wanted, kept)
    base = view(projected.table)
    fields = replace(projected, table=base)
    words = _words(plan, [condition_boolean(rule.trees, fields) for rule in plan.detections])
    if BROKEN in base.columns:
        words = {name: ibis.ifelse(base[BROKEN], 0, word) for name, word in words.items()}
    texts = {column: fields.view(name).text for name, column in plan.texts.items()}
    numbers = {column: _finite(fields.view(name).number) for name, column in plan.numbers.items()}
    times = {TIME: fields.view(time_field).moment} if time_field else {}
    others = [name for name in base.columns if name in kept]
    return base.select(*others, **times, **words, **texts, **numbers)


def _surprised(con: Backend, result: ir.Table) -> bool:
    """Did a list turn up that was not expected?"""
    if SURPRISE not in result.columns:
        return False
    return bool(arrow(con, result.filter(result[SURPRISE]).limit(1).select(SURPRISE)).num_rows)


def telling(result: ir.Table) -> ir.Table:
    """The rows that any rule matches, and those that are no events."""
    found = [result[name] != 0 for name in result.columns if name.startswith("hits_")]
    return result.filter(balanced([*found, *([result[BROKEN]] if BROKEN in result.columns else [])], operator.or_))


def run_rules(
    con: Backend,
    pack: RulePack,
    source: Source | ir.Table,
    *,
    row: str = ROW,
    time_field: str = "event_time",
    notice: Notice | None = None,
) -> Iterator[Hit]:
    """Every match of every rule: detections in the order of the table, then correlations rule by rule.

    `row` names the column of row keys; correlations order by the field `time_field`. `notice` is told of what could
    not be looked at.
    """
    for hits in run_in_lots(con, pack, source, row=row, time_field=time_field, notice=notice):
        for index, matched in zip(hits.which, hits.matched, strict=True):
            rule = hits.rules[index]
            yield Hit(rule, tuple(matched) if isinstance(rule, Correlation) else (matched,))


def run_in_lots(
    con: Backend,
    pack: RulePack,
    source: Source | ir.Table,
    *,
    row: str = ROW,
    time_field: str = "event_time",
    notice: Notice | None = None,
) -> Iterator[Hits]:
    """The same as `run_rules`, many matches at once."""
    plan = Plan.of(pack)
    told = notice or Notice()
    if not plan.detections:
        return
    events: Source = source if not isinstance(source, ir.Table) else ColumnSource.of(source)
    timed = time_field if plan.correlations else None
    with matched(con, plan, events, row=row, time_field=timed, stored=bool(plan.correlations)) as found:
        yield from _detection_hits(con, plan, found, told)
        with _aside(con) as aside:
            episodes = episodes_of(plan.correlations, found_of(plan, found), aside.store)
            for rule in plan.correlations:
                if rule.about.reported:
                    for batch in batches(con, episodes.rows(rule)):
                        yield Hits((rule,), [0] * batch.num_rows, batch.column("rows").to_pylist())


def found_of(plan: Plan, found: ir.Table) -> Found:
    """Stored matches, as correlations want them."""
    return Found(
        found,
        lambda key: bit_set(plan, key, found),
        lambda name: found[plan.texts[name]],
        lambda name: found[plan.numbers[name]],
    )


def _finite(number: ir.NumericValue) -> ir.FloatingValue:
    wide = number.cast("float64")
    return ibis.ifelse(wide.isnan() | wide.isinf(), ibis.null("float64"), wide)


def bit_set(plan: Plan, key: str, found: ir.Table) -> ir.BooleanValue:
    """Did this detection match the row?"""
    word, bit = plan.bits[key]
    return found[f"hits_{word}"] & (1 << bit) != 0


def _words(plan: Plan, booleans: Sequence[ir.BooleanValue]) -> dict[str, ir.IntegerValue]:
    """Booleans packed into 64-bit integers: a row's result is a few numbers, however many rules there are."""
    words = {}
    for index, name in enumerate(plan.words):
        chunk = booleans[index * WORD : (index + 1) * WORD]
        bits = [ibis.ifelse(one, ibis.literal(1 << bit, "int64"), 0) for bit, one in enumerate(chunk)]
        words[name] = balanced(bits, operator.add)
    return words


def _detection_hits(con: Backend, plan: Plan, table: ir.Table, notice: Notice) -> Iterator[Hits]:
    """Row by row; of one row, in the order of the rules. Only what is reported leaves the engine."""
    telling = [table[name] & mask != 0 for name, mask in plan.masks.items()]
    telling += [table[BROKEN]] if BROKEN in table.columns else []
    telling += [table[TIME].isnull()] if TIME in table.columns else []
    columns = [name for name in (ROW, BROKEN, TIME) if name in table.columns]
    rows_told = table.filter(balanced(telling, operator.or_)).select(*columns, *plan.words)
    if con.name == SPARK:  # which gives back the parts of a table in an order of its own
        rows_told = rows_told.order_by(ROW)
    for batch in batches(con, rows_told):
        notice.see(batch)
        rows = batch.column(ROW).to_pylist()
        words: dict[str, Any] = {name: np.from_dlpack(batch.column(name)) for name in plan.words}
        positions, rules = [], []
        for index, rule in enumerate(plan.detections):
            if rule.about.reported:
                word, bit = divmod(index, WORD)
                positions.append(np.flatnonzero(words[f"hits_{word}"] & (1 << bit)))
                rules.append(np.full(len(positions[-1]), index))
        if not positions:
            continue
        at, which = np.concatenate(positions), np.concatenate(rules)
        order = np.argsort(at, kind="stable")
        for start in range(0, len(order), LOT):
            lot = order[start : start + LOT]
            yield Hits(plan.detections, which[lot].tolist(), [rows[position] for position in at[lot].tolist()])
