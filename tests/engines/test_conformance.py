"""Sigma's meaning on exact rows, the same on both engines: all cases over tables with columns, in one pass a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import ibis
import pytest
from engine_tables import typed_tables
from rule_cases import CASES
from rule_helpers import rule_text, write_rules

from detector.rules.load import load_rules
from detector.rules.pack import RulePack
from detector.rules.run import run_rules
from detector.rules.sources import ColumnSource

TABLES, HELD = typed_tables(CASES)


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> RulePack:
    path = tmp_path_factory.mktemp("cases") / "rules.yml"
    pack = load_rules([write_rules(path, *(rule_text(case.name, case.detection) for case in CASES))], strict=False)
    assert not pack.refusals
    return pack


def found(con: Any, pack: RulePack) -> Mapping[str, list[int]]:
    """Case name -> matching rows, numbered within the case."""
    rows: dict[str, list[int]] = defaultdict(list)
    for table in TABLES:
        source = ColumnSource(ibis.memtable(table.arrow()), table.names)
        asked = {name for (name, _), _ in table.rows}
        rules = tuple(rule for rule in pack.detections if rule.about.title in asked)
        for hit in run_rules(con, RulePack(rules), source):
            owner, number = table.rows[hit.rows[0]][0]
            if owner == hit.rule.about.title:
                rows[owner].append(number)
    return {name: sorted(numbers) for name, numbers in rows.items()}


def test_every_case_gives_exactly_its_rows(con: Any, pack: RulePack) -> None:
    rows = found(con, pack)
    expected = {case.name: [row for row in case.rows if row in HELD[case.name]] for case in CASES}
    wrong = {name: (rows.get(name, []), right) for name, right in expected.items() if rows.get(name, []) != right}
    assert wrong == {}


def test_the_tables_hold_nearly_all_of_the_cases() -> None:
    assert len(TABLES) <= 20
    assert sum(map(len, HELD.values())) >= 0.97 * sum(len(case.events) for case in CASES)
    assert all(HELD.values())
