"""From matches to findings: one a rule and actor for a night, one an episode and actor for a correlation.

A detection looks at the night's own events. A correlation also looks at the events of earlier days that the table
has, and counts only if one of its events is of this night.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
from ibis.backends.duckdb import Backend

from detector.records import Finding, fingerprint
from detector.rules.evidence import Evidence, Matches
from detector.rules.explain import explanation, named_features, usual
from detector.rules.nightly import Found, NightlyRules
from detector.rules.pack import Correlation, Detection
from detector.rules.run import WORD, Plan

#: Event ids kept in one finding; the explanation says how many there were.
MOST_EVENTS = 200


#: People, features -> person -> feature -> what is usual for that person and for the peers.
UsualOf = Callable[[Sequence[str], Sequence[str]], Mapping[str, Mapping[str, tuple[float | None, float | None]]]]


def rule_findings(
    con: Backend, rules: NightlyRules, night: date, table: ir.Table, usual_of: UsualOf | None = None
) -> list[Finding]:
    """The findings of all rules that the table's columns allow, in order of rule and actor.

    `table`: EVENT_SCHEMA columns, a column a feature, and boolean `in_night`; False marks look-back events. Without
    `usual_of` the sentences name values alone.
    """
    written = rules.written(con.name, night, table.schema())
    if written is None:
        return []
    with written.run(con, table) as found:
        drafts = list(_drafts(written.plan, found))
        usual_values: Mapping[str, Mapping[str, tuple[float | None, float | None]]] = {}
        if usual_of is not None:
            features = {name: None for draft in drafts for name in named_features(draft.rule, written.plan)}
            usual_values = usual_of(sorted({draft.actor for draft in drafts}), sorted(features))
        return [_finding(draft, written.plan, night, usual_values.get(draft.actor, {})) for draft in drafts]


@dataclass(frozen=True)
class _Draft:
    """What a finding is made of: the actor's events, and those of everybody in it."""

    rule: Detection | Correlation
    actor: str
    events: Evidence
    everybody: Evidence


def _drafts(plan: Plan, found: Found) -> Iterator[_Draft]:
    matches = found.matches()
    for index, rule in enumerate(plan.detections):
        if rule.about.reported:
            word, bit = divmod(index, WORD)
            hits = np.flatnonzero((matches.words[f"hits_{word}"] & (1 << bit) != 0) & matches.in_night)
            for actor, events in _by_actor(matches, hits.tolist()).items():
                yield _Draft(rule, actor, events, events)
    for correlation, rows in found.episodes():
        yield from _of_episode(correlation, matches, rows)


def _by_actor(matches: Matches, positions: list[int]) -> dict[str, Evidence]:
    """The matches of each actor, actors in order of name."""
    actors: dict[str, list[int]] = defaultdict(list)
    for position in positions:
        actors[matches.columns["actor_id"][position]].append(position)
    return {actor: Evidence(matches, actors[actor]) for actor in sorted(actors)}


def _of_episode(rule: Correlation, matches: Matches, rows: list[int]) -> Iterator[_Draft]:
    """An alert is about one person: an episode of several people is a finding about each of this night."""
    positions = sorted(matches.position[row] for row in rows)
    everybody = Evidence(matches, positions)
    for actor, events in _by_actor(matches, positions).items():
        if matches.in_night[events.positions].any():
            yield _Draft(rule, actor, events, everybody)


def _finding(draft: _Draft, plan: Plan, night: date, known: Mapping[str, tuple[float | None, float | None]]) -> Finding:
    rule, events = draft.rule, draft.events
    sentences = usual(named_features(rule, plan), events, known)
    kept = events.kept(MOST_EVENTS)
    return Finding(
        detector="rule",
        rule_id=rule.about.rule_id,
        title=rule.about.title,
        level=rule.about.level,
        theme=rule.about.theme,
        actor_id=draft.actor,
        night=night,
        first_event_time=events.moment(0),
        last_event_time=events.moment(-1),
        event_ids=tuple(kept.column("event_id")),
        explanation=explanation(rule, events, draft.everybody, sentences, most=MOST_EVENTS),
        strength=0.0,  # until it is weighed beside the night's others
        usual=sentences,
        all_events=fingerprint(events.column("event_id")) if len(kept) < len(events) else "",
    )
