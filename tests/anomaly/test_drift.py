from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forest_builders import changed, look_ups, trained
from hypothesis import given
from hypothesis import strategies as st

from detector.anomaly.drift import Bins, DriftTally, drift, learn_bins

MODEL = trained()


def test_a_night_like_the_others_hardly_moves() -> None:
    moved = drift(MODEL, look_ups(5000, seed=40))
    assert set(moved) == set(MODEL.features)
    assert max(moved.values()) < 0.05


def test_a_feature_that_moves_is_the_one_that_is_named() -> None:
    table = look_ups(5000, seed=40)
    moved = drift(MODEL, changed(table, {"surprisal": 9.0}))
    assert moved["surprisal"] > 1
    assert max(value for name, value in moved.items() if name != "surprisal") < 0.05


def test_missing_values_are_a_move_too() -> None:
    table = look_ups(2000, seed=40)
    assert drift(MODEL, changed(table, {"gap_days": None}))["gap_days"] > 1
    assert drift(MODEL, table.drop_columns(["gap_days"]))["gap_days"] > 1


def test_an_empty_night_has_none() -> None:
    assert drift(MODEL, look_ups(0)) == {}


def test_the_number_is_the_published_one() -> None:
    """Two bins of one half each, tonight 0.8 and 0.2: 0.3 ln 1.6 - 0.3 ln 0.4."""
    model = replace(MODEL, bins={"rate_1h": Bins((5.0,), (0.5, 0.5, 0.0))})
    table = changed(changed(look_ups(10), {"rate_1h": 1.0}), {"rate_1h": 9.0}, slice(0, 2))
    assert drift(model, table)["rate_1h"] == pytest.approx(0.3 * np.log(1.6) - 0.3 * np.log(0.4))


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=200))
def test_the_training_rows_themselves_have_not_moved(values: list[float | None]) -> None:
    column = np.asarray([np.nan if value is None else value for value in values])
    bins = learn_bins(column)
    assert sum(bins.shares) == pytest.approx(1)
    tally = DriftTally({"rate_1h": bins})
    table = look_ups(len(values))
    tally.add(table.set_column(table.column_names.index("rate_1h"), "rate_1h", [column]))
    assert tally.indices()["rate_1h"] == pytest.approx(0, abs=1e-12)
