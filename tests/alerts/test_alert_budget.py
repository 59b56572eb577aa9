from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from made_findings import NIGHT

from detector.alerts.budget import Contender, deal
from detector.schema import LEVELS

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
YESTERDAY = NIGHT - timedelta(1)


def contender(
    alert_id: str,
    score: float,
    *,
    level: str = "medium",
    minute: int = 0,
    queued_on: date | None = None,
    decided: bool = False,
) -> Contender:
    return Contender(alert_id, score, level, START + timedelta(minutes=minute), queued_on, decided)


def test_order_is_score_then_level_then_age_then_id() -> None:
    alerts = [
        contender("d", 50, minute=5),
        contender("b", 50),
        contender("c", 50, minute=5),
        contender("high", 50, level="high", minute=9),
        contender("best", 80, level="low"),
    ]
    places = deal(alerts, night=NIGHT, slots=2)
    assert sorted(places, key=lambda key: places[key].rank) == ["best", "high", "b", "c", "d"]
    assert [key for key, place in places.items() if place.queued_on == NIGHT] == ["best", "high"]


def test_an_alert_in_the_queue_uses_no_slot() -> None:
    places = deal(
        [contender("old", 90, queued_on=YESTERDAY), contender("new", 50), contender("below", 40)], night=NIGHT, slots=1
    )
    assert {key: place.queued_on for key, place in places.items()} == {"old": YESTERDAY, "new": NIGHT, "below": None}
    assert {key: place.rank for key, place in places.items()} == {"old": 1, "new": 2, "below": 3}


def test_an_alert_left_below_on_another_night_may_come_up() -> None:
    assert deal([contender("once_below", 70)], night=NIGHT, slots=1)["once_below"].queued_on == NIGHT


def test_dealt_again_a_strong_late_one_comes_in_and_nobody_is_thrown_out() -> None:
    places = deal(
        [contender("seen", 60, queued_on=NIGHT), contender("late", 80), contender("below", 50)], night=NIGHT, slots=1
    )
    assert {key for key, place in places.items() if place.queued_on} == {"seen", "late"}


def test_dealt_again_nobody_moves_up_into_slots_that_are_used() -> None:
    places = deal([contender("seen", 60, queued_on=NIGHT, decided=True), contender("below", 50)], night=NIGHT, slots=1)
    assert places["below"].queued_on is None


def test_no_slots_no_queue() -> None:
    assert deal([contender("a", 99)], night=NIGHT, slots=0)["a"].queued_on is None


alerts = st.lists(
    st.builds(
        contender,
        st.text("abcdef", min_size=1, max_size=3),
        st.floats(0, 100),
        level=st.sampled_from(LEVELS),
        minute=st.integers(0, 3),
        queued_on=st.sampled_from([None, YESTERDAY]),
        decided=st.booleans(),
    ),
    unique_by=lambda item: item.alert_id,
    max_size=20,
)


@given(alerts, st.integers(0, 5))
def test_never_more_than_the_slots_and_always_the_best(items: list[Contender], slots: int) -> None:
    places = deal(items, night=NIGHT, slots=slots)
    assert sorted(place.rank for place in places.values()) == list(range(1, len(items) + 1))
    open_ones = [item for item in items if item.queued_on is None and not item.decided]
    chosen = [item for item in open_ones if places[item.alert_id].queued_on == NIGHT]
    assert len(chosen) == min(slots, len(open_ones))
    left = [item for item in open_ones if item not in chosen]
    assert all(places[c.alert_id].rank < places[other.alert_id].rank for c in chosen for other in left)
    again = [
        Contender(i.alert_id, i.score, i.level, i.first_event_time, places[i.alert_id].queued_on, i.decided)
        for i in items
    ]
    assert deal(again, night=NIGHT, slots=slots) == places
