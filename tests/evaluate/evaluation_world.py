"""A small ranking whose figures can be counted by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detector.evaluate.answers import Answers
from detector.evaluate.facts import ActorWeek, Facts
from detector.evaluate.ranking import Ranked


def alert(actor: str, events: Sequence[str], *, score: float = 50.0, queued: bool = False) -> Ranked:
    return Ranked(f"A-{actor}-{'-'.join(events)}", actor, score, queued, tuple(events), ("rule",))


def answers(episodes: Mapping[str, Sequence[str]], **groups: Sequence[str]) -> Answers:
    """Episodes of the scenario `stalking`; groups of events by name."""
    return Answers(
        {name: frozenset(events) for name, events in episodes.items()},
        dict.fromkeys(episodes, "stalking"),
        {name: frozenset(events) for name, events in groups.items()},
    )


def facts(
    place: Mapping[str, ActorWeek], idle: int = 0, groups: Mapping[str, Sequence[ActorWeek]] | None = None
) -> Facts:
    """Where events lie; `idle` further actor-weeks without anything; actor-weeks and events of groups."""
    weeks = frozenset(place.values()) | {(f"idle{number}", 0) for number in range(idle)}
    named = {name: frozenset(pairs) for name, pairs in (groups or {}).items()}
    return Facts(weeks, dict(place), named, {})
