"""Terminals, keying for somebody else, refusals."""

from __future__ import annotations

import pytest
from feature_world import Connect, at, column, features_of, look


def test_two_terminals_within_ten_minutes_are_a_conflict(engine: Connect) -> None:
    rows = [
        look("a", at(0, "23:50"), terminal_id="T1"),
        look("b", at(1, "00:00"), terminal_id="T2"),  # ten minutes, over midnight
        look("c", at(1, "00:05"), terminal_id="T2"),  # T1 is 15 minutes ago
        look("none", at(1, "00:06")),  # no terminal known
        look("d", at(1, "00:07"), terminal_id="T2"),
        look("e", at(1, "00:16"), terminal_id="T1"),
        look("bob", at(1, "00:16"), terminal_id="T2", operator_id="bob"),  # a shared terminal is no conflict
    ]
    values = features_of(engine, rows)
    assert column(values, "session_conflict", "a", "b", "c", "none", "d", "e", "bob") == [0, 1, 0, None, 0, 1, 0]


def test_a_terminal_is_new_once(engine: Connect) -> None:
    rows = [
        look("first", at(0, "08:00"), terminal_id="T1"),
        look("same", at(1, "08:00"), terminal_id="T1"),
        look("new", at(1, "09:00"), terminal_id="T2"),
        look("again", at(1, "10:00"), terminal_id="T2"),
        look("later", at(2, "10:00"), terminal_id="T2"),
        look("starter", at(2, "10:00"), terminal_id="T2", operator_id="bob"),  # never seen at any: not known
    ]
    values = features_of(engine, rows)
    order = ("first", "same", "new", "again", "later", "starter")
    assert column(values, "new_terminal", *order) == [None, 0, 1, 0, 0, None]


def test_a_terminal_is_the_operators_not_the_requesters(engine: Connect) -> None:
    rows = [
        look("own", at(0, "08:00"), terminal_id="T1", operator_id="bureau"),
        look("for-a", at(1, "08:00"), terminal_id="T1", operator_id="bureau", requester_id="alice"),
        look("for-b", at(1, "08:01"), terminal_id="T1", operator_id="bureau", requester_id="bob"),
    ]
    assert column(features_of(engine, rows), "new_terminal", "for-a", "for-b") == [0, 0]


def test_the_share_keyed_for_others_is_the_operators_over_24_hours(engine: Connect) -> None:
    rows = [
        look("old", at(0, "07:00"), operator_id="op", requester_id="a"),
        look("a", at(0, "09:00"), operator_id="op", requester_id="a"),
        look("self", at(1, "08:00"), operator_id="op", requester_id="op"),
        look("blank", at(1, "08:30"), operator_id="op", requester_id=""),
        look("unknown", at(1, "08:40"), operator_id="op"),
    ]
    values = features_of(engine, rows)
    expected = [1, 1, 0.5, pytest.approx(1 / 3), None]
    assert column(values, "onbehalf_share", "old", "a", "self", "blank", "unknown") == expected


def test_refusals_add_up_where_outcomes_are_logged(engine: Connect) -> None:
    rows = [
        look("a", at(0, "08:00"), outcome="denied"),
        look("b", at(0, "08:01"), outcome="success"),
        look("c", at(0, "08:02"), outcome="error"),
        look("d", at(0, "08:03")),
        look("e", at(1, "08:01"), outcome="no_trace"),
    ]
    assert column(features_of(engine, rows), "failed_24h", "a", "b", "c", "d", "e") == [1, 1, 2, None, 1]
