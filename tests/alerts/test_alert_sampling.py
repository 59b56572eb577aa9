from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_findings import NIGHT, finding, forest

from detector.alerts.evidence import Evidence
from detector.alerts.sampling import (
    borrowed,
    borrowed_strength,
    drawn,
    expected_samples,
    inclusion,
    samples_of,
)
from detector.alerts.score import score

PEOPLE = [f"P-{n}" for n in range(40)]


def nights(number: int) -> list[date]:
    return [NIGHT + timedelta(n) for n in range(number)]


def test_over_many_nights_the_share_of_slots_is_the_configured_one() -> None:
    expected = expected_samples(10, 0.05)
    counts = [samples_of(night, expected, "seed") for night in nights(1000)]
    assert set(counts) == {0, 1}
    assert sum(counts) / 1000 == pytest.approx(0.5, abs=0.05)  # three standard deviations
    assert [samples_of(night, 3.0, "seed") for night in nights(5)] == [3] * 5
    assert [samples_of(night, 0.0, "seed") for night in nights(5)] == [0] * 5


def test_everybody_is_as_likely_to_be_drawn() -> None:
    times = dict.fromkeys(PEOPLE, 0)
    for night in nights(1000):
        for actor in drawn(night, PEOPLE, 4, "seed"):
            times[actor] += 1
    # 100 each is expected, with a standard deviation of 9.5
    assert sum(times.values()) == 4000
    assert 60 < min(times.values()) < max(times.values()) < 140


def test_the_draw_is_the_nights_and_the_seeds_and_not_the_orders() -> None:
    first = drawn(NIGHT, PEOPLE, 5, "a")
    assert drawn(NIGHT, reversed(PEOPLE), 5, "a") == first
    assert drawn(NIGHT, PEOPLE, 5, "b") != first
    assert drawn(NIGHT + timedelta(1), PEOPLE, 5, "a") != first
    assert set(drawn(NIGHT, PEOPLE[:3], 5, "a")) == set(PEOPLE[:3])


@given(st.sets(st.text(max_size=5), max_size=30), st.sets(st.text(max_size=5), max_size=10), st.integers(0, 8))
def test_who_comes_late_changes_nothing_among_the_others(people: set[str], late: set[str], number: int) -> None:
    before, after = (set(drawn(NIGHT, crowd, number, "s")) for crowd in (people, people | late))
    assert len(before) == min(number, len(people))
    assert after - before <= late


@given(st.floats(0, 12), st.integers(1, 20))
def test_the_probabilities_of_all_add_up_to_what_is_drawn(expected: float, eligible: int) -> None:
    probability = inclusion(expected, eligible)
    assert 0 <= probability <= 1 + 1e-12
    if expected + 1 <= eligible:
        assert probability * eligible == pytest.approx(expected)


def test_a_borrowed_score_is_of_the_lower_half_of_the_queue() -> None:
    queue = [(90.0, "high"), (40.0, "low"), (71.0, "high"), (52.0, "high"), (60.0, "medium")]
    scores = [borrowed(queue, 35.0, n / 12) for n in range(12)]
    assert scores[::4] == [(40.0, "low"), (52.0, "low"), (60.0, "medium")], "the forest has no level above medium here"
    assert all(beside[0] < 62.0 for beside in scores)
    assert len({score for score, _ in scores}) == 12
    assert [borrowed([], 35.0, at) for at in (0.0, 0.5)] == [(35.0, "low"), (36.0, "low")]
    assert borrowed([(99.5, "medium")], 35.0, 0.9) == (99.9, "medium")


@given(st.floats(0, 99), st.lists(st.floats(0, 60), max_size=3))
def test_a_borrowed_strength_makes_the_score(wanted: float, strengths: list[float]) -> None:
    others = [Evidence.of(finding(rule=f"r{n}", strength=strength)) for n, strength in enumerate(strengths)]
    strength = borrowed_strength(wanted, others)
    assert 0 < strength < 100
    came_to = score([*others, Evidence.of(forest(strength=strength))])
    assert came_to >= wanted - 0.01
    if wanted > score(others) + 2:
        assert came_to == pytest.approx(wanted, abs=0.01)
