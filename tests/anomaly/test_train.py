from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from forest_builders import CATALOGUE, FEATURES, FIRST, NOW, changed, look_ups, specification, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.anomaly.forestfile import dump_forest
from detector.anomaly.score import score
from detector.anomaly.train import NothingToLearnError, train
from detector.errors import DetectorError

THROUGH = FIRST + timedelta(days=13)


def test_same_rows_in_any_order_and_by_any_number_of_threads_give_the_same_forest() -> None:
    sample = look_ups(3000)
    shuffled = sample.take(np.random.default_rng(9).permutation(3000))
    one, other = trained(sample, threads=1), trained(shuffled, threads=2)
    assert dump_forest(one.forest) == dump_forest(other.forest)
    assert one.calibration == other.calibration
    assert np.array_equal(one.peers.centre, other.peers.centre)


def test_another_seed_gives_another_forest() -> None:
    assert dump_forest(trained(seed=1).forest) != dump_forest(trained(seed=2).forest)


def test_rows_beyond_the_cap_are_thinned_by_hash_not_by_position() -> None:
    sample = look_ups(3000)
    model = trained(sample, max_rows=1000)
    backwards = trained(sample.take(np.arange(3000)[::-1]), max_rows=1000)
    assert model.rows == 1000
    assert dump_forest(model.forest) == dump_forest(backwards.forest)
    assert model.nights == 14  # drawn from everywhere, not the first rows


def test_equal_event_ids_of_two_sources_do_not_make_it_depend_on_the_order() -> None:
    sample = changed(look_ups(1500), {"event_id": "same", "actor_id": "same", "night": FIRST})
    backwards = sample.take(np.arange(1500)[::-1])
    assert dump_forest(trained(sample).forest) == dump_forest(trained(backwards).forest)


@settings(max_examples=20)
@given(late=st.integers(1, 400), row=st.integers(0, 199))
def test_a_row_of_the_scored_night_or_later_is_never_learned_from(late: int, row: int) -> None:
    sample = changed(look_ups(200), {"night": THROUGH + timedelta(days=late)}, row)
    with pytest.raises(DetectorError, match="may know nothing after 2026-09-14"):
        trained(sample)


def test_a_feature_that_cannot_be_learned_is_left_out_and_the_reason_kept() -> None:
    sample = changed(look_ups(1000), {"rate_1h": None}, slice(0, 700))
    sample = changed(sample, {"off_shift": 3.0}).drop_columns(["gap_days"])
    model = trained(sample)
    assert model.features == ("unexplained", "surprisal")
    assert model.left_out == {
        "rate_1h": "missing in 70% of the rows",
        "off_shift": "the same in all rows",
        "gap_days": "not in the sample",
    }


def test_nothing_to_learn_is_said_feature_by_feature() -> None:
    sample = changed(look_ups(50), dict.fromkeys(FEATURES, 1.0))
    with pytest.raises(NothingToLearnError, match="rate_1h is the same in all rows; unexplained is"):
        trained(sample)
    with pytest.raises(NothingToLearnError, match="no rows"):
        trained(look_ups(0))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e308, None])
def test_odd_numbers_are_learned_around_and_scored(value: Any) -> None:
    model = trained(changed(look_ups(1500), {"rate_1h": value, "surprisal": value}, slice(0, 40)))
    points = score(model, changed(look_ups(50, seed=3), {"rate_1h": value, "surprisal": value}))
    assert np.isfinite(points).all()
    assert ((points >= 0) & (points <= 100)).all()


def test_two_rows_are_enough_to_train_and_score() -> None:
    model = trained(look_ups(2, seed=5))
    assert score(model, look_ups(3)).shape == (3,)


def test_numbers_may_come_as_integers() -> None:
    sample = look_ups(500)
    whole = sample.set_column(
        sample.column_names.index("rate_1h"), "rate_1h", sample.column("rate_1h").cast(pa.int64())
    )
    assert dump_forest(trained(whole).forest) == dump_forest(trained(sample).forest)


def test_the_model_holds_no_actor_and_no_event() -> None:
    model = train(look_ups(1000), specification(), CATALOGUE, through=THROUGH, now=NOW)
    assert b"actor-" not in dump_forest(model.forest)
    assert "actor-" not in repr(model.peers)
