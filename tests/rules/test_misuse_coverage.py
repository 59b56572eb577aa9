"""docs/misuse-coverage.md says of every known misuse what shows it, and says it of rules and features that exist."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

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


#: Names of seniority, in the words of several countries' forces.
SENIORITY = (
    "chief constable", "deputy chief constable", "assistant chief constable", "chief superintendent", "chief inspector",
    "commissioner", "commander", "chief of police", "sheriff", "captain", "lieutenant", "superintendent", "inspector",
    "sergeant", "constable", "police officer", "chief officer group", "command team", "senior officer", "director",
    "head of department", "manager",
)  # fmt: skip


def seniority_named(selections: Mapping[str, Any]) -> list[str]:
    """What of these selections fits a rank or a place in the hierarchy rather than a task."""
    found = []
    for selection in selections.values():
        for part in selection if isinstance(selection, list) else [selection]:
            for key, value in part.items() if isinstance(part, dict) else ():
                field, *modifiers = key.split("|")
                texts = [str(text) for text in (value if isinstance(value, list) else [value])]
                if field in ("role", "unit"):
                    texts = [text for text in texts if any(fits(text, modifiers, name) for name in SENIORITY)]
                found += texts if field in ("role", "unit", "rank") else []
    return found


def fits(text: str, modifiers: Sequence[str], name: str) -> bool:
    """Is it, as Sigma reads it, true of the name? Words are, too, where Sigma wants the whole: forces add to names."""
    if "re" in modifiers:
        return re.search(text, name, re.IGNORECASE) is not None
    plain = text.lower().strip("*")
    return (plain in name and plain != "") or fnmatchcase(name, text.lower())


def test_no_rank_is_exempt(root: Path) -> None:
    """Row 16: nobody is left out for being somebody. Teams may be, and only by what they do."""
    for rule in load_rules([root / "rules"], strict=True).detections:
        assert seniority_named(rule.about.metadata["detection"]) == [], rule.about.title
    filters = sorted((root / "rules" / "filters").glob("*.yml"))
    assert filters
    for file in filters:
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            assert seniority_named(document["filter"]) == [], file.name


@pytest.mark.parametrize(
    "selection",
    [
        "{role|contains: chief}",
        "{role: [disclosure, Detective Inspector, Inspector]}",
        "{role|startswith: Chief Const}",
        "{role|re: '(?i)superint.*'}",
        "{unit|contains: command team}",
        "{rank: analyst}",
        "[{requester_id: ''}, {role: '*sergeant*'}]",
    ],
)
def test_an_exception_by_rank_would_be_noticed(selection: str) -> None:
    assert seniority_named(yaml.safe_load(f"{{rules: any, theirs: {selection}, condition: not theirs}}"))


def test_a_task_is_no_rank() -> None:
    tasks = {"theirs": {"role|contains": ["disclosure", "exhibits officer"], "unit": "Custody"}}
    assert seniority_named(tasks) == []
