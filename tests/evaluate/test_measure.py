"""The figures, counted by hand, and what must hold for any ranking."""

from __future__ import annotations

import pytest
from evaluation_world import alert, answers, facts
from hypothesis import given
from hypothesis import strategies as st

from detector.evaluate.answers import Answers
from detector.evaluate.facts import Facts
from detector.evaluate.intervals import Share
from detector.evaluate.measure import evaluate
from detector.evaluate.ranking import Ranked


def test_an_episode_counts_from_the_first_alert_that_shows_one_of_its_events() -> None:
    """1,000 actor-weeks: budgets of 1, 5, 10 and 50 slots."""
    place = {"e1": ("ann", 1), "e2": ("ann", 2), "e3": ("bob", 1), "x1": ("cid", 1), "x2": ("ann", 1)}
    ranking = [alert("cid", ["x1"], queued=True), alert("ann", ["x2"], queued=True), alert("ann", ["x2", "e2"])]
    found = evaluate(ranking, answers({"E1": ["e1", "e2"], "E2": ["e3"]}), facts(place, idle=996))
    assert (found.actor_weeks, found.wrong_actor_weeks, found.alerts, found.queued) == (1000, 3, 3, 2)
    assert [recall.slots for recall in found.recall] == [1, 5, 10, 50]
    assert [recall.found.hits for recall in found.recall] == [0, 1, 1, 1]
    assert [recall.ceiling for recall in found.recall] == [0.5, 1, 1, 1]
    # ann's week 1 comes second, with an alert that shows nothing of E1: by actor-week that is enough.
    assert [episode.place for episode in found.episodes] == [3, None]
    assert [episode.place_actor_week for episode in found.episodes] == [2, None]
    assert (found.in_queue, found.precision.right) == (Share(0, 2), Share(1, 3))
    assert found.precision.ceiling == pytest.approx(1 / 3)
    assert found.actor_week_precision.right == Share(2, 3)


def test_evidence_is_cut_to_the_first_ten_events() -> None:
    many = [f"x{number}" for number in range(10)]
    place = dict.fromkeys([*many, "e1"], ("ann", 1))
    found = evaluate([alert("ann", [*many, "e1"])], answers({"E1": ["e1"]}), facts(place))
    assert (found.recall[0].found.hits, found.recall[0].few.hits) == (1, 0)
    assert (found.precision.right.hits, found.precision.few.hits) == (1, 0)
    assert (found.episodes[0].place, found.episodes[0].place_few) == (1, None)


def test_an_episode_that_was_not_scanned_is_told_apart() -> None:
    found = evaluate([], answers({"E1": ["e1"], "E2": ["gone"]}), facts({"e1": ("ann", 1)}))
    assert (len(found.episodes), found.not_scanned) == (1, 1)
    assert found.recall[0].found == Share(0, 1)
    assert found.precision.right.value is None


def test_a_group_s_false_alerts_against_everybody_s() -> None:
    """Of 200 actor-weeks one has misuse. At 1 % (2 slots) two false alerts: one in the group of ten."""
    place = {"e1": ("ann", 1), "x1": ("desk0", 1), "x2": ("other", 1)}
    group = [(f"desk{number}", 1) for number in range(10)]
    known = facts(place, idle=188, groups={"desk": group})
    known = Facts(known.actor_weeks | set(group), known.place, known.groups, known.grouped)
    found = evaluate(
        [alert("desk0", ["x1"]), alert("other", ["x2"]), alert("ann", ["e1"])], answers({"E1": ["e1"]}), known
    )
    assert len(known.actor_weeks) == 200
    assert found.false_overall[0.01] == Share(2, 199)
    (rate,) = found.groups[0.01]
    assert (rate.group, rate.false) == ("desk", Share(1, 10))
    assert rate.ratio == pytest.approx((1 / 10) / (2 / 199))


def test_an_event_group_counts_where_its_own_events_are_the_evidence() -> None:
    place = {"e1": ("ann", 1), "x1": ("bob", 1), "x2": ("cid", 1)}
    known = Facts(
        frozenset(place.values()), place, {"live": frozenset({("bob", 1), ("cid", 1)})}, {"live": frozenset({"x1"})}
    )
    found = evaluate([alert("bob", ["x1"]), alert("cid", ["x2"])], answers({"E1": ["e1"]}, live=["x1"]), known)
    assert found.groups[0.05][0].false == Share(1, 2), "one slot only: bob's"


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)]
)
def test_wilson_s_interval(hits: int, cases: int, low: float, high: float) -> None:
    """Values by hand from Wilson's formula; 0 of 10 gives z^2 / (10 + z^2)."""
    assert Share(hits, cases).interval == pytest.approx((low, high), abs=5e-5)
    assert Share(0, 0).interval is None


EVENTS = [f"e{number}" for number in range(12)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Ranked], Answers, Facts]:
    place = {event: (draw(st.sampled_from("abcd")), draw(st.integers(0, 2))) for event in EVENTS}
    labelled = draw(st.lists(st.sampled_from(EVENTS), min_size=1, unique=True))
    episodes: dict[str, list[str]] = {}
    for event in labelled:
        episodes.setdefault(f"E{draw(st.integers(0, 4))}", []).append(event)
    ranking = []
    for _ in range(draw(st.integers(0, 12))):
        actor = draw(st.sampled_from("abcd"))
        mine = [event for event in EVENTS if place[event][0] == actor]
        if mine:
            ranking.append(alert(actor, draw(st.lists(st.sampled_from(mine), min_size=1, unique=True))))
    return ranking, answers(episodes), facts(place, idle=draw(st.integers(0, 300)))


@given(worlds())
def test_no_ranking_exceeds_the_ceiling_and_a_larger_budget_finds_no_less(
    world: tuple[list[Ranked], Answers, Facts],
) -> None:
    found = evaluate(*world)
    before = 0
    for recall in found.recall:
        assert recall.found.hits <= round(recall.ceiling * recall.found.cases)
        assert recall.actor_week.hits <= round(recall.actor_week_ceiling * recall.found.cases)
        assert before <= recall.found.hits
        assert recall.few.hits <= recall.found.hits
        before = recall.found.hits
    for precision in (found.precision, found.actor_week_precision):
        if precision.right.cases:
            assert precision.few.hits <= precision.right.hits <= round(precision.ceiling * precision.right.cases)
