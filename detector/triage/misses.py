"""What the blind samples say of what is missed: how much misuse there is in what nobody was shown.

The share of misuse among actor-nights that were not in the queue is the weighted mean of the decided samples, each
with one over its probability of being drawn as weight (Horvitz & Thompson 1952, JASA 47, as a ratio: Hajek 1971), since
a sample of a busy night stands for more people than one of a quiet night. Its interval is Wilson's at 95 % with Kish's
effective number of samples, (sum of weights)^2 / sum of squared weights, which Franco, Little, Louis & Slud (2019,
J. Survey Statistics and Methodology 7) find to hold for small shares of weighted samples. Samples that are not decided
are taken to be like those that are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum

from detector.triage.models import Alert, SampleDraw
from detector.triage.scorecard import CONFIRMED, COUNTED, latest_verdicts, wilson


@dataclass(frozen=True)
class Misses:
    """`unflagged`: actor-nights that no alert of the queue was about, over the `nights` with a draw.

    `share` of them is estimated to be misuse, None before anything is decided; `low` and `high` bound it.
    """

    nights: int
    unflagged: int
    drawn: int
    decided: int
    confirmed: int
    share: float | None
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """`per_1000` and `missed` are the share, times 1,000 and times the unflagged actor-nights."""
        return {
            "nights": self.nights,
            "unflagged_actor_nights": self.unflagged,
            "drawn": self.drawn,
            "decided": self.decided,
            "confirmed": self.confirmed,
            "per_1000": self._times(1000),
            "missed": self._times(self.unflagged),
        }

    def _times(self, number: int) -> dict[str, float | None] | None:
        if self.share is None:
            return None
        return {
            "value": round(self.share * number, 1),
            "low": round(self.low * number, 1),
            "high": round(self.high * number, 1),
        }


def misses() -> Misses:
    """From every draw and decision so far. Needs the home's database open."""
    draws = SampleDraw.objects.filter(eligible__gt=0).aggregate(nights=Count("pk"), unflagged=Sum("eligible"))
    verdicts = latest_verdicts()
    samples = list(Alert.objects.filter(sample_probability__isnull=False).values_list("alert_id", "sample_probability"))
    decided = [(1.0 / p, verdicts[alert]) for alert, p in samples if p and verdicts.get(alert) in COUNTED]
    confirmed = [weight for weight, verdict in decided if verdict == CONFIRMED]
    weights = [weight for weight, _ in decided]
    share, low, high = None, 0.0, 1.0
    if weights:
        share = sum(confirmed) / sum(weights)
        effective = sum(weights) ** 2 / sum(weight * weight for weight in weights)
        low, high = wilson(share * effective, effective)
    return Misses(
        draws["nights"], draws["unflagged"] or 0, len(samples), len(decided), len(confirmed), share, low, high
    )
