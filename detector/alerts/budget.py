"""Which alerts of a night the reviewers get to see: ranked, and cut to the night's slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from detector.alerts.worth import level_rank


@dataclass(frozen=True)
class Contender:
    """An alert with evidence of the night. `queued_on` is the night whose slot it took, None while below the budget.

    A `sample` has a slot of its own and competes for none.
    """

    alert_id: str
    score: float
    level: str
    first_event_time: datetime
    queued_on: date | None
    decided: bool = False
    sample: bool = False


@dataclass(frozen=True)
class Place:
    """1-based rank among the night's alerts, and the night whose slot the alert has (None: below the budget)."""

    rank: int
    queued_on: date | None


def order(alert: Contender) -> tuple[float, int, float, str]:
    """Sort key: score, level, then the older alert, then the id, so that no two are ever equal."""
    return (-alert.score, -level_rank(alert.level), alert.first_event_time.timestamp(), alert.alert_id)


def deal(contenders: Iterable[Contender], *, night: date, slots: int, least_score: float = 0.0) -> Mapping[str, Place]:
    """The places of a night's alerts.

    An alert that another night put into the queue keeps its place and takes none of this night's slots. The slots go
    to the best of the others. When late evidence has a night dealt again, an alert that now belongs among the best
    comes into the queue, and one that was there stays: nothing that a reviewer may have seen disappears, and nothing
    strong stays hidden because it came late. An alert decided on while below the budget takes no slot; nor does one
    below `least_score`, so that a quiet night does not fill up with what is merely the least ordinary.
    """
    places: dict[str, Place] = {}
    free = slots
    for rank, alert in enumerate(sorted(contenders, key=order), start=1):
        queued_on = alert.queued_on
        competes = queued_on == night or (queued_on is None and not alert.decided and alert.score >= least_score)
        if competes and not alert.sample and free > 0:
            free -= 1
            queued_on = night
        places[alert.alert_id] = Place(rank, queued_on)
    return places
