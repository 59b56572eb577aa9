"""docs/misuse-coverage.md says of every known misuse what shows it, and says it of rules and features that exist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.rules.document import rule_files
from detector.rules.load import load_rules
from detector.rules.names import feature_names

ROWS = range(1, 33)
#: The cases that the project began with: each is shown by a rule of its own, or by none and the page says why.
FOUNDING = {10, 11, 17, 18, 19, 21, 22, 26, 32}
_LINK = re.compile(r"\]\(\.\./rules/([\w/-]+\.yml)\)")


@dataclass(frozen=True)
class Row:
    number: int
    rules: tuple[str, ...]
    features: tuple[str, ...]
    limits: str


@pytest.fixture(scope="module")
def rows(root: Path) -> list[Row]:
    found = []
    for line in (root / "docs" / "misuse-coverage.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0].strip("*").isdigit():
            number, _, rules, features, limits = cells
            names = tuple(re.findall(r"`(\w+)`", features))
            found.append(Row(int(number.strip("*")), tuple(_LINK.findall(rules)), names, limits))
    return found


def test_every_misuse_has_one_row(rows: list[Row]) -> None:
    assert [row.number for row in rows] == list(ROWS)


def test_every_row_has_a_rule_or_says_why_not(rows: list[Row]) -> None:
    for row in rows:
        assert row.rules or len(row.limits.split()) >= 8, f"row {row.number} names no rule and no reason"


def test_the_founding_cases_have_rules_but_for_what_no_access_log_shows(rows: list[Row]) -> None:
    assert {row.number for row in rows if row.number in FOUNDING and not row.rules} == {32}
    (last,) = (row for row in rows if row.number == 32)
    assert "proxy" in last.limits
    assert "telephone" in last.limits


def test_every_rule_named_exists_and_every_rule_is_named(rows: list[Row], root: Path) -> None:
    shipped = {
        path.relative_to(root / "rules").as_posix()
        for path in rule_files([root / "rules"])
        if path.parent.name != "filters"
    }
    named = {rule for row in rows for rule in row.rules}
    assert named - shipped == set(), "docs/misuse-coverage.md names rules that are not there"
    assert shipped - named == set(), "docs/misuse-coverage.md does not say what these rules are for"


def test_every_feature_named_exists(rows: list[Row]) -> None:
    assert {name for row in rows for name in row.features} - feature_names() == set()


def test_no_rank_is_exempt(root: Path) -> None:
    """Row 16: nobody is left out for being somebody. Teams may be, and only by what they do."""
    ranks = ("chief", "commander", "superintendent", "inspector", "sergeant", "constable", "officer", "director")
    for rule in load_rules([root / "rules"], strict=True).detections:
        for selection in rule.about.metadata["detection"].values():
            for key, value in selection.items() if isinstance(selection, dict) else ():
                if key.startswith(("role", "rank")):
                    values = value if isinstance(value, list) else [value]
                    assert not [text for text in values if str(text).lower().strip("*") in ranks], rule.about.title
