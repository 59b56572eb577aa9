"""From matches to findings: one a rule and actor for a night, one an episode and actor for a correlation.

A detection looks at the night's own events. A correlation also looks at the events of earlier days that the table
has, and counts only if one of its events is of this night.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.engine import batches, drop
from detector.records import Finding
from detector.rules.correlation import ROW, TIME, episodes
from detector.rules.explain import explanation, named_features, usual
from detector.rules.pack import Correlation, Detection, RulePack, active_rules
from detector.rules.run import WORD, Plan, correlation_input, matched
from detector.rules.sources import ColumnSource
from detector.schema import REFERENCE_TABLES

#: Event ids kept in one finding; the explanation says how many there were.
MOST_EVENTS = 200
#: 0-100: what a level is worth beside the forest's score.
STRENGTH = {"informational": 10.0, "low": 30.0, "medium": 55.0, "high": 80.0, "critical": 95.0}
_KEPT = ("event_id", "actor_id", "record_id", "utc_offset_minutes", "in_night")


def rule_findings(con: Backend, pack: RulePack, night: date, table: ir.Table) -> list[Finding]:
    """The findings of all rules that the table's columns allow, in order of rule and actor.

    `table`: EVENT_SCHEMA columns, a column a feature, and boolean `in_night`; False marks look-back events.
    """
    runnable, _ = active_rules(pack, table.columns, REFERENCE_TABLES)
    plan = Plan.of(runnable)
    if not plan.detections:
        return []
    features = sorted({name for rule in runnable.rules for name in named_features(rule, plan)} & set(table.columns))
    name = f"numbered_{uuid.uuid4().hex}"
    try:
        # numbered once, in a table of its own: a row number over a view would be drawn anew by every query
        events = con.create_table(name, _with_lookback(plan, table).mutate(_row=ibis.row_number()), temp=True)
        source = ColumnSource.of(events)
        keep = [column for column in (*_KEPT, *features) if column in events.columns]
        with matched(con, plan, source, row="_row", time_field="event_time", keep=keep) as found:
            return list(_findings(con, plan, night, found))
    finally:
        drop(con, "TABLE", name)


def _with_lookback(plan: Plan, table: ir.Table) -> ir.Table:
    """Without correlations there is nothing to look back for."""
    return table if plan.correlations else table.filter(table["in_night"])


def _findings(con: Backend, plan: Plan, night: date, found: ir.Table) -> Iterator[Finding]:
    name = f"matches_{uuid.uuid4().hex}"
    stored = con.create_table(name, found, temp=True)
    try:
        frame = _frame(con, stored)
        if frame.empty:
            return
        for index, rule in enumerate(plan.detections):
            if rule.about.reported:
                word, bit = divmod(index, WORD)
                hit = (frame[f"hits_{word}"].to_numpy() & (1 << bit) != 0) & frame["in_night"].to_numpy()
                yield from _by_actor(rule, plan, night, frame[hit])
        for correlation in plan.correlations:
            for rows in _episode_rows(con, plan, correlation, stored):
                yield from _of_episode(correlation, plan, night, frame.loc[rows])
    finally:
        drop(con, "TABLE", name)


def _frame(con: Backend, stored: ir.Table) -> pd.DataFrame:
    """The matches, by row number, with `keep_` taken off their columns."""
    columns = {
        column.removeprefix("keep_"): stored[column] for column in stored.columns if not column.startswith("text_")
    }
    reader = list(batches(con, stored.select(**columns)))
    if not reader:
        return pd.DataFrame()
    frame: pd.DataFrame = pa.Table.from_batches(reader).to_pandas().set_index(ROW)
    offset = frame["utc_offset_minutes"].fillna(0) if "utc_offset_minutes" in frame else 0
    frame["moment"] = pd.to_datetime(frame[TIME], unit="us", utc=True)
    frame["local"] = frame["moment"] + pd.to_timedelta(np.broadcast_to(offset, len(frame)), unit="m")
    frame["in_night"] = frame["in_night"].fillna(False).astype(bool)
    return frame


def _episode_rows(con: Backend, plan: Plan, rule: Correlation, stored: ir.Table) -> list[list[int]]:
    table = episodes(rule, correlation_input(plan, rule, stored)).order_by("first_time", "first_row").select("rows")
    return [rows for batch in batches(con, table) for rows in batch.column("rows").to_pylist()]


def _by_actor(rule: Detection | Correlation, plan: Plan, night: date, hits: pd.DataFrame) -> Iterator[Finding]:
    for actor, events in hits.groupby("actor_id", sort=True):
        yield _finding(rule, plan, night, str(actor), events, everybody=events)


def _of_episode(rule: Correlation, plan: Plan, night: date, events: pd.DataFrame) -> Iterator[Finding]:
    """An alert is about one person: an episode of several people is a finding about each of this night."""
    tonight = set(events.loc[events["in_night"], "actor_id"])
    for actor in sorted(tonight):
        yield _finding(rule, plan, night, actor, events[events["actor_id"] == actor], everybody=events)


def _finding(
    rule: Detection | Correlation, plan: Plan, night: date, actor: str, events: pd.DataFrame, *, everybody: pd.DataFrame
) -> Finding:
    ordered = events.sort_values([TIME, "event_id"], kind="stable")
    moments: Sequence[Any] = ordered["moment"].tolist()
    ids = ordered["event_id"].tolist()
    sentences = usual(named_features(rule, plan), ordered)
    return Finding(
        detector="rule",
        rule_id=rule.about.rule_id,
        title=rule.about.title,
        level=rule.about.level,
        theme=rule.about.theme,
        actor_id=actor,
        night=night,
        first_event_time=moments[0].to_pydatetime(),
        last_event_time=moments[-1].to_pydatetime(),
        event_ids=tuple(ids[:MOST_EVENTS]),
        explanation=explanation(rule, ordered, everybody, sentences, most=MOST_EVENTS),
        strength=STRENGTH[rule.about.level],
        usual=sentences,
    )
