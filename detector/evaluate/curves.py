"""The lines of the plot."""

from __future__ import annotations

from collections.abc import Callable

from detector.evaluate.measure import EpisodeResult, Evaluation
from detector.evaluate.plot import Line


def curves(found: Evaluation) -> list[Line]:
    """Recall by alert, with ten events of evidence, and the ceiling, at every budget at which they change."""
    return [
        Line("the alerts in their order", _curve(found, lambda episode: episode.place)),
        Line("with evidence cut to ten events", _curve(found, lambda episode: episode.place_few)),
        Line("the most that any ranking could find", _ceiling(found)),
    ]


def _curve(found: Evaluation, place: Callable[[EpisodeResult], int | None]) -> list[tuple[float, float]]:
    places = sorted(at for episode in found.episodes if (at := place(episode)) is not None)
    return [(at / found.actor_weeks, number / len(found.episodes)) for number, at in enumerate(places, start=1)]


def _ceiling(found: Evaluation) -> list[tuple[float, float]]:
    return [(slots / found.actor_weeks, most / len(found.episodes)) for slots, most in enumerate(found.most_found, 1)]
