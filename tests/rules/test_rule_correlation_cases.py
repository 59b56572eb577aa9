"""What correlations mean, on exact rows: all cases run in one pass, as rules do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from correlation_cases import CASES, ROWS, Case, findings, rules
from rule_helpers import run, write_events, write_rules


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[list[int]]]:
    """Case name -> its findings, rows numbered within the case."""
    folder = tmp_path_factory.mktemp("correlations")
    for number, texts in enumerate(rules()):
        write_rules(folder / f"{number}.yml", *texts)
    matches, result = run([folder], write_events(folder / "events.jsonl", [row.event for row in ROWS]))
    assert [remark for remark in result.remarks if "no time" not in remark] == []
    return findings((match["title"], match["events"]) for match in matches)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_finds_exactly_these_rows(case: Case, found: Mapping[str, list[list[int]]]) -> None:
    assert sorted(found[case.name]) == sorted(case.findings)


def test_every_case_has_its_own_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 70
