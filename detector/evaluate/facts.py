"""What must be known of the lake's events: who was active in which week, and where labels and evidence lie.

Reads one file of the lake at a time, and two columns of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
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
    wanted = answers.labelled | evidence
    # One hash table for all files: a set built anew for each would take most of the time.
    known = pd.Index(sorted(wanted.union(*answers.group_events.values())))
    of_wanted = known.isin(wanted)
    of_group = {name: known.isin(ids) for name, ids in answers.group_events.items()}
    actor_weeks: set[ActorWeek] = set()
    place: dict[str, ActorWeek] = {}
    groups: dict[str, set[ActorWeek]] = {name: set() for name in (*answers.group_events, *answers.group_people)}
    for day, path in files:
        week = (day - _FIRST_MONDAY).days // 7
        events = pq.ParquetFile(path).read(columns=["event_id", "actor_id"]).to_pandas()
        actor_weeks.update((actor, week) for actor in events["actor_id"].unique())
        at = known.get_indexer(pd.Index(events["event_id"]))
        events, at = events[at >= 0], at[at >= 0]
        found = events[of_wanted[at]]
        place.update((event, (actor, week)) for event, actor in zip(found["event_id"], found["actor_id"], strict=True))
        for name, members in of_group.items():
            groups[name].update((actor, week) for actor in events["actor_id"][members[at]].unique())
    for name, people in answers.group_people.items():
        groups[name].update(pair for pair in actor_weeks if pair[0] in people)
    return Facts(
        frozenset(actor_weeks),
        place,
        {name: frozenset(pairs) for name, pairs in sorted(groups.items())},
        {name: ids & evidence for name, ids in answers.group_events.items()},
    )
