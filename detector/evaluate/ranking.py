"""The alerts in their order, and at which place each episode is found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from detector.evaluate.answers import Answers
from detector.evaluate.facts import ActorWeek, Facts

#: Events that a reviewer is assumed to look at: the first ones of an alert, strongest finding first.
FEW: Final = 10


@dataclass(frozen=True)
class Ranked:
    """One alert of the ranking: all its evidence, strongest finding first."""

    alert_id: str
    actor: str
    score: float
    queued: bool
    events: tuple[str, ...]
    sources: tuple[str, ...]


#: Episode -> the place (from 1) at which it is first found; one that is not found is not there.
Places = Mapping[str, int]


def by_alert(ranking: Iterable[Ranked], answers: Answers, few: int | None = None) -> Places:
    """An episode is found by the first alert with one of its events among the (first `few`) events of evidence."""
    of = _episodes_of(answers)
    places: dict[str, int] = {}
    for place, alert in enumerate(ranking, start=1):
        for event in alert.events[:few]:
            for episode in of.get(event, ()):
                places.setdefault(episode, place)
    return places


def actor_weeks_in_order(ranking: Iterable[Ranked], facts: Facts) -> list[ActorWeek]:
    """The actor-weeks that the alerts' evidence lies in, each once, where it first occurs."""
    found: dict[ActorWeek, None] = {}
    for alert in ranking:
        for pair in sorted({facts.place[event] for event in alert.events if event in facts.place}):
            found.setdefault(pair)
    return list(found)


def by_actor_week(order: Sequence[ActorWeek], answers: Answers, facts: Facts) -> Places:
    """An episode is found by the first actor-week in which it has an event, whatever the evidence."""
    where: dict[ActorWeek, set[str]] = defaultdict(set)
    for episode, events in answers.episodes.items():
        for event in events & facts.place.keys():
            where[facts.place[event]].add(episode)
    places: dict[str, int] = {}
    for place, pair in enumerate(order, start=1):
        for episode in where.get(pair, ()):
            places.setdefault(episode, place)
    return places


def most_found(episodes_by_unit: Iterable[Iterable[str]], episodes: int) -> list[int]:
    """The most episodes that 1, 2, … slots can find where one slot shows one unit (an actor, an actor-week) only.

    An upper bound: the largest units' episodes are added up as if no two units shared one. Ends where it is all.
    """
    sizes = sorted((len(set(each)) for each in episodes_by_unit), reverse=True)
    bounds = [min(episodes, most) for most in accumulate(sizes)]
    return bounds[: bounds.index(episodes) + 1] if episodes in bounds else bounds


def units(answers: Answers, facts: Facts) -> tuple[dict[str, set[str]], dict[ActorWeek, set[str]]]:
    """Episodes by actor, and by actor-week, of the events that were scanned."""
    actors: dict[str, set[str]] = defaultdict(set)
    weeks: dict[ActorWeek, set[str]] = defaultdict(set)
    for episode, events in answers.episodes.items():
        for event in events & facts.place.keys():
            pair = facts.place[event]
            actors[pair[0]].add(episode)
            weeks[pair].add(episode)
    return actors, weeks


def sources_of(ranking: Iterable[Ranked], answers: Answers) -> Mapping[str, Counter[str]]:
    """Episode -> how many alerts with one of its events each rule (or the forest) spoke in."""
    of = _episodes_of(answers)
    spoke: dict[str, Counter[str]] = defaultdict(Counter)
    for alert in ranking:
        for episode in {episode for event in alert.events for episode in of.get(event, ())}:
            spoke[episode].update(alert.sources)
    return spoke


def _episodes_of(answers: Answers) -> Mapping[str, list[str]]:
    of: dict[str, list[str]] = defaultdict(list)
    for episode, events in answers.episodes.items():
        for event in events:
            of[event].append(episode)
    return of
