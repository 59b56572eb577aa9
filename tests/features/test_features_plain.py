"""Every feature against a plain Python version of it, on random nights: loops over all events there ever were."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from feature_world import Connect, Nights, Values
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_events import Value
from plain_features import PLAIN, history, plain_values
from random_events import DAYS, SETTINGS, WORLD, night_of, random_night

from detector.features.catalogue import FEATURES

#: Of these, nights leave sums of logarithms or tiers in whole ten-thousandths: see habits.PARTS.
ROUNDED = frozenset({"reason_surprisal", "reference_reuse", "breadth", "scope_breadth", "sensitivity_gap"})


def test_every_feature_has_a_plain_version() -> None:
    assert set(PLAIN) == set(FEATURES)


def same(name: str, found: Value, plain: Value) -> bool:
    if found is None or plain is None:
        return found is plain
    return math.isclose(found, plain, rel_tol=1e-9, abs_tol=2e-4 if name in ROUNDED else 1e-9)


@pytest.mark.slow
def test_every_feature_is_what_plain_python_makes_of_the_same_events(engine: Connect) -> None:
    """With instants shared, names masked, values missing and blank, a night on which the clocks change, and before it
    one without any history."""
    seen: dict[str, set[Value]] = defaultdict(set)

    @settings(max_examples=6)
    @given(seed=st.integers(0, 2**20), events=st.integers(1, 90))
    def agree(seed: int, events: int) -> None:
        nights, rows = Nights(engine, SETTINGS, WORLD), list[dict[str, object]]()
        values: Values = {}
        for day in DAYS:
            tonight = random_night(seed, day, events)
            values |= nights.run(night_of(day), tonight)
            rows += tonight
        for event, plain in plain_values(history(rows)).items():
            found = {name: values[event][name] for name in PLAIN}
            assert {
                name: (found[name], plain[name]) for name in PLAIN if not same(name, found[name], plain[name])
            } == {}
            for name, value in plain.items():
                seen[name].add(value)

    agree()
    # Only what was worked out proves something: numbers of each, both answers of a yes or no, and "cannot be known".
    assert {name for name in PLAIN if len(seen[name] - {None}) < 2} == set()
    assert {name for name in PLAIN if None not in seen[name]} == set()
