"""The figures. Each is defined in docs/evaluation.md; a figure that has a ceiling carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

from detector.evaluate.answers import Answers
from detector.evaluate.facts import ActorWeek, Facts
from detector.evaluate.intervals import Share
from detector.evaluate.ranking import (
    FEW,
    Places,
    Ranked,
    actor_weeks_in_order,
    by_actor_week,
    by_alert,
    most_found,
    sources_of,
    units,
)

#: Shares of all actor-weeks that reviewers look at.
BUDGETS: Final = (0.001, 0.005, 0.01, 0.05)
#: How many of the first alerts precision is told of.
FIRST: Final = 100


@dataclass(frozen=True)
class Recall:
    """Episodes found within a budget of `slots`. `ceiling`: what no ranking can exceed on these data."""

    budget: float
    slots: int
    found: Share
    few: Share
    actor_week: Share
    ceiling: float
    actor_week_ceiling: float


@dataclass(frozen=True)
class Precision:
    """Of the first 100, or all where there are fewer. `few`: with a labelled event among the first ten."""

    right: Share
    few: Share
    ceiling: float


@dataclass(frozen=True)
class GroupRate:
    """Actor-weeks of a group that a false alert within the budget points at. `ratio`: to the rate overall."""

    group: str
    false: Share
    ratio: float | None


@dataclass(frozen=True)
class EpisodeResult:
    """Places are counted from 1 in the whole ranking; None: no alert has an event of it as evidence."""

    episode: str
    scenario: str
    split: str
    events: int
    place: int | None
    place_few: int | None
    place_actor_week: int | None
    queued: bool
    sources: Mapping[str, int]


@dataclass(frozen=True)
class Evaluation:
    episodes: tuple[EpisodeResult, ...]
    not_scanned: int  # episodes of which no event is in the lake
    actor_weeks: int
    wrong_actor_weeks: int
    alerts: int
    queued: int
    most_found: tuple[int, ...]  # the most episodes that 1, 2, … alerts can find
    recall: tuple[Recall, ...]
    in_queue: Share
    precision: Precision
    actor_week_precision: Precision
    false_overall: Mapping[float, Share]
    groups: Mapping[float, tuple[GroupRate, ...]]


def evaluate(ranking: Sequence[Ranked], answers: Answers, facts: Facts) -> Evaluation:
    """Every figure of one scanned set of events. Episodes that were not scanned at all are counted apart."""
    seen = {episode: events for episode, events in answers.episodes.items() if events & facts.place.keys()}
    known = Answers(seen, answers.scenario, answers.group_events, answers.group_people, answers.split)
    order = actor_weeks_in_order(ranking, facts)
    places, few = by_alert(ranking, known), by_alert(ranking, known, FEW)
    weekly = by_actor_week(order, known, facts)
    actors, weeks = units(known, facts)
    queued = by_alert([alert for alert in ranking if alert.queued], known)
    most, most_weekly = (most_found(each.values(), len(seen)) for each in (actors, weeks))
    recall = []
    for budget in BUDGETS:
        slots = max(1, floor(budget * len(facts.actor_weeks)))
        ceiling, weekly_ceiling = (_at(bound, slots) / max(len(seen), 1) for bound in (most, most_weekly))
        recall.append(
            Recall(
                budget, slots, _found(places, seen, slots), _found(few, seen, slots), _found(weekly, seen, slots),
                ceiling, weekly_ceiling,
            )
        )  # fmt: skip
    right = [bool(known.labelled & set(alert.events)) for alert in ranking]
    right_few = [bool(known.labelled & set(alert.events[:FEW])) for alert in ranking]
    right_week = [pair in weeks for pair in order]
    overall, groups = _false_alerts(ranking, right, facts, frozenset(weeks))
    return Evaluation(
        episodes=_episodes(known, places, few, weekly, queued, sources_of(ranking, known)),
        not_scanned=len(answers.episodes) - len(seen),
        actor_weeks=len(facts.actor_weeks),
        wrong_actor_weeks=len(weeks),
        alerts=len(ranking),
        queued=sum(alert.queued for alert in ranking),
        most_found=tuple(most),
        recall=tuple(recall),
        in_queue=Share(len(queued), len(seen)),
        precision=_precision(right, right_few, sum(right)),
        actor_week_precision=_precision(right_week, right_week, len(weeks)),
        false_overall=overall,
        groups=groups,
    )


def _at(bounds: Sequence[int], slots: int) -> int:
    return bounds[min(slots, len(bounds)) - 1] if bounds else 0


def _found(places: Places, episodes: Mapping[str, frozenset[str]], slots: int) -> Share:
    return Share(sum(places.get(episode, slots + 1) <= slots for episode in episodes), len(episodes))


def _precision(right: Sequence[bool], few: Sequence[bool], most: int) -> Precision:
    first = min(FIRST, len(right))
    ceiling = min(1.0, most / first) if first else 0.0
    return Precision(Share(sum(right[:first]), first), Share(sum(few[:first]), first), ceiling)


def _episodes(
    answers: Answers, places: Places, few: Places, weekly: Places, queued: Places,
    sources: Mapping[str, Mapping[str, int]],
) -> tuple[EpisodeResult, ...]:  # fmt: skip
    return tuple(
        EpisodeResult(
            episode=episode,
            scenario=answers.scenario[episode],
            split=answers.split.get(answers.scenario[episode], ""),
            events=len(events),
            place=places.get(episode),
            place_few=few.get(episode),
            place_actor_week=weekly.get(episode),
            queued=episode in queued,
            sources=dict(sources.get(episode, {})),
        )
        for episode, events in sorted(answers.episodes.items())
    )


def _false_alerts(
    ranking: Sequence[Ranked], right: Sequence[bool], facts: Facts, wrong: frozenset[ActorWeek]
) -> tuple[dict[float, Share], dict[float, tuple[GroupRate, ...]]]:
    """At each budget: actor-weeks without misuse that an alert without a labelled event points at."""
    clean = facts.actor_weeks - wrong
    overall: dict[float, Share] = {}
    groups: dict[float, tuple[GroupRate, ...]] = {}
    for budget in BUDGETS:
        slots = max(1, floor(budget * len(facts.actor_weeks)))
        false = [alert for alert, ok in zip(ranking[:slots], right[:slots], strict=True) if not ok]
        pointed = _pointed(false, facts) & clean
        overall[budget] = Share(len(pointed), len(clean))
        rates = []
        for group, pairs in facts.groups.items():
            mine = pairs & clean
            of_events = facts.grouped.get(group)
            hit = pointed if of_events is None else _pointed(false, facts, of_events)
            false_here = Share(len(hit & mine), len(mine))
            rates.append(GroupRate(group, false_here, _ratio(false_here, overall[budget])))
        groups[budget] = tuple(rates)
    return overall, groups


def _pointed(alerts: Sequence[Ranked], facts: Facts, only: frozenset[str] | None = None) -> set[ActorWeek]:
    """Actor-weeks of the alerts' evidence (`only`: of these events)."""
    return {
        facts.place[event]
        for alert in alerts
        for event in alert.events
        if event in facts.place and (only is None or event in only)
    }


def _ratio(share: Share, overall: Share) -> float | None:
    if not share.cases or not overall.hits:
        return None
    return (share.hits / share.cases) / (overall.hits / overall.cases)
