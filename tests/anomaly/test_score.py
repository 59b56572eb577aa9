from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forest_builders import changed, look_ups, specification, trained
from hypothesis import given
from hypothesis import strategies as st

from detector.anomaly.calibration import Calibration, calibrate, to_points, to_surprise
from detector.anomaly.score import score, strangeness


def test_planted_look_ups_come_out_on_top() -> None:
    model = trained(trees=200)
    odd = {"rate_1h": 400.0, "off_shift": 600.0, "unexplained": 1.0, "surprisal": 11.0}
    points = score(model, changed(look_ups(2000, seed=7), odd, slice(100, 105)))
    assert set(np.argsort(-points)[:5].tolist()) == {100, 101, 102, 103, 104}
    assert points[100:105].min() > 80
    assert np.median(points) < 10


def test_two_rare_things_at_once_stand_out_though_hardly_a_row_of_training_shows_either() -> None:
    """What the anchors are for: without them this look-up scores as one of 100."""
    both = changed(look_ups(1, seed=7), {"unexplained": 1.0, "off_shift": 600.0, "rate_1h": 0.0, "gap_days": 500.0})
    assert score(trained(trees=200, anchors_per_tree=1), both)[0] > 60
    assert score(trained(trees=200, anchors_per_tree=0), both)[0] < score(trained(trees=200), both)[0]


def test_ordinary_nights_score_as_rarely_as_the_number_says() -> None:
    model = trained()
    points = score(model, look_ups(20_000, seed=8))
    assert np.mean(points >= 20) == pytest.approx(0.1, rel=0.25)  # one in ten
    assert np.mean(points >= 40) == pytest.approx(0.01, rel=0.6)  # one in 100


def test_an_unusually_low_value_of_a_high_feature_is_as_good_as_the_median() -> None:
    model = trained()
    night = look_ups(200, seed=9)
    none_at_all, unknown, many = (score(model, changed(night, {"rate_1h": rate})) for rate in (0.0, None, 500.0))
    assert np.array_equal(none_at_all, unknown)
    assert (many > none_at_all).all()


def test_what_is_missing_is_scored_as_usual() -> None:
    model = trained()
    night = look_ups(300, seed=10)
    null = score(model, changed(night, {"off_shift": None}))
    absent = score(model, night.drop_columns(["off_shift"]))
    assert np.array_equal(null, absent)
    nothing = night.select(["event_id", "actor_id"])
    assert len(set(score(model, nothing).tolist())) == 1


@pytest.mark.parametrize("chunk_rows", [1, 7, 1000])
@pytest.mark.parametrize("threads", [1, 2])
def test_chunks_and_threads_change_no_bit(chunk_rows: int, threads: int) -> None:
    model = trained()
    night = look_ups(120, seed=11)
    whole = score(model, night, threads=1)
    cut = replace(model, specification=specification(chunk_rows=chunk_rows))
    assert np.array_equal(score(cut, night, threads=threads), whole)


def test_an_empty_night_has_no_scores() -> None:
    assert score(trained(), look_ups(0)).shape == (0,)


def test_points_rise_with_the_forests_score() -> None:
    model = trained()
    night = look_ups(3000, seed=12)
    z = model.peers.transform(night, model.peers.groups_of(night))
    raw = strangeness(model.forest, z, 1, 1000)
    order = np.argsort(raw)
    assert (np.diff(score(model, night)[order]) >= 0).all()
    assert raw.argmax() == (-model.forest.score_samples(z)).argmax()


@given(
    st.lists(st.floats(0.3, 0.9), min_size=1, max_size=400),
    st.lists(st.floats(0, 1), min_size=2, max_size=50),
)
def test_the_map_is_monotone_bounded_and_still_rises_beyond_the_training_maximum(
    training: list[float], asked: list[float]
) -> None:
    calibration = calibrate(np.asarray(training))
    points = calibration.points_of(np.sort(np.asarray(asked)))
    assert (np.diff(points) >= 0).all()
    assert ((points >= 0) & (points <= 100)).all()
    top = max(training)
    beyond = calibration.points_of(np.asarray([top, top + 0.01, top + 0.02]))
    assert beyond[0] < beyond[1] < beyond[2] < 100


def test_points_are_decades_of_rarity() -> None:
    assert to_points(np.asarray([0.0, 1.0, 2.0, 3.0, 4.0])).tolist() == [0, 20, 40, 60, 80]
    assert to_points(np.asarray([5.0]))[0] == pytest.approx(100 - 20 / np.e)
    raw = np.linspace(0, 1, 100_001)
    assert calibrate(raw).points_of(np.asarray([0.9, 0.99, 0.999])) == pytest.approx([20, 40, 60], abs=0.05)


@given(st.floats(0, 12))
def test_surprise_comes_back_from_points(surprise: float) -> None:
    assert to_surprise(to_points(np.asarray([surprise])))[0] == pytest.approx(surprise, abs=1e-6)


def test_training_scores_that_are_all_equal_still_give_a_map() -> None:
    calibration = calibrate(np.full(5000, 0.4))
    assert calibration == Calibration((0.4,), (0.0,), 0.005, 5000)
    assert calibration.points_of(np.asarray([0.3, 0.4]))[1] == 0
    assert calibration.points_of(np.asarray([0.45]))[0] > 60
