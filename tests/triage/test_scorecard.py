"""The scorecard of a rule: Wilson's interval, and what follows from it."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.triage.scorecard import LEAST_DECIDED, RETIRE_BELOW, TUNE_BELOW, Score, wilson


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # Brown, Cai & DasGupta (2001) print such: z²/(n+z²)
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe (1998), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_ends_are_where_the_score_test_just_rejects(case: tuple[int, int]) -> None:
    hits, trials = case
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            assert abs(hits / trials - end) / sqrt(end * (1 - end) / trials) == pytest.approx(1.95996, abs=1e-4)


@pytest.mark.parametrize(
    ("confirmed", "other", "verdict"),
    [
        (0, LEAST_DECIDED - 1, "wait"),
        (1, LEAST_DECIDED - 1, "keep"),
        (0, 20, "keep"),  # up to 16 % are still possible
        (0, 60, "tune"),
        (0, 250, "retire"),
        (5, 250, "tune"),
        (50, 250, "keep"),
    ],
)
def test_verdicts(confirmed: int, other: int, verdict: str) -> None:
    score = Score("r", "t", 1000, confirmed, other // 2, other - other // 2)
    assert score.verdict == verdict


def test_nothing_decided_is_no_precision() -> None:
    score = Score("r", "t", 3, 0, 0, 0)
    assert (score.precision, score.interval, score.verdict) == (None, (0.0, 1.0), "wait")


def test_the_thresholds_are_documented(root: Path) -> None:
    page = (root / "docs" / "writing-rules.md").read_text()
    for number in (f"{LEAST_DECIDED} decided", f"1 in {round(1 / TUNE_BELOW)}", f"1 in {round(1 / RETIRE_BELOW)}"):
        assert number in page
