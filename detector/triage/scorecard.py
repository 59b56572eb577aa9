"""What the reviewers' decisions say of each rule: how often it was right, how sure that is, and what to do with it.

A rule's decided alerts are those that hold a finding of it and whose latest verdict says something of the rule
(true, benign or false positive; `duplicate` and `insufficient` do not). Precision is the confirmed share of them, with
Wilson's interval at 95 % (Wilson 1927; Brown, Cai & DasGupta 2001 recommend it for few trials and shares near 0).

The thresholds are the project's own, from what a reviewer can do, about five alerts a day:

- retire: the interval lies below 1 in 50. Even at its best the rule costs two working weeks for one confirmed access.
- tune: not that, but the interval lies below 1 in 10: more than two working days for one.
- keep: everything else that was decided on at least LEAST_DECIDED times.
- wait: fewer decisions than that. Four alerts of five misjudged by chance are no reason to drop a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from django.db.models import Count

from detector.triage.models import AlertFinding, Decision

Verdict = Literal["keep", "tune", "retire", "wait"]

LEAST_DECIDED: Final = 20
TUNE_BELOW: Final = 0.10
RETIRE_BELOW: Final = 0.02
CONFIRMED: Final = "true_positive"
#: Verdicts that say something of a rule.
COUNTED: Final = (CONFIRMED, "benign_positive", "false_positive")
#: Two-sided 95 % point of the normal distribution.
_Z: Final = 1.959963984540054


@dataclass(frozen=True)
class Score:
    """One rule: alerts it spoke in, and what was decided on them. `low` and `high` bound the precision."""

    rule_id: str
    title: str
    raised: int
    confirmed: int
    benign: int
    false: int

    @property
    def decided(self) -> int:
        return self.confirmed + self.benign + self.false

    @property
    def precision(self) -> float | None:
        return self.confirmed / self.decided if self.decided else None

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.confirmed, self.decided)

    @property
    def verdict(self) -> Verdict:
        if self.decided < LEAST_DECIDED:
            return "wait"
        high = self.interval[1]
        return "retire" if high < RETIRE_BELOW else "tune" if high < TUNE_BELOW else "keep"

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "rule_id": self.rule_id,
            "title": self.title,
            "raised": self.raised,
            "decided": self.decided,
            "confirmed": self.confirmed,
            "benign": self.benign,
            "false": self.false,
            "precision": self.precision,
            "precision_low": low,
            "precision_high": high,
            "verdict": self.verdict,
        }


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """Wilson's score interval at 95 % for a share; 0 to 1 where nothing was tried."""
    if not trials:
        return 0.0, 1.0
    share, z2 = hits / trials, _Z * _Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z / (1 + z2 / trials) * (share * (1 - share) / trials + z2 / (4 * trials * trials)) ** 0.5
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return low, 1.0 if hits == trials else min(1.0, middle + half)


def scores() -> tuple[Score, ...]:
    """Every rule that has spoken in an alert, loudest first. Needs the home's database open."""
    # A blind sample's verdict is about whoever was drawn, not about a rule.
    findings = AlertFinding.objects.filter(detector="rule", superseded_at=None, alert__sample_probability=None)
    decided: dict[str, dict[str, int]] = {}
    latest = latest_verdicts()
    pairs = findings.filter(alert__decisions__isnull=False).values_list("rule_id", "alert_id").distinct()
    for rule_id, alert_id in pairs:
        verdict = latest.get(alert_id, "")
        counts = decided.setdefault(rule_id, {})
        counts[verdict] = counts.get(verdict, 0) + 1
    spoken = findings.values("rule_id").annotate(raised=Count("alert", distinct=True)).order_by()
    titles = dict(findings.order_by("night").values_list("rule_id", "title"))
    rows = [
        Score(
            row["rule_id"],
            titles[row["rule_id"]],
            row["raised"],
            *(decided.get(row["rule_id"], {}).get(verdict, 0) for verdict in COUNTED),
        )
        for row in spoken
    ]
    return tuple(sorted(rows, key=lambda score: (-score.raised, score.rule_id)))


def latest_verdicts() -> dict[str, str]:
    """Alert -> its latest verdict; an alert may be decided again after `insufficient`."""
    return dict(Decision.objects.order_by("sequence").values_list("alert_id", "verdict"))
