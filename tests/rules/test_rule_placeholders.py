"""`|expand`: what is a placeholder, and what the values given for it mean."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from rule_helpers import rule_text, write_events, write_rules

from detector.rules.load import load_rules
from detector.rules.over_file import rules_over_file
from detector.rules.pipeline import Given

GIVEN = {
    "name": ["bob"],
    "srv": ["srv*", r"10\*"],
    "one": ["x?y"],
    "re": ["a.c", r"d\d"],
    "Case": ["Ann*"],
    "many": [f"v{index}" for index in range(3000)],
}
USERS = [
    "srv01", "SRV*", "10*", "100", "xzy", "x?y", "xy", "%plainbob", r"\%plainbob", r"C:\bob", "abc", "d5", "ann",
    "Anna", "v2999", "bobv7", "pre-srv9-post",
]  # fmt: skip
CASES = {
    r"u|expand: '%srv%'": ["srv01", "SRV*", "10*"],
    r"u|expand: '%one%'": ["xzy", "x?y"],
    r"u|contains|expand: '-%srv%-'": ["pre-srv9-post"],
    r"u|expand: '\%plain%name%'": ["%plainbob"],
    r"u|expand: 'C:\\%name%'": [r"C:\bob"],
    r"u|re|expand: '^(%re%)$'": ["abc", "d5"],
    r"u|expand|cased: '%Case%'": ["Anna"],
    r"u|expand: '%many%'": ["v2999"],
    r"u|expand: '%name%%many%'": ["bobv7"],
    r"u|expand: [abc, '%name%x']": ["abc"],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("placeholders")
    rules = write_rules(folder / "r.yml", *(rule_text(item, f"s: {{{item}}}\ncondition: s") for item in CASES))
    events = write_events(folder / "e.jsonl", [{"u": user} for user in USERS])
    lines: list[str] = []
    rules_over_file(
        [rules], events, time_field="at", today=date(2026, 3, 2), write=lines.append, given=Given(dict(GIVEN))
    )
    matched: dict[str, list[str]] = {}
    for line in "".join(lines).splitlines():
        match = json.loads(line)
        matched.setdefault(match["title"], []).append(USERS[match["event"]])
    return matched


@pytest.mark.parametrize("item", CASES)
def test_values_mean_what_they_mean_anywhere(found: dict[str, list[str]], item: str) -> None:
    assert found[item] == CASES[item]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (r"u|expand: 'C:\Users\%name%'", r"`\%` is a percent sign, and so the value has no placeholder"),
        (r"u|expand: '%many%%many%'", "its placeholders come to 9,000,000 values, and 10,000 are the most"),
        (r"u|re|expand: 'a%open%'", "with its placeholders filled in it cannot be run: missing )"),
        (r"u|expand: '\\%plain%name%'", "placeholder %plain% has no values"),
    ],
)
def test_what_has_no_one_meaning_is_refused(tmp_path: Path, item: str, said: str) -> None:
    rules = write_rules(tmp_path / "r.yml", rule_text("t", f"s: {{{item}}}\ncondition: s"))
    (refusal,) = load_rules([rules], strict=False, given=Given({**GIVEN, "open": ["(x"]})).refusals
    assert said in str(refusal)
