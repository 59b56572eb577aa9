"""From matches to findings: one a rule and actor for a night, one an episode and actor for a correlation.

A detection looks at the night's own events. A correlation also looks at the events of earlier days that the table
has, and counts only if one of its events is of this night.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
from ibis.backends.duckdb import Backend

from detector.engine import batches, drop
from detector.records import Finding, fingerprint
from detector.rules.episodes import open_episodes
from detector.rules.evidence import Evidence, Matches
from detector.rules.explain import explanation, named_features, usual
from detector.rules.filters import in_force
from detector.rules.pack import Correlation, Detection, RulePack, active_rules
from detector.rules.run import WORD, Plan, found_of, matched
from detector.rules.sources import ColumnSource
from detector.rules.windows import ROW, TIME
from detector.schema import REFERENCE_TABLES

#: Event ids kept in one finding; the explanation says how many there were.
MOST_EVENTS = 200
#: 0-100: what a level is worth beside the forest's score.
STRENGTH = {"informational": 10.0, "low": 30.0, "medium": 55.0, "high": 80.0, "critical": 95.0}
#: Events of one time are in the order in which the source wrote them.
_WRITTEN = ("source_name", "source_file", "source_line")
_KEPT = ("event_id", "actor_id", "record_id", "utc_offset_minutes", "in_night")


def rule_findings(con: Backend, pack: RulePack, night: date, table: ir.Table) -> list[Finding]:
    """The findings of all rules that the table's columns allow, in order of rule and actor.

    `table`: EVENT_SCHEMA columns, a column a feature, and boolean `in_night`; False marks look-back events.
    """
    valid, _ = in_force(pack, night, table.columns)
    runnable, _ = active_rules(valid, table.columns, REFERENCE_TABLES)
    plan = Plan.of(runnable)
    if not plan.detections:
        return []
    features = sorted({name for rule in runnable.rules for name in named_features(rule, plan)} & set(table.columns))
    name = f"numbered_{uuid.uuid4().hex}"
    try:
        # numbered once, in a table of its own: a row number over a view would be drawn anew by every query
        events = con.create_table(name, _with_lookback(plan, table).mutate(_row=ibis.row_number()), temp=True)
        source = ColumnSource.of(events)
        keep = [column for column in (*_KEPT, *_WRITTEN, *features) if column in events.columns]
        with matched(con, plan, source, row="_row", time_field="event_time", keep=keep) as found:
            return list(_findings(con, plan, night, found))
    finally:
        drop(con, "TABLE", name)


def _with_lookback(plan: Plan, table: ir.Table) -> ir.Table:
    """Without correlations there is nothing to look back for."""
    return table if plan.correlations else table.filter(table["in_night"])


def _findings(con: Backend, plan: Plan, night: date, found: ir.Table) -> Iterator[Finding]:
    name = f"matches_{uuid.uuid4().hex}"
    stored = con.create_table(name, _in_order(found), temp=True)
    try:
        matches = _read(con, stored)
        for index, rule in enumerate(plan.detections):
            if rule.about.reported:
                word, bit = divmod(index, WORD)
                hits = np.flatnonzero((matches.words[f"hits_{word}"] & (1 << bit) != 0) & matches.in_night)
                for actor, events in _by_actor(matches, hits.tolist()).items():
                    yield _finding(rule, plan, night, actor, events, everybody=events)
        with open_episodes(con, plan.correlations, found_of(plan, stored)) as episodes:
            for correlation in plan.correlations:
                if correlation.about.reported:
                    for rows in list(episodes.rows(correlation)):
                        yield from _of_episode(correlation, plan, night, matches, rows)
    finally:
        drop(con, "TABLE", name)


def _in_order(found: ir.Table) -> ir.Table:
    """The matches numbered by time, then as the source wrote them: any scan of the same events numbers them alike."""
    written = [f"keep_{column}" for column in _WRITTEN if f"keep_{column}" in found.columns]
    order = ibis.window(order_by=[found[TIME], *(found[name] for name in written), found["keep_event_id"]])
    return found.mutate(**{ROW: ibis.row_number().over(order)}).drop(*written)


def _read(con: Backend, stored: ir.Table) -> Matches:
    """All matches, in order of time, then of id."""
    columns = {
        name.removeprefix("keep_"): stored[name] for name in stored.columns if not name.startswith(("text_", "number_"))
    }
    ordered = stored.select(**columns).order_by(TIME, "event_id")
    return Matches.of(list(batches(con, ordered)), plan_words=[name for name in columns if name.startswith("hits_")])


def _by_actor(matches: Matches, positions: list[int]) -> dict[str, Evidence]:
    """The matches of each actor, actors in order of name."""
    actors: dict[str, list[int]] = defaultdict(list)
    for position in positions:
        actors[matches.columns["actor_id"][position]].append(position)
    return {actor: Evidence(matches, actors[actor]) for actor in sorted(actors)}


def _of_episode(
    rule: Correlation, plan: Plan, night: date, matches: Matches, rows: tuple[int, ...]
) -> Iterator[Finding]:
    """An alert is about one person: an episode of several people is a finding about each of this night."""
    positions = sorted(matches.position[row] for row in rows)
    everybody = Evidence(matches, positions)
    for actor, events in _by_actor(matches, positions).items():
        if matches.in_night[events.positions].any():
            yield _finding(rule, plan, night, actor, events, everybody=everybody)


def _finding(
    rule: Detection | Correlation, plan: Plan, night: date, actor: str, events: Evidence, *, everybody: Evidence
) -> Finding:
    sentences = usual(named_features(rule, plan), events)
    kept = events.kept(MOST_EVENTS)
    return Finding(
        detector="rule",
        rule_id=rule.about.rule_id,
        title=rule.about.title,
        level=rule.about.level,
        theme=rule.about.theme,
        actor_id=actor,
        night=night,
        first_event_time=events.moment(0),
        last_event_time=events.moment(-1),
        event_ids=tuple(kept.column("event_id")),
        explanation=explanation(rule, events, everybody, sentences, most=MOST_EVENTS),
        strength=STRENGTH[rule.about.level],
        usual=sentences,
        all_events=fingerprint(events.column("event_id")) if len(kept) < len(events) else "",
    )
