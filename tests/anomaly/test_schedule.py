from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from forest_builders import CATALOGUE, FIRST, NOW, changed, look_ups, specification
from hypothesis import given
from hypothesis import strategies as st

from detector.anomaly.artifact import saved_models
from detector.anomaly.model import TrainedModel
from detector.anomaly.schedule import choose, train_if_due, train_through
from detector.errors import DetectorError
from detector.home import Home

SAMPLE = look_ups(3000, nights=40)


def loader(sample: pa.Table = SAMPLE) -> Callable[[date, date], pa.Table]:
    def load(first: date, last: date) -> pa.Table:
        night = sample.column("night")
        return sample.filter(pc.and_(pc.greater_equal(night, first), pc.less_equal(night, last)))

    return load


def run(home: Home, night: date, sample: pa.Table = SAMPLE, **changes: Any) -> tuple[TrainedModel | None, str]:
    spec = specification(trees=10, **changes)
    return train_if_due(home, loader(sample), night, spec, now=NOW, catalogue=CATALOGUE)


@pytest.fixture
def house(tmp_path: Path) -> Home:
    return Home(tmp_path)


def day(number: int) -> date:
    """The night with that number; the first is 1."""
    return FIRST + timedelta(days=number - 1)


def test_without_enough_history_there_is_no_model_and_a_plain_reason(house: Home) -> None:
    model, status = run(house, day(4))
    assert model is None
    assert status == "needs 7 nights and 1,000 events; has 3 and 238"
    assert not house.models.exists()


def test_the_first_scan_has_no_history_at_all(house: Home) -> None:
    assert run(house, day(1)) == (None, "needs 7 nights and 1,000 events; has 0 and 0")


def test_trained_on_the_nights_before_and_used_until_too_old(house: Home) -> None:
    first, status = run(house, day(20))
    assert first is not None
    assert status == f"trained {first.version} on 19 nights and {first.rows:,} events"
    assert (first.first_night, first.through) == (day(1), day(19))
    kept, status = run(house, day(26))
    assert kept is not None
    assert (kept.version, status) == (first.version, f"model {first.version} in use, 7 nights old")
    renewed, status = run(house, day(27))
    assert renewed is not None
    assert renewed.through == day(26)
    assert status.startswith(f"trained {renewed.version} on 26 nights")


def test_a_rescan_of_an_old_night_takes_the_model_it_took_then(house: Home) -> None:
    then = {number: run(house, day(number))[0] for number in range(15, 40)}
    before = [one.version for one in saved_models(house.models)]
    assert len(before) == 4  # day 15, then every eighth
    for number in reversed(range(15, 40)):
        model, _ = run(house, day(number))
        assert model is not None
        assert model.version == (then[number] or model).version
        assert model.through < day(number)
    assert [one.version for one in saved_models(house.models)] == before


def test_only_the_window_is_learned_from(house: Home) -> None:
    model, _ = run(house, day(40), window_nights=14)
    assert model is not None
    assert (model.first_night, model.through, model.nights) == (day(26), day(39), 14)


def test_what_is_not_learned_changes_without_training_anew_and_takes_effect_at_once(house: Home) -> None:
    one, _ = run(house, day(20))
    other, status = run(house, day(21), findings={"max_actors": 1}, threads=1)
    assert one is not None
    assert other is not None
    assert "in use, 2 nights old" in status
    assert other.version == one.version
    assert other.specification.findings.max_actors == 1


def test_another_recipe_trains_anew(house: Home) -> None:
    one, _ = run(house, day(20))
    other, status = run(house, day(21), max_samples=64)
    assert one is not None
    assert other is not None
    assert other.version != one.version
    assert status.startswith("trained")


def test_an_old_model_stays_in_use_while_there_is_too_little_to_renew_it(house: Home) -> None:
    one, _ = run(house, day(20))
    assert one is not None
    kept, status = run(house, day(200))
    assert kept is not None
    assert kept.version == one.version
    assert status == (
        f"model {one.version} in use, 181 nights old; a new one needs 7 nights and 1,000 events; has 0 and 0"
    )


def test_a_sample_in_which_nothing_varies_is_a_reason_and_no_error(house: Home) -> None:
    flat = changed(SAMPLE, {name: 1.0 for name, feature in CATALOGUE.items() if feature.model})
    model, status = run(house, day(30), flat)
    assert model is None
    assert status.startswith("no feature can be learned from: rate_1h is the same in all rows")


