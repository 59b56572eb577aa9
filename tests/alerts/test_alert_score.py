from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_findings import NIGHT, finding, forest

from detector.alerts.evidence import Evidence
from detector.alerts.score import FURTHER, HALF_LIFE_DAYS, level, score
from detector.alerts.worth import ASSUMED_RATE, EXPECTED, MOST_STRENGTH, SCALE, nats, strength, weight
from detector.records import Finding
from detector.schema import LEVELS


def of(*findings: Finding) -> list[Evidence]:
    return [Evidence.of(item) for item in findings]


def heavy(weight: float, day: int = 0, rule: str = "a") -> Finding:
    """A finding that adds so many nats."""
    return finding(rule=rule, strength=strength(weight), night=NIGHT + timedelta(day))


def test_every_level_expects_more_and_is_assumed_rarer_than_the_one_below() -> None:
    assert tuple(EXPECTED) == tuple(ASSUMED_RATE) == LEVELS
    assert list(EXPECTED.values()) == sorted(EXPECTED.values())
    assert list(ASSUMED_RATE.values()) == sorted(ASSUMED_RATE.values(), reverse=True)


def test_a_weight_is_the_logarithm_of_how_much_likelier_misuse_has_become() -> None:
    assert weight("medium", 0.003) == pytest.approx(math.log(100))
    assert weight("low", 0.1) == 0
    assert weight("critical", 1.0) == 0  # what is said of everybody is worth nothing, whatever the level


@pytest.mark.parametrize(
    ("name", "points"), [("informational", 0), ("low", 10.91), ("medium", 36.32), ("high", 54.97), ("critical", 67.82)]
)
def test_what_a_level_scores_until_a_force_was_counted(name: str, points: float) -> None:
    assert score(of(finding(strength=strength(weight(name, ASSUMED_RATE[name]))))) == points


@given(st.floats(0, 50))
def test_strength_and_weight_say_the_same(weight: float) -> None:
    assert nats(strength(weight)) == pytest.approx(weight, rel=1e-6, abs=1e-9)


def test_no_strength_is_certain() -> None:
    assert strength(1000) == MOST_STRENGTH < 100
    assert nats(100) == nats(MOST_STRENGTH) < 60


def test_weights_of_a_night_add_up() -> None:
    assert score(of(heavy(2, rule="a"), heavy(3, rule="b"))) == score(of(heavy(5))) == 56.54


def test_further_nights_add_less_and_less() -> None:
    one = of(heavy(4))
    assert score([*one, *of(heavy(4, day=int(HALF_LIFE_DAYS)))]) == round(strength(4 + FURTHER * 2), 2)
    for_ever = score(of(*(heavy(4, day=day) for day in range(200))))
    assert score(one) < for_ever <= round(strength(4 / (1 - FURTHER)), 2)


def test_waiting_makes_no_alert_less_urgent() -> None:
    assert score(of(heavy(6), heavy(1, day=100))) == score(of(heavy(6)))


def test_a_night_of_several_weak_signals_comes_near_one_strong_one_and_not_above() -> None:
    weak = [heavy(1.0 * 0.5**n, rule=f"weak_{n}") for n in range(10)]  # as weigh.py leaves them
    assert score(of(*weak)) < score(of(heavy(2)))


def test_weak_findings_do_not_raise_the_level() -> None:
    items = of(*(finding(rule=f"weak_{n}", level="informational") for n in range(40)), finding(level="low"))
    assert level(items) == "low"


evidence = st.builds(
    lambda rule, name, day, hour, points, by_forest: Evidence.of(
        forest(strength=points, level=name, night=NIGHT + timedelta(day), hour=hour)
        if by_forest
        else finding(rule=rule, level=name, night=NIGHT + timedelta(day), hour=hour, strength=points)
    ),
    st.sampled_from("abcde"),
    st.sampled_from(LEVELS),
    st.integers(0, 40),
    st.integers(0, 22),
    st.floats(0, 100),
    st.booleans(),
)


@given(st.lists(evidence, min_size=1, max_size=12), st.randoms())
def test_score_is_bounded_and_blind_to_order(items: list[Evidence], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert 0 <= score(items) <= 100
    assert score(items) == score(shuffled)


@given(st.lists(evidence, min_size=1, max_size=12), evidence)
def test_more_evidence_never_lowers_score_or_level(items: list[Evidence], more: Evidence) -> None:
    assert score([*items, more]) >= score(items)
    assert LEVELS.index(level([*items, more])) >= LEVELS.index(level(items))


def test_the_scale_is_the_one_that_is_told() -> None:
    assert strength(SCALE) == pytest.approx(63.2, abs=0.05)
