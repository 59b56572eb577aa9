"""Hostile files through the real ingest: every line's fate is as the golden table says, and the page shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hostile_cases import CASES, MAPPINGS
from hostile_run import GOLDEN, PAGE, Fate, page, run_cases, run_mappings

from detector.home import Home


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, Fate]]:
    found: dict[str, dict[str, Fate]] = json.loads(GOLDEN.read_text())
    return found


@pytest.fixture(scope="module")
def fates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fate]:
    from django.db import connections

    from detector.database import open_database

    folder = tmp_path_factory.mktemp("hostile")
    home = Home(folder / "home")
    open_database(home, env={})
    found = run_cases(folder / "files", home)
    connections.close_all()
    return found


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_every_line_has_the_fate_of_the_golden_table(
    name: str, fates: dict[str, Fate], golden: dict[str, dict[str, Fate]]
) -> None:
    assert fates[name] == golden["files"][name]


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_lines_add_up(name: str, fates: dict[str, Fate]) -> None:
    fate = fates[name]
    if "refused" not in fate:
        assert fate["lines"] == fate["events"] + fate["duplicates"] + len(fate["rejects"])


def test_wrong_mappings_are_refused(tmp_path: Path, golden: dict[str, dict[str, Fate]]) -> None:
    assert run_mappings(tmp_path) == golden["mappings"]
    assert all(name in golden["mappings"][name]["error"] for name, _, _ in MAPPINGS)  # the message names the file


def test_page_shows_the_golden_table(golden: dict[str, dict[str, Fate]]) -> None:
    assert PAGE.read_text() == page(golden), "run python tests/ingest/hostile_run.py"
