from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from forest_builders import changed, look_ups, trained
from hypothesis import given
from hypothesis import strategies as st

from detector.anomaly.peers import learn_peers, peer_codes, signed_log
from detector.anomaly.specification import PeerSpecification

Row = tuple[str, str | None, str | None, str | None]
Doubles = npt.NDArray[np.float64]
NORTH = "north"
SMALL = trained(look_ups(500))


def group_table(rows: Sequence[Row], values: list[float]) -> tuple[pa.Table, Doubles]:
    names = ["actor_id", "organisation", "unit", "role"]
    table = pa.table({name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(names)})
    return table, signed_log(np.asarray(values, float))[:, None]


def test_usual_is_the_median_of_the_peers_each_actor_weighing_the_same() -> None:
    """One actor with 90 look-ups of 50 does not make 50 usual for three others with one look-up each."""
    rows = [("busy", NORTH, "u", "r")] * 90 + [(name, NORTH, "u", "r") for name in ("a", "b", "c")]
    table, y = group_table(rows, [50.0] * 90 + [1.0, 2.0, 3.0])
    peers = learn_peers(table, y, {"f": "high"}, PeerSpecification(shrinkage_actors=0))
    assert 2.0 < peers.usual("f", (NORTH, "u", "r")) < 4.0


def test_a_small_group_is_judged_by_the_next_larger_one_and_a_middling_one_in_part() -> None:
    rows = [(f"a{i}", NORTH, "many", "r") for i in range(20)]
    rows += [(f"b{i}", NORTH, "five", "r") for i in range(5)]
    rows += [(f"c{i}", NORTH, "two", "r") for i in range(2)]
    table, y = group_table(rows, [1.0] * 19 + [2.0] + [20.0] * 5 + [100.0] * 2)
    peers = learn_peers(table, y, {"f": "high"}, PeerSpecification(min_actors=3, shrinkage_actors=5))
    assert [group.level for group in peers.groups] == ["everybody", "organisation", "peers", "peers"]
    assert peers.usual("f", (NORTH, "two", "r")) == pytest.approx(1.0)  # the organisation's
    assert peers.usual("f", (NORTH, "many", "r")) == pytest.approx(1.0)
    halfway = np.expm1((np.log1p(20) + np.log1p(1)) / 2)  # five actors weigh as much as the prior
    assert peers.usual("f", (NORTH, "five", "r")) == pytest.approx(halfway, rel=1e-5)
    assert peers.usual("f", ("south", "five", "r")) == pytest.approx(1.0)  # everybody's


def test_blank_absent_and_unknown_peers_are_judged_by_everybody() -> None:
    model = trained()
    table = look_ups(4, seed=2)
    table = changed(table, {"organisation": None, "unit": "", "role": None}, 0)
    table = changed(table, {"organisation": "elsewhere"}, 1)
    assert model.peers.groups_of(table).tolist()[:2] == [0, 0]
    without = table.drop_columns(["organisation", "unit", "role"])
    assert model.peers.groups_of(without).tolist() == [0, 0, 0, 0]


def test_codes_lead_back_to_the_very_names() -> None:
    table, _ = group_table(
        [("a", "o1", "u1", "r1"), ("b", "o1", None, "r1"), ("c", None, "u1", ""), ("d", "o1", "u1", "r1")], [0.0] * 4
    )
    codes, keys = peer_codes(table)
    assert [keys[code] for code in codes] == [
        ("o1", "u1", "r1"),
        ("o1", None, "r1"),
        (None, "u1", None),
        ("o1", "u1", "r1"),
    ]


def test_the_side_that_is_never_suspicious_is_the_median() -> None:
    model = trained()
    names = list(model.features)
    table = changed(look_ups(1), {"rate_1h": 0.0, "gap_days": 1e6, "surprisal": -1e6, "off_shift": None})
    z = dict(zip(names, model.peers.transform(table, model.peers.groups_of(table))[0].tolist(), strict=True))
    assert z["rate_1h"] == 0.0  # few look-ups: fine
    assert z["gap_days"] == 0.0  # long ago: fine
    assert z["surprisal"] == -model.peers.clip  # both sides count
    assert z["off_shift"] == 0.0  # not known: not strange


def test_the_same_count_is_strange_on_response_and_usual_in_the_bureau() -> None:
    model = trained()
    table = changed(look_ups(2), {"rate_1h": 30.0, "organisation": NORTH})
    table = changed(table, {"unit": "bureau", "role": "clerk"}, 0)
    table = changed(table, {"unit": "response", "role": "officer"}, 1)
    bureau, response = model.peers.transform(table, model.peers.groups_of(table))[:, 0].tolist()
    assert bureau < 0.5
    assert response > 2


@given(st.lists(st.one_of(st.none(), st.floats(width=64)), min_size=1, max_size=30))
def test_z_is_finite_and_within_bounds_whatever_comes(values: list[float | None]) -> None:
    model = SMALL
    table = look_ups(len(values), seed=4)
    for name in model.features:
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.float64()))
    z = model.peers.transform(table, model.peers.groups_of(table))
    lower, upper = model.peers.bounds
    assert z.dtype == np.float32
    assert z.flags.c_contiguous
    assert ((z >= lower) & (z <= upper)).all()
