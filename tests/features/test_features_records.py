"""Novelty, repetition, crowds: who touched which record before."""

from __future__ import annotations

import pytest
from feature_world import Connect, at, column, features_of, look

from detector.config import FeatureSettings


def test_a_record_is_new_until_it_is_touched(engine: Connect) -> None:
    rows = [
        look("first", at(0, "08:00"), record_id="R0", unit="north"),
        look("a1", at(1, "08:00"), record_id="R1", unit="north"),
        look("a2", at(1, "09:00"), record_id="R1", unit="north"),  # a second look the same night
        look("b", at(1, "10:00"), record_id="R1", unit="north", operator_id="bob"),  # a colleague
        look("c", at(2, "08:00"), record_id="R1", unit="south", operator_id="carol"),  # another unit
        look("d", at(2, "08:30"), record_id="R2", unit="south", operator_id="carol"),
        look("bare", at(2, "09:00"), unit="south", operator_id="carol"),  # no record
        look("nowhere", at(2, "09:30"), record_id="R2", operator_id="dan"),  # no unit
    ]
    values = features_of(engine, rows)
    order = ("first", "a1", "a2", "b", "c", "d", "bare", "nowhere")
    # On the first night everything would be new: nothing is said.
    assert column(values, "record_new_to_actor", *order) == [None, 1, 0, 1, 1, 1, None, 1]
    assert column(values, "record_new_to_unit", *order) == [None, 1, 0, 0, 1, 1, None, None]
    assert column(values, "record_new_to_force", *order) == [None, 1, 0, 0, 0, 1, None, 0]


def test_a_record_becomes_new_again_after_the_novelty_days(engine: Connect) -> None:
    rows = [look("old", at(0, "08:00"), record_id="R1"), look("other", at(5, "08:00"), record_id="R2")]
    rows += [look("seventh", at(7, "08:00"), record_id="R1"), look("far", at(15, "08:00"), record_id="R1")]
    rows += [look("between", at(14, "08:00"), record_id="R3")]
    values = features_of(engine, rows, FeatureSettings(novelty_days=7))
    assert column(values, "record_new_to_actor", "seventh", "far") == [0, 1]
    assert column(values, "revisit_days", "seventh", "far") == [7, None]


def test_revisits_and_days_of_touching_are_counted(engine: Connect) -> None:
    rows = [look(f"d{day}", at(day, "08:00"), record_id="R1") for day in (0, 2, 4, 6, 7)]
    rows += [
        look("again", at(7, "09:00"), record_id="R1"),
        look("bob", at(7, "10:00"), record_id="R1", operator_id="b"),
    ]
    values = features_of(engine, rows)
    assert column(values, "revisit_days", "d0", "d2", "d6", "d7", "again", "bob") == [None, 2, 2, 1, 0, None]
    assert column(values, "repeat_days", "d0", "d2", "d6", "d7", "again", "bob") == [1, 2, 4, 5, 5, 1]


def test_regular_rechecks_vary_little(engine: Connect) -> None:
    rows = [look(f"d{day}", at(day, "08:00"), record_id="R1") for day in (0, 2, 4, 6, 12)]
    values = features_of(engine, rows)
    # Two gaps say nothing; three equal ones do not vary; 2, 2, 2, 6: mean 3, standard deviation sqrt(3).
    assert column(values, "recheck_regularity", "d4", "d6") == [None, 0]
    assert values["d12"]["recheck_regularity"] == pytest.approx(3**0.5 / 3)


def test_a_crowd_is_of_different_people_within_72_hours(engine: Connect) -> None:
    rows = [
        look("a", at(0, "08:00"), record_id="R1"),
        look("b", at(0, "10:00"), record_id="R1", operator_id="bob"),
        look("a2", at(1, "08:00"), record_id="R1"),  # the same two people
        look("c", at(3, "09:59:59"), record_id="R1", operator_id="carol"),  # bob just still counts
        look("c2", at(3, "10:00"), record_id="R1", operator_id="carol"),  # and now no longer
        look("b2", at(3, "11:00"), record_id="R1", operator_id="bob"),  # back again
        look("m", at(3, "12:00"), record_id="R1", operator_id="***"),  # masked: sees the crowd, is not counted
        look("r2", at(3, "12:00"), record_id="R2"),
    ]
    values = features_of(engine, rows)
    # Nothing older than three nights: nobody was expected.
    assert column(values, "crowd", "a", "b", "a2", "c", "c2", "b2", "m", "r2") == [1, 2, 2, 3, 2, 3, 3, 1]


def test_a_record_that_is_always_busy_makes_no_crowd(engine: Connect) -> None:
    rows = [look(f"{who}{day}", at(day, "08:00"), record_id="R1", operator_id=who) for day in range(8) for who in "ab"]
    values = features_of(engine, rows)
    # Night 7: four nights older than three days with two people each, of 7 - 3 nights: six expected in 72 hours.
    assert values["b7"]["crowd"] == pytest.approx(2 / (1 + 3 * 8 / 4))
