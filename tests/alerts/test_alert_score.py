from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_findings import NIGHT, finding, forest

from detector.alerts.evidence import Evidence
from detector.alerts.score import level, score
from detector.alerts.worth import FOREST_CEILING, LEVEL_WORTH
from detector.records import Finding
from detector.schema import LEVELS


def of(*findings: Finding) -> list[Evidence]:
    return [Evidence.of(item) for item in findings]


@pytest.mark.parametrize(
    ("name", "worth"), [("informational", 5), ("low", 20), ("medium", 45), ("high", 70), ("critical", 90)]
)
def test_one_finding_scores_its_level(name: str, worth: float) -> None:
    assert score(of(finding(level=name))) == worth


def test_every_level_has_a_worth_and_higher_ones_more() -> None:
    assert tuple(LEVEL_WORTH) == LEVELS
    assert list(LEVEL_WORTH.values()) == sorted(LEVEL_WORTH.values())


def test_two_different_rules_are_a_noisy_or() -> None:
    assert score(of(finding(rule="a"), finding(rule="b"))) == 69.75  # 1 - 0.55 * 0.55


def test_the_forest_counts_by_its_strength_below_a_high_rule() -> None:
    assert score(of(forest(strength=99.0))) == 59.4
    assert score(of(forest(strength=100.0))) == 100 * FOREST_CEILING < 100 * LEVEL_WORTH["high"]
    assert score(of(forest(strength=90.0))) < score(of(forest(strength=99.0)))


def test_one_rule_twice_in_a_night_counts_once() -> None:
    assert score(of(finding(hour=9), finding(hour=15))) == score(of(finding(hour=9)))


def test_one_rule_on_many_nights_gains_slowly_and_stays_below_one_high_finding() -> None:
    nights = [of(*(finding(night=NIGHT + timedelta(n)) for n in range(count))) for count in (1, 3, 7, 30)]
    assert [score(items) for items in nights] == [45.0, 53.33, 58.88, 66.92]


def test_many_weak_findings_do_not_raise_the_level() -> None:
    items = of(*(finding(rule=f"weak_{n}", level="informational") for n in range(40)), finding(level="low"))
    assert level(items) == "low"


def test_ten_different_weak_signals_stay_below_one_medium() -> None:
    assert score(of(*(finding(rule=f"weak_{n}", level="informational") for n in range(10)))) < 45


evidence = st.builds(
    lambda rule, name, day, hour, strength, by_forest: Evidence.of(
        forest(strength=strength, level=name, night=NIGHT + timedelta(day), hour=hour)
        if by_forest
        else finding(rule=rule, level=name, night=NIGHT + timedelta(day), hour=hour)
    ),
    st.sampled_from("abcde"),
    st.sampled_from(LEVELS),
    st.integers(0, 9),
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
