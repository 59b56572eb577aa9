"""What the reviewers' decisions teach the ranking: which rules (or the forest) they confirm more often than others.

A source is credited with its share of a decided alert's weight. Its precision is the credited share that was
confirmed, with PRIOR_DECISIONS decisions at the precision of all sources together beside it, the mean of a beta prior;
its findings weigh more, or less, by the difference of the two log odds:

    shift = logit((confirmed + PRIOR * p) / (decided + PRIOR)) - logit(p)     nats, within +-MOST_SHIFT

So a few wrong decisions move nothing much: from 20 decisions on, half of the distance is gone. Besides, what reviewers
cleared about a person lately, they need not read again at once: ln(1 + n) nats less for a source that they cleared n
times for this actor, within the same bound; nothing less once anything about the actor was confirmed. What a night
learns from is decisions on alerts that ended before it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from detector.alerts.worth import nats
from detector.records import Finding
from detector.triage.models import AlertFinding
from detector.triage.scorecard import CONFIRMED, COUNTED, latest_verdicts

#: Decisions that weigh as much as the precision of all sources does.
PRIOR_DECISIONS: Final = 20.0
#: Nats that decisions move a weight at most: a factor of seven.
MOST_SHIFT: Final = 2.0
#: What was cleared longer ago is asked again.
CLEARED_DAYS: Final = 90

#: A rule's id, or the forest's name.
Source = str


@dataclass(frozen=True)
class Feedback:
    """Nats by which decisions shift the weight of a source, and how often it was cleared for an actor."""

    by_source: Mapping[Source, float] = field(default_factory=dict)
    cleared: Mapping[tuple[Source, str], int] = field(default_factory=dict)

    def shift(self, finding: Finding) -> float:
        """Nats to add to the finding's weight; 0 where nothing was decided."""
        again = math.log1p(self.cleared.get((finding.rule_id, finding.actor_id), 0))
        return max(self.by_source.get(finding.rule_id, 0.0) - again, -MOST_SHIFT)


@dataclass
class _Tally:
    confirmed: float = 0.0
    decided: float = 0.0


def feedback(night: date) -> Feedback:
    """From the latest decisions on alerts whose last night is before `night`. Needs the home's database open."""
    verdicts = {alert: verdict for alert, verdict in latest_verdicts().items() if verdict in COUNTED}
    if not verdicts:
        return Feedback()
    # A blind sample's verdict is about whoever was drawn, not about what spoke.
    rows = AlertFinding.objects.filter(
        alert__night__lt=night, alert__decisions__isnull=False, alert__sample_probability=None, superseded_at=None
    ).distinct()
    said: dict[str, list[tuple[Source, float]]] = defaultdict(list)
    cleared: dict[tuple[Source, str], set[str]] = defaultdict(set)
    confirmed_actors = set()
    since = night - timedelta(days=CLEARED_DAYS)
    columns = ("alert_id", "alert__actor_id", "alert__night", "rule_id", "strength")
    for alert, actor, last, source, strength in rows.values_list(*columns):
        if alert not in verdicts:
            continue
        said[alert].append((source, nats(strength)))
        if verdicts[alert] == CONFIRMED:
            confirmed_actors.add(actor)
        elif last >= since:
            cleared[source, actor].add(alert)
    return Feedback(
        _shifts(said, verdicts),
        {key: len(alerts) for key, alerts in cleared.items() if key[1] not in confirmed_actors},
    )


def _shifts(said: Mapping[str, list[tuple[Source, float]]], verdicts: Mapping[str, str]) -> dict[Source, float]:
    tallies: dict[Source, _Tally] = defaultdict(_Tally)
    for alert, parts in sorted(said.items()):
        whole = sum(weight for _, weight in parts)
        for source, weight in parts:
            if whole > 0:
                tallies[source].decided += weight / whole
                tallies[source].confirmed += weight / whole * (verdicts[alert] == CONFIRMED)
    # One confirmed and one cleared beside what was decided: no precision is 0 or 1.
    decided = sum(tally.decided for tally in tallies.values())
    overall = (sum(tally.confirmed for tally in tallies.values()) + 1.0) / (decided + 2.0)
    return {source: _shift(tally, overall) for source, tally in tallies.items()}


def _shift(tally: _Tally, overall: float) -> float:
    precision = (tally.confirmed + PRIOR_DECISIONS * overall) / (tally.decided + PRIOR_DECISIONS)
    return min(max(_logit(precision) - _logit(overall), -MOST_SHIFT), MOST_SHIFT)


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))
