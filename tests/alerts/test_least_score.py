"""What is too weak takes no place in the queue, however quiet the night."""

from __future__ import annotations

from datetime import UTC, date, datetime

from detector.alerts.budget import Contender, deal

NIGHT = date(2026, 3, 2)


def contender(alert_id: str, score: float, *, queued_on: date | None = None) -> Contender:
    return Contender(alert_id, score, "low", datetime(2026, 3, 2, 12, tzinfo=UTC), queued_on)


def test_below_the_least_score_there_is_no_place() -> None:
    places = deal([contender("weak", 29.9), contender("enough", 30.0)], night=NIGHT, slots=5, least_score=30)
    assert places["enough"].queued_on == NIGHT
    assert places["weak"].queued_on is None
    assert (places["enough"].rank, places["weak"].rank) == (1, 2)


def test_what_was_in_the_queue_stays_there() -> None:
    yesterday = date(2026, 3, 1)
    places = deal([contender("seen", 10, queued_on=yesterday)], night=NIGHT, slots=5, least_score=30)
    assert places["seen"].queued_on == yesterday
