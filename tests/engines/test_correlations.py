"""Correlations on Spark, on exact rows: all cases in one pass over a table of texts.

DuckDB finds the same rows of the same cases in tests/rules/test_rule_correlation_cases.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from correlation_cases import CASES, ROWS, findings, rules
from rule_cases import CASES as DETECTIONS
from rule_helpers import write_rules

from detector.rules.load import load_rules
from detector.rules.run import run_rules
from detector.rules.sources import ColumnSource


def texts(event: Mapping[str, Any], head: str = "") -> dict[str, str | None]:
    """An event as columns of text, what is nested by its dotted name."""
    found: dict[str, str | None] = {}
    for name, value in event.items():
        if isinstance(value, dict):
            found |= texts(value, f"{head}{name}.")
        else:
            found[head + name] = (
                str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
            )
    return found


def source() -> ColumnSource:
    flat = [texts(row.event) for row in ROWS]
    names = {name: f"c{index}" for index, name in enumerate(dict.fromkeys(name for each in flat for name in each))}
    columns = {column: pa.array([each.get(name) for each in flat], pa.string()) for name, column in names.items()}
    return ColumnSource(ibis.memtable(pa.table({"row": pa.array(range(len(flat)), pa.int64()), **columns})), names)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_every_case_finds_exactly_its_rows(spark: Any, tmp_path: Path) -> None:
    for number, written in enumerate(rules()):
        write_rules(tmp_path / f"{number}.yml", *written)
    pack = load_rules([tmp_path], strict=False)
    assert not pack.refusals
    found = findings((hit.rule.about.title, hit.rows) for hit in run_rules(spark, pack, source()))
    wrong = {
        case.name: (found[case.name], case.findings)
        for case in CASES
        if sorted(found[case.name]) != sorted(case.findings)
    }
    assert wrong == {}


def test_there_are_enough_cases_for_both_engines() -> None:
    assert len(DETECTIONS) >= 150
    assert len(CASES) + len(DETECTIONS) > 300  # as docs/architecture.md says
    types = {name for case in CASES for name in re.findall(r"type: (\w+)", case.body)}
    assert len(types) == 8
