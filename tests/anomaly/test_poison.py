"""A campaign of misuse in the nights that a model learns from does not become what is usual, once it was flagged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from forest_builders import FIRST, changed, look_ups, trained

from detector.anomaly.artifact import load, save
from detector.anomaly.forestfile import dump_forest
from detector.anomaly.score import score
from detector.anomaly.train import FLAGGED
from detector.home import Home

MISUSE = {"unexplained": 1.0, "off_shift": 400.0, "rate_1h": 60.0, "gap_days": 0.5}
ROWS, POISON = 4000, 120  # 3 % of the look-ups of the window


@pytest.fixture
def house(tmp_path: Path) -> Home:
    return Home(tmp_path)


def poisoned() -> pa.Table:
    return changed(look_ups(ROWS), MISUSE, slice(0, POISON))


def flagged(sample: pa.Table, rows: int) -> pa.Table:
    return sample.append_column(FLAGGED, pa.array(np.arange(ROWS) < rows))


def test_flagged_misuse_is_as_strange_as_if_it_had_never_been_there() -> None:
    again = changed(look_ups(20, seed=7), MISUSE)
    clean = trained(look_ups(ROWS).slice(POISON))
    guarded, naive = trained(flagged(poisoned(), POISON)), trained(poisoned())
    assert dump_forest(guarded.forest) == dump_forest(clean.forest)
    assert (guarded.flagged, guarded.rows) == (POISON, ROWS - POISON)
    assert score(guarded, again).min() > 80  # rarer than one in 10,000
    assert np.median(score(naive, again)) < 60  # learned as usual: most are below the threshold of a finding


def test_half_of_a_campaign_flagged_already_helps() -> None:
    again = changed(look_ups(20, seed=7), MISUSE)
    half = trained(flagged(poisoned(), POISON // 2))
    assert score(half, again).mean() > score(trained(poisoned()), again).mean()


def test_the_model_on_disk_and_its_card_say_how_many(house: Home) -> None:
    model = save(trained(flagged(poisoned(), POISON)), house.models)
    assert load(house.models, model.version).flagged == POISON
    card = (house.models / model.version / "model_card.md").read_text()
    assert "| not learned from | 120 look-ups that a rule flagged (from level medium) or a reviewer confirmed |" in card


def test_no_flags_and_no_such_column_are_the_same_model(house: Home) -> None:
    plain, none = trained(look_ups(ROWS)), trained(flagged(look_ups(ROWS), 0))
    assert save(plain, house.models).version == save(none, house.models).version
    assert plain.first_night == FIRST
