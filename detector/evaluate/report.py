"""An evaluation as JSON. Shares are 0-1; `interval` is the 95 % interval; None where there is nothing to divide by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from detector.evaluate.intervals import Share
from detector.evaluate.measure import EpisodeResult, Evaluation, GroupRate, Precision


def as_record(found: Evaluation) -> dict[str, Any]:
    """Everything that was measured, under the names of docs/evaluation.md."""
    slots = {recall.budget: recall.slots for recall in found.recall}
    return {
        "episodes": len(found.episodes),
        "episodes_not_scanned": found.not_scanned,
        "actor_weeks": found.actor_weeks,
        "actor_weeks_with_misuse": found.wrong_actor_weeks,
        "alerts": found.alerts,
        "alerts_queued": found.queued,
        "recall": [
            {
                "budget": recall.budget,
                "slots": recall.slots,
                "recall": share(recall.found),
                "recall_ten_events": share(recall.few),
                "ceiling": recall.ceiling,
                "recall_actor_weeks": share(recall.actor_week),
                "ceiling_actor_weeks": recall.actor_week_ceiling,
            }
            for recall in found.recall
        ],
        "recall_in_queue": share(found.in_queue),
        "recall_in_any_alert": share(_any(found.episodes)),
        "precision_at_100": _precision(found.precision),
        "precision_at_100_actor_weeks": _precision(found.actor_week_precision),
        "scenarios": by(found.episodes, slots, lambda episode: episode.scenario),
        "splits": by(found.episodes, slots, lambda episode: episode.split or "all"),
        "false_alerts": [
            {
                "budget": budget,
                "overall": share(found.false_overall[budget]),
                "groups": {rate.group: _group(rate) for rate in found.groups[budget]},
            }
            for budget in slots
        ],
        "episode_results": [_episode(episode) for episode in found.episodes],
    }


def share(of: Share) -> dict[str, Any]:
    return {"value": of.value, "hits": of.hits, "cases": of.cases, "interval": of.interval}


def by(
    episodes: Sequence[EpisodeResult], slots: Mapping[float, int], key: Callable[[EpisodeResult], str]
) -> dict[str, Any]:
    """Episodes found at each budget, queued and in any alert, by scenario or by split."""
    parts: dict[str, list[EpisodeResult]] = defaultdict(list)
    for episode in episodes:
        parts[key(episode)].append(episode)
    return {
        name: {
            "episodes": len(mine),
            "recall": {str(budget): share(_within(mine, limit)) for budget, limit in slots.items()},
            "queued": share(Share(sum(episode.queued for episode in mine), len(mine))),
            "any_alert": share(_any(mine)),
        }
        for name, mine in sorted(parts.items())
    }


def _within(episodes: Sequence[EpisodeResult], slots: int) -> Share:
    return Share(sum(e.place is not None and e.place <= slots for e in episodes), len(episodes))


def _any(episodes: Sequence[EpisodeResult]) -> Share:
    return Share(sum(episode.place is not None for episode in episodes), len(episodes))


def _precision(of: Precision) -> dict[str, Any]:
    return {"precision": share(of.right), "precision_ten_events": share(of.few), "ceiling": of.ceiling}


def _group(rate: GroupRate) -> dict[str, Any]:
    return {"rate": share(rate.false), "ratio": rate.ratio}


def _episode(of: EpisodeResult) -> dict[str, Any]:
    return {
        "episode_id": of.episode,
        "scenario": of.scenario,
        "split": of.split,
        "events": of.events,
        "place": of.place,
        "place_ten_events": of.place_few,
        "place_actor_weeks": of.place_actor_week,
        "queued": of.queued,
        "sources": dict(of.sources),
    }