def test_left_out_features_are_named_in_the_status(house: Home) -> None:
    _, status = run(house, day(30), changed(SAMPLE, {"off_shift": None}))
    assert status.endswith("; left out: off_shift")


def test_a_loader_that_hands_over_the_night_itself_is_found_out(house: Home) -> None:
    with pytest.raises(DetectorError, match="may know nothing after"):
        train_if_due(house, lambda first, last: SAMPLE, day(20), specification(trees=10), now=NOW, catalogue=CATALOGUE)
    assert saved_models(house.models) == ()


def test_training_now_ends_with_the_night_it_is_told(house: Home) -> None:
    model, _ = train_through(house, loader(), day(30), specification(trees=10), now=NOW, catalogue=CATALOGUE)
    assert model is not None
    assert model.through == day(30)


def test_later_nights_make_no_difference_to_a_model(house: Home, tmp_path: Path) -> None:
    one, _ = run(house, day(20))
    late = np.asarray([night >= day(20) for night in SAMPLE.column("night").to_pylist()])
    rate = np.where(late, 999.0, SAMPLE.column("rate_1h").to_numpy())
    poisoned = SAMPLE.set_column(SAMPLE.column_names.index("rate_1h"), "rate_1h", pa.array(rate))
    other, _ = run(Home(tmp_path / "other"), day(20), poisoned)
    assert one is not None
    assert other is not None
    assert one.version == other.version


def shift(sample: pa.Table, since: int, *names: str) -> pa.Table:
    """Those features moved far up from that day on."""
    late = np.asarray([night >= day(since) for night in sample.column("night").to_pylist()])
    for name in names:
        values = sample.column(name).to_numpy()
        sample = sample.set_column(
            sample.column_names.index(name), name, pa.array(np.where(late, values + 500, values))
        )
    return sample


def test_a_model_that_no_longer_fits_is_replaced_early(house: Home) -> None:
    sample = shift(SAMPLE, 20, "rate_1h", "gap_days")
    first, _ = run(house, day(20), sample)
    kept, status = run(house, day(21), sample)
    assert first is not None
    assert kept is not None
    assert (kept.version, status) == (first.version, f"model {first.version} in use, 2 nights old")  # all but new
    renewed, status = run(house, day(22), sample)
    assert renewed is not None
    assert renewed.through == day(21)
    assert ", early: 2 features had shifted, " in status
    assert f"; beside {first.version} ranks correlate by " in status


def test_one_feature_that_moves_is_told_as_drift_and_trains_nothing(house: Home) -> None:
    """Five features: one is below the share from which the model no longer fits."""
    sample = shift(SAMPLE, 20, "rate_1h")
    first, _ = run(house, day(20), sample)
    kept, _ = run(house, day(26), sample)
    assert first is not None
    assert kept is not None
    assert kept.version == first.version


def test_a_night_scanned_again_takes_the_model_that_was_trained_early(house: Home) -> None:
    sample = shift(SAMPLE, 20, "rate_1h", "gap_days")
    then = {number: run(house, day(number), sample)[0] for number in range(20, 30)}
    for number in range(20, 30):
        model, _ = run(house, day(number), sample)
        assert model is not None
        assert model.version == (then[number] or model).version


def known_model(through: date, recipe: str, order: int) -> Any:
    """A saved model as far as `choose` looks."""
    manifest = SimpleNamespace(trained_through=through, recipe=recipe, created_at=NOW + timedelta(hours=order))
    return SimpleNamespace(version=f"{through}-{order}", manifest=manifest)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["ours", "other"])), max_size=20),
    st.integers(0, 60),
    st.randoms(),
)
def test_the_chosen_model_is_the_newest_that_knows_only_nights_before(
    known: list[tuple[int, str]], night: int, random: Any
) -> None:
    models: list[Any] = [known_model(FIRST + timedelta(days=d), recipe, i) for i, (d, recipe) in enumerate(known)]
    scored = FIRST + timedelta(days=night)
    chosen = choose(models, scored, "ours")
    random.shuffle(models)
    assert choose(models, scored, "ours") is chosen
    later: list[Any] = [known_model(scored + timedelta(days=d), "ours", 99) for d in range(3)]
    assert choose([*models, *later], scored, "ours") is chosen
    fitting = [FIRST + timedelta(days=d) for d, recipe in known if recipe == "ours" and d < night]
    assert (chosen.manifest.trained_through if chosen else None) == max(fitting, default=None)
