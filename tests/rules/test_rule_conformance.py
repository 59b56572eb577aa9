"""Sigma's meaning on exact rows: every case alone would take an engine each, so all run in one pass, as rules do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rule_cases import CASES, Case
from rule_helpers import rows_by_title, rule_text, run, write_events, write_rules


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[int]]:
    """Case name -> matching rows, numbered within the case."""
    folder = tmp_path_factory.mktemp("conformance")
    rules = write_rules(folder / "rules.yml", *(rule_text(case.name, case.detection) for case in CASES))
    owner = [(case.name, row) for case in CASES for row in range(len(case.events))]
    events = write_events(folder / "events.jsonl", [event for case in CASES for event in case.events])
    matches, result = run(rules, events)
    assert result.remarks == ()
    by_title = rows_by_title(matches)
    return {case.name: [owner[row][1] for row in by_title[case.name] if owner[row][0] == case.name] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_matches_exactly_these_rows(case: Case, found: Mapping[str, list[int]]) -> None:
    assert found[case.name] == case.rows


def test_there_are_enough_cases_and_each_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 180
