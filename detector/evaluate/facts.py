"""What must be known of the lake's events: who was active in which week, and where labels and evidence lie.

Reads one file of the lake at a time, and three columns of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.evaluate.answers import Answers

#: An actor in one week; weeks are counted from Monday, 5 January 1970, in UTC.
ActorWeek = tuple[str, int]
_FIRST_MONDAY = date(1970, 1, 5)


@dataclass(frozen=True)
class Facts:
    """`place`: actor and week of each labelled event and each event that is evidence; one not there was not scanned.

    `groups`: group -> the actor-weeks it was active in, and `grouped`: the evidence events that are of an event group.
    """

    actor_weeks: frozenset[ActorWeek]
    place: Mapping[str, ActorWeek]
    groups: Mapping[str, frozenset[ActorWeek]]
    grouped: Mapping[str, frozenset[str]]


def read_facts(files: Sequence[tuple[date, Path]], answers: Answers, evidence: frozenset[str]) -> Facts:
    """From the lake's event files, each with its UTC day."""
    wanted = pa.array(sorted(answers.labelled | evidence), pa.string())
    group_ids = {name: pa.array(sorted(ids), pa.string()) for name, ids in answers.group_events.items()}
    actor_weeks: set[ActorWeek] = set()
    place: dict[str, ActorWeek] = {}
    groups: dict[str, set[ActorWeek]] = {name: set() for name in (*answers.group_events, *answers.group_people)}
    for day, path in files:
        week = (day - _FIRST_MONDAY).days // 7
        table = pq.ParquetFile(path).read(columns=["event_id", "actor_id"])
        actor_weeks.update((actor, week) for actor in pc.unique(table["actor_id"]).to_pylist())
        found = table.filter(pc.is_in(table["event_id"], value_set=wanted))
        for event, actor in zip(found["event_id"].to_pylist(), found["actor_id"].to_pylist(), strict=True):
            place[event] = (actor, week)
        for name, ids in group_ids.items():
            mine = table["actor_id"].filter(pc.is_in(table["event_id"], value_set=ids))
            groups[name].update((actor, week) for actor in pc.unique(mine).to_pylist())
    for name, people in answers.group_people.items():
        groups[name].update(pair for pair in actor_weeks if pair[0] in people)
    return Facts(
        frozenset(actor_weeks),
        place,
        {name: frozenset(pairs) for name, pairs in sorted(groups.items())},
        {name: ids & evidence for name, ids in answers.group_events.items()},
    )
