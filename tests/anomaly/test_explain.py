from __future__ import annotations

import numpy as np
import pytest
from forest_builders import FEATURES, changed, look_ups, sentence, trained
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.anomaly.explain import contributions, explain, leading_reasons
from detector.anomaly.score import strangeness

MODEL = trained(trees=100)
ON_RESPONSE = {"organisation": "north", "unit": "response", "role": "officer"}
USUAL_DAY = {"rate_1h": 2.0, "unexplained": 0.0, "off_shift": 0.0, "gap_days": 300.0, "surprisal": 5.0}
STRANGE = {"rate_1h": 200.0, "unexplained": 1.0, "off_shift": 600.0, "gap_days": 0.0, "surprisal": 12.0}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_planted_outlier_is_named_first(feature: str) -> None:
    event = changed(look_ups(1, seed=3), {**USUAL_DAY, **ON_RESPONSE, feature: STRANGE[feature]})
    named = leading_reasons(explain(MODEL, event), {}, sentence, 3)
    assert named[0].feature == feature
    assert named[0].value == STRANGE[feature]


rows = st.lists(st.floats(0, 1), min_size=len(FEATURES), max_size=len(FEATURES))


@settings(max_examples=60)
@given(st.lists(rows, min_size=1, max_size=6), st.lists(st.booleans(), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_usual_features_contribute_nothing_and_up_to_two_others_add_up_to_the_score(
    where: list[list[float]], there: list[bool]
) -> None:
    lower, upper = MODEL.peers.bounds
    z = (lower + np.asarray(where) * (upper - lower)).astype(np.float32) * np.asarray(there)
    z = np.ascontiguousarray(z, np.float32)
    parts = contributions(MODEL, z)
    assert parts.shape == z.shape
    assert np.isfinite(parts).all()
    assert (parts[z == 0] == 0).all()
    f = strangeness(MODEL.forest, np.vstack([z, np.zeros((1, z.shape[1]), np.float32)]), 1, 1000)
    few = (z != 0).sum(axis=1) <= 2
    assert parts.sum(axis=1)[few] == pytest.approx((f[:-1] - f[-1])[few], abs=1e-9)


def test_contributions_do_not_depend_on_the_other_rows() -> None:
    events = changed(look_ups(30, seed=6), {"rate_1h": 90.0}, slice(0, 10))
    together = explain(MODEL, events).contributions
    alone = np.vstack([explain(MODEL, events.slice(i, 1)).contributions for i in range(30)])
    assert np.array_equal(together, alone)


def test_reasons_come_strongest_first_without_noise_and_no_more_than_asked() -> None:
    event = changed(look_ups(1, seed=3), {**USUAL_DAY, "rate_1h": 300.0, "surprisal": 9.0})
    reasons = explain(MODEL, event)
    gains = dict(zip(reasons.features, reasons.contributions[0].tolist(), strict=True))
    named = leading_reasons(reasons, {}, sentence, 5)
    assert [one.feature for one in named] == sorted((one.feature for one in named), key=lambda name: -gains[name])
    assert all(gains[one.feature] >= 0.1 * sum(max(gain, 0) for gain in gains.values()) for one in named)
    assert len(leading_reasons(reasons, {}, sentence, 1)) == 1


def test_of_several_look_ups_the_value_named_is_that_of_the_strangest() -> None:
    events = changed(look_ups(3, seed=3), {**USUAL_DAY, **ON_RESPONSE})
    events = changed(events, {"rate_1h": 300.0}, 1)
    named = leading_reasons(explain(MODEL, events), {}, sentence, 3)
    assert (named[0].feature, named[0].value) == ("rate_1h", 300.0)


def test_a_missing_value_is_never_a_reason() -> None:
    event = changed(look_ups(1, seed=3), {**STRANGE, "rate_1h": None})
    assert "rate_1h" not in [one.feature for one in leading_reasons(explain(MODEL, event), {}, sentence, 5)]
    absent = explain(MODEL, event.drop_columns(["off_shift"]))
    assert absent.contributions[0, FEATURES.index("off_shift")] == 0


def test_an_entirely_usual_look_up_has_no_reasons() -> None:
    event = changed(look_ups(1, seed=3), dict.fromkeys(FEATURES))
    assert leading_reasons(explain(MODEL, event), {}, sentence, 3) == ()


def test_peers_come_from_the_profile_or_else_from_the_model() -> None:
    event = changed(
        look_ups(1, seed=3), {**USUAL_DAY, "rate_1h": 200.0, "organisation": "north", "unit": "bureau", "role": "clerk"}
    )
    told = leading_reasons(explain(MODEL, event), {"rate_1h": (3.0, 28.0)}, sentence, 1)[0]
    assert (told.own, told.peers) == (3.0, 28.0)
    from_model = leading_reasons(explain(MODEL, event), {}, sentence, 1)[0]
    assert from_model.own is None
    assert from_model.peers == pytest.approx(25, abs=1)  # 30 in the bureau, drawn a little towards everybody's
