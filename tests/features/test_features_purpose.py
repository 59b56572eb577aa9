"""Reasons, case references, breadth and exports."""

from __future__ import annotations

import math

import pytest
from feature_world import Connect, at, column, features_of, look


def test_a_blank_reason_counts_where_reasons_are_given(engine: Connect) -> None:
    rows = [look(f"n{n}", at(0, "08:00"), unit="north", reason_text="burglary" if n else "") for n in range(20)]
    rows += [look(f"s{n}", at(0, "08:00"), unit="south", reason_text="" if n else "burglary") for n in range(20)]
    rows += [
        look("north", at(1, "08:00"), unit="north", reason_text=""),
        look("south", at(1, "08:00"), unit="south", reason_text=""),
        look("given", at(1, "08:00"), unit="north", reason_text="theft"),
        look("absent", at(1, "08:00"), unit="north"),  # the source has no such column: that is not blank
    ]
    values = features_of(engine, rows)
    # 19 and 1 of 20, everybody 20 of 40; shrunk with 20.
    assert values["north"]["reason_missing"] == pytest.approx((19 + 20 * 0.5) / 40)
    assert values["south"]["reason_missing"] == pytest.approx((1 + 20 * 0.5) / 40)
    assert column(values, "reason_missing", "given", "absent", "n0") == [0, None, None]


def test_copied_reasons_show_as_a_share_of_all(engine: Connect) -> None:
    texts = ["investigation", "INVESTIGATION", "theft", "investigation", "investigation", "", "investigation"]
    rows = [look(f"r{n}", at(n // 4, f"08:0{n}"), reason_text=text) for n, text in enumerate(texts)]
    values = features_of(engine, rows)
    # Below five reasons nothing; the fifth is the fourth of its kind; the blank one is none; then five of six.
    assert column(values, "reason_duplication", "r3", "r4", "r5", "r6") == [None, 0.8, None, pytest.approx(5 / 6)]


def test_a_reason_in_words_unlike_the_units_is_surprising(engine: Connect) -> None:
    rows = [look(f"n{n}", at(0, "08:00"), unit="north", reason_text="burglary") for n in range(50)]
    rows += [
        look("usual", at(1, "08:00"), unit="north", reason_text="Burglary!"),
        look("odd", at(1, "08:00"), unit="north", reason_text="curious"),
        look("both", at(1, "08:00"), unit="north", reason_text="burglary, curious"),
        look("numbers", at(1, "08:00"), unit="north", reason_text="12 34"),
    ]
    values = features_of(engine, rows)
    everybody, never = (50 + 50 / 5000) / 100, (50 / 5000) / 100
    usual, odd = -math.log2((50 + 50 * everybody) / 100), -math.log2(50 * never / 100)
    assert values["usual"]["reason_surprisal"] == pytest.approx(usual, abs=1e-4)
    assert values["odd"]["reason_surprisal"] == pytest.approx(odd, abs=1e-4)
    assert values["both"]["reason_surprisal"] == pytest.approx((usual + odd) / 2, abs=1e-4)
    assert values["numbers"]["reason_surprisal"] == pytest.approx(odd, abs=1e-4)
    assert values["n0"]["reason_surprisal"] is None


def test_records_under_one_case_reference_add_up_over_nights(engine: Connect) -> None:
    rows = [
        look("a", at(0, "08:00"), case_ref="C1", record_id="R1"),
        look("b", at(0, "08:01"), case_ref="C1", record_id="R2", operator_id="bob"),
        look("c", at(0, "08:02"), case_ref="C1", record_id="R1"),  # not another record
        look("d", at(1, "08:00"), case_ref="C1", record_id="R2"),
        look("e", at(1, "08:01"), case_ref="C1", record_id="R3"),
        look("f", at(1, "08:02"), case_ref="C2", record_id="R3"),
        look("g", at(1, "08:03"), case_ref="", record_id="R4"),
        look("h", at(1, "08:04"), record_id="R4"),
    ]
    values = features_of(engine, rows)
    order = ("a", "b", "c", "d", "e", "f", "g", "h")
    assert column(values, "reference_records", *order) == [1, 2, 2, 2, 3, 1, None, None]
    # The peers' first night: alice's and bob's look-ups under C1 are one case of two records: ln 3.
    assert values["e"]["reference_reuse"] == pytest.approx(4 / 3, abs=1e-3)
    assert values["a"]["reference_reuse"] is None


def test_breadth_is_in_doublings_over_the_peers_in_the_system(engine: Connect) -> None:
    rows = [look(f"n{n}", at(0, "08:00"), result_count=3, scope_count=0) for n in range(20)]
    rows += [look(f"m{n}", at(0, "08:00"), result_count=63, system="ALPR") for n in range(20)]
    rows += [
        look("wide", at(1, "08:00"), result_count=31, scope_count=7),
        look("same", at(1, "08:00"), result_count=63, system="ALPR"),
        look("none", at(1, "08:00")),
    ]
    values = features_of(engine, rows)
    assert column(values, "breadth", "wide", "same", "none") == [
        pytest.approx(3, abs=1e-3),
        pytest.approx(0, abs=1e-3),
        None,
    ]
    assert column(values, "scope_breadth", "wide", "same", "none") == [pytest.approx(3, abs=1e-3), None, None]


def test_exports_are_against_the_actors_own_nights(engine: Connect) -> None:
    rows = [look(f"n{day}", at(2 * day, "08:00"), action="print") for day in range(3)]
    rows += [
        look("view", at(8, "08:00"), action="view"),
        look("print", at(8, "08:01"), action="print"),
        look("bulk", at(8, "08:02"), action="export", export_count=6),
    ]
    values = features_of(engine, rows)
    assert column(values, "export_excess", "view", "print", "bulk") == pytest.approx([-1, 0, 2])
