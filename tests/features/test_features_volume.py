"""How many look-ups."""

from __future__ import annotations

import math

import pytest
from feature_world import Connect, at, column, features_of, look


def test_counts_are_of_the_window_that_ends_with_the_event(engine: Connect) -> None:
    values = features_of(
        engine,
        [
            look("a", at(0, "08:00")),
            look("b", at(0, "08:14:59")),
            look("c", at(0, "08:15")),  # a is just outside the 15 minutes
            look("d", at(0, "09:00")),  # a is just outside the hour
            look("e", at(0, "09:30"), operator_id="bob"),
            look("f", at(1, "07:59:59")),  # all of alice's within 24 hours, across midnight
            look("g", at(1, "08:14:59")),  # a and b are gone, and f from the quarter of an hour
        ],
    )
    order = ("a", "b", "c", "d", "e", "f", "g")
    assert column(values, "lookups_15m", *order) == [1, 2, 2, 1, 1, 1, 1]
    assert column(values, "lookups_1h", *order) == [1, 2, 3, 3, 1, 1, 2]
    assert column(values, "lookups_24h", *order) == [1, 2, 3, 4, 1, 5, 4]


def test_events_of_the_same_instant_are_counted_in_the_order_of_their_ids(engine: Connect) -> None:
    values = features_of(engine, [look(name, at(0, "08:00")) for name in ("c", "a", "b")])
    assert column(values, "lookups_1h", "a", "b", "c") == [1, 2, 3]


def test_a_chain_of_automatic_queries_and_log_ins_count_once_or_not(engine: Connect) -> None:
    values = features_of(
        engine,
        [
            look("in", at(0, "07:59"), action="login"),
            look("plate", at(0, "08:00")),
            look("plate-driver", at(0, "08:00:01"), parent_id="plate"),
            look("plate-name", at(0, "08:00:02"), is_automatic=True),
            look("root", at(0, "08:01"), parent_id="", is_automatic=False),
        ],
    )
    assert column(values, "lookups_1h", "in", "plate", "plate-driver", "plate-name", "root") == [0, 1, 1, 1, 2]


def test_rates_are_against_own_nights_and_shrunk_to_peers(engine: Connect) -> None:
    peers = {"unit": "north", "role": "pc"}
    rows = []
    for day in range(5):
        rows += [look(f"a{day}-{n}", at(2 * day, f"09:{n:02}"), **peers) for n in range(10)]
        rows += [look(f"b{day}", at(2 * day, "09:00"), operator_id="bob", **peers)]
    for who, name in (("a", "alice"), ("b", "bob"), ("c", "new")):
        rows += [look(f"{who}!{n}", at(10, f"09:{n:02}"), operator_id=name, **peers) for n in range(10)]
    values = features_of(engine, rows)
    # Alice's median is ln 11, Bob's ln 2, the peers' halfway, everybody's too; five own nights weigh 5 / 15. The
    # nights do not vary: the least spread of 0.25 stands.
    usual = (math.log(11) + math.log(2)) / 2
    for who, median in (("a", (5 * math.log(11) + 10 * usual) / 15), ("b", (5 * math.log(2) + 10 * usual) / 15)):
        assert values[f"{who}!9"]["rate_z"] == pytest.approx((math.log(11) - median) / 0.25)
        assert values[f"{who}!9"]["hour_rate_z"] == pytest.approx((math.log(11) - median) / 0.25)
    # Who has no night of their own is measured by the peers alone.
    assert values["c!9"]["rate_z"] == pytest.approx((math.log(11) - usual) / 0.25)
    # The busiest quarter of an hour held 10 and 1: peers 5.5.
    assert values["a!9"]["burst_15m"] == pytest.approx(10 / ((5 * 10 + 10 * 5.5) / 15))
    assert values["c!9"]["burst_15m"] == pytest.approx(10 / 5.5)


def test_peer_percentile_is_the_share_of_peers_nights_with_fewer(engine: Connect) -> None:
    # bob keys one a night and carol three: at two, half of the peers' nights had fewer.
    peers = {"unit": "north", "role": "pc"}
    rows = [look(f"b{day}", at(day * 2, "09:00"), operator_id="bob", **peers) for day in range(3)]
    rows += [look(f"c{d}-{n}", at(d * 2, f"09:0{n}"), operator_id="carol", **peers) for d in range(3) for n in range(3)]
    rows += [look(f"z{n}", at(6, f"10:0{n}"), operator_id="dan", **peers) for n in range(4)]
    values = features_of(engine, rows)
    # One look-up: bob's nights tie (half of 50 %); two: 50 %; three: carol's tie; four: more than any.
    assert column(values, "peer_percentile", "z0", "z1", "z2", "z3") == pytest.approx([25, 50, 75, 100])


def test_nothing_is_known_of_a_rate_on_the_first_night(engine: Connect) -> None:
    values = features_of(engine, [look("a", at(0, "08:00"))])
    assert column(values, "lookups_1h", "a") == [1]
    for name in ("rate_z", "hour_rate_z", "peer_percentile", "burst_15m", "export_excess", "hour_surprisal"):
        assert values["a"][name] is None, name


def test_of_a_masked_name_nothing_personal_is_told(engine: Connect) -> None:
    rows = [look(f"m{day}", at(day, "08:00"), operator_id="***", record_id="R1", unit="north") for day in range(3)]
    values = features_of(engine, rows)
    personal = ("lookups_1h", "lookups_24h", "rate_z", "peer_percentile", "burst_15m", "hour_surprisal", "streak_days",
        "span_hours", "idle_days", "record_new_to_actor", "revisit_days", "repeat_days", "export_excess")  # fmt: skip
    assert {values["m2"][name] for name in personal} == {None}
    assert values["m2"]["record_new_to_unit"] == 0
    assert values["m2"]["record_new_to_force"] == 0
