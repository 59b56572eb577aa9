"""A new model beside the one before it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from forest_builders import CATALOGUE, FIRST, NOW, look_ups, specification
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr  # type: ignore[import-untyped]

from detector.anomaly.artifact import save
from detector.anomaly.comparison import Comparison, _spearman, compare
from detector.anomaly.model import TrainedModel
from detector.anomaly.train import train

SAMPLE = look_ups(3000)


def trained(sample: pa.Table = SAMPLE, **changes: object) -> TrainedModel:
    spec = specification(trees=20, **changes)
    return train(sample, spec, CATALOGUE, through=FIRST + timedelta(days=40), now=NOW)


def test_a_model_beside_itself_is_the_same() -> None:
    model = trained()
    found = compare(model, model, SAMPLE)
    assert found.rank_correlation == pytest.approx(1.0)
    assert (found.rows, found.shared_top) == (3000, 1.0)
    assert (found.shifted, found.gained, found.lost) == ({}, (), ())


def test_what_has_shifted_is_named_most_first() -> None:
    later = SAMPLE.set_column(
        SAMPLE.column_names.index("rate_1h"), "rate_1h", pa.array(SAMPLE.column("rate_1h").to_numpy() * 3 + 40)
    )
    found = compare(trained(later), trained(), later)
    assert list(found.shifted) == ["rate_1h"]
    assert found.shifted["rate_1h"] > 1
    assert found.rank_correlation < 1


def test_features_that_come_and_go_are_named() -> None:
    fewer = trained(SAMPLE.drop_columns(["off_shift"]))
    assert compare(fewer, trained(), SAMPLE).lost == ("off_shift",)
    assert compare(trained(), fewer, SAMPLE).gained == ("off_shift",)


def test_it_is_told_in_the_card_and_makes_no_other_version(tmp_path: Path) -> None:
    model, before = trained(), trained(seed=5)
    compared = Comparison("2026-08-31-0123456789ab", 5000, 0.914, 0.66, {"rate_1h": 0.41}, ("new",), ("old",))
    plain = save(model, tmp_path / "plain")
    told = save(model, tmp_path / "told", compared)
    assert told.version == plain.version != save(before, tmp_path / "plain").version
    cards = [(tmp_path / one / told.version / "model_card.md").read_text() for one in ("plain", "told")]
    assert "## Beside the model before\n\nThere was none." in cards[0]
    assert (
        "## Beside the model before\n\n"
        "Beside 2026-08-31-0123456789ab, on the same 5,000 look-ups: the scores' ranks correlate by 0.91, and 66% of "
        "the strangest hundredth are the same.\nShifted since (stability index above 0.25): rate_1h 0.41.\n"
        "New among its features: new.\nNo longer among them: old."
    ) in cards[1]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30))
def test_ranks_correlate_as_scipy_has_it(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.asarray(side, np.float64) for side in zip(*pairs, strict=True))
    if len(set(one)) > 1 and len(set(other)) > 1:
        assert _spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)
    else:
        assert _spearman(one, other) == 1.0
