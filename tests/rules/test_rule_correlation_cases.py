"""What correlations mean, on exact rows: every case is a file of its own, and all run in one pass."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from correlation_cases import CASES, Case, events_of, rules_of
from rule_helpers import rows_by_title, run, write_events, write_rules


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[list[int]]]:
    """Case name -> its findings, rows numbered within the case."""
    folder = tmp_path_factory.mktemp("correlations")
    for index, case in enumerate(CASES):
        write_rules(folder / f"case{index}.yml", *rules_of(case))
    rows = [(index, row) for index, case in enumerate(CASES) for row in range(len(case.events))]
    events = [event for case in CASES for event in events_of(case)]
    matches, result = run([folder], write_events(folder / "events.jsonl", events))
    assert [remark for remark in result.remarks if "no time" not in remark] == []
    by_title = rows_by_title(matches)
    return {case.name: [[rows[row][1] for row in one] for one in by_title[case.name]] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_finds_exactly_these_rows(case: Case, found: Mapping[str, list[list[int]]]) -> None:
    assert sorted(found[case.name]) == sorted(case.findings)


def test_every_case_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 70
