"""What cannot be run with its full meaning is refused where it stands; the rest still runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_helpers import rows_by_title, rule_text, run, write_events, write_rules

from detector.rules.load import load_rules
from detector.rules.pipeline import Given

GOOD = rule_text("good", "s: {a: 1}\ncondition: s")

#: What is written under `detection:`, the line of the fault within the file, and what is said.
DETECTIONS = [
    ("s:\n  f|re: 'a(?=b)'\ncondition: s", 5, "no look-around"),
    ("s:\n  f|re: '(?<!a)b'\ncondition: s", 5, "no look-around"),
    ("s:\n  f|re: '(a)\\1'\ncondition: s", 5, "no back-references"),
    ("s:\n  f|re:\n    - ok\n    - '('\ncondition: s", 7, "cannot be run"),
    ("s:\n  f|startwith: a\ncondition: s", 5, "Did you mean startswith?"),
    ("s:\n  f|cidr: 10.0.0.0/33\ncondition: s", 5, "Invalid CIDR"),
    ("s:\n  f|gt: many\ncondition: s", 5, "does not take"),
    ("s:\n  f|contains: 5\ncondition: s", 5, "does not take"),
    ("s:\n  f|expand: '%admins%'\ncondition: s", 3, "placeholder %admins% has no values"),
    ("s:\n  f: 2026-01-01\ncondition: s", 5, "Put a date in quotes"),
    ("s:\n  f: {g: 1}\ncondition: s", 5, "not a mapping"),
    ("s:\n  f: 9007199254740993\ncondition: s", 5, "Put it in quotes"),
    ("s:\n  f|re: 5\ncondition: s", 5, "must be a text"),
    ("s:\n  '|startswith': a\ncondition: s", 5, "needs a field"),
    ("s: [null]\ncondition: s", 4, "null has no meaning without a field"),
    ("s: {f: 1}\ncondition: selection", 5, "Known here: s."),
    ("selection: {f: 1}\ncondition: selektion", 5, "Did you mean selection?"),
    ("s: {f: 1}\ncondition: 1 of x_*", 5, "doesn't match any detection"),
    ("s: {f: 1}\ncondition: s and", 5, "Selections: s."),
    ("s: {f: 1}\ncondition: s | count() > 5", 5, "deprecated"),
    ("s: {f: 1}\ntimeframe: 5m\ncondition: s", 5, "correlation"),
    ("s: {}\ncondition: s", 4, "the selection is empty"),
    ("s:\n  f: []\ncondition: s", 5, "the list of values is empty"),
    ("s:\n  f|cased|fieldref: g\ncondition: s", 5, "fieldref disregards case"),
    ("s:\n  f|re|startswith: g\ncondition: s", 5, "says itself where it begins"),
    ("s:\n  f|re|endswith: g\ncondition: s", 5, "says itself where it ends"),
    ("s:\n  f|base64offset|contains: a\ncondition: s", 5, "too short for base64offset"),
    ("s:\n  f|startswith|fieldref: g\ncondition: s", 5, "must not contain wildcards"),
    ("s:\n  f|gt: '5'\ncondition: s", 5, "does not take"),
    ("s:\n  f|exists: maybe\ncondition: s", 5, "does not take"),
    ("x: {f: 1}\ny: {g: 1}\ncondition: x AND y", 6, "Expected end of text"),
    ("s: {f: 1}", 3, "no condition"),
]


@pytest.mark.parametrize(("detection", "line", "said"), DETECTIONS, ids=[said for _, _, said in DETECTIONS])
def test_refused_with_file_line_and_what_would_work(tmp_path: Path, detection: str, line: int, said: str) -> None:
    bad = write_rules(tmp_path / "bad.yml", rule_text("bad", detection))
    good = write_rules(tmp_path / "good.yml", GOOD)
    matches, result = run([bad, good], write_events(tmp_path / "e.jsonl", [{"a": 1}]))
    assert rows_by_title(matches) == {"good": [0]}
    assert result.refused == 1
    assert f"{bad}:{line}" in result.remarks[0]
    assert said in result.remarks[0]


#: Whole files that are no rules.
FILES = [
    ("title: a\ntitle: b\n", 2, "given twice"),
    ("a: &x [1]\nb: [*x]\n", 2, "alias"),
    ("title: [\n", None, "not valid YAML"),
    ("- a\n", 1, "expected a mapping"),
    ("title: t\nlevel: hgh\ndetection: {s: {a: 1}, condition: s}\n", 2, "Did you mean high?"),
    ("detection: {s: {a: 1}, condition: s}\n", 1, "needs a title"),
    ("title: t\n", 1, "detection"),
    ("title: t\nfilter: {rules: [x]}\n", 1, "a filter needs a logsource"),
    ("action: global\ntitle: t\n", 1, "no longer part of Sigma"),
]


@pytest.mark.parametrize(("text", "line", "said"), FILES, ids=[said for _, _, said in FILES])
def test_a_file_that_is_no_rule_is_refused(tmp_path: Path, text: str, line: int | None, said: str) -> None:
    (tmp_path / "r.yml").write_text(text)
    (refusal,) = load_rules([tmp_path], strict=False).refusals
    assert said in str(refusal)
    assert refusal.where is not None
    assert refusal.where.line == line or line is None


def test_keys_of_their_own_are_welcome_in_foreign_rules(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "r.yml", rule_text("t", "s: {a: 1}\ncondition: s", "levle: high\nid: R-1\n"))
    matches, result = run(rules, write_events(tmp_path / "e.jsonl", [{"a": 1}]))
    assert matches == [{"rule_id": "R-1", "title": "t", "level": "informational", "event": 0}]
    assert result.refused == 0


def test_placeholders_may_be_given(tmp_path: Path) -> None:
    detection = "s: {f|expand: '%who%', f|contains|all: [a, n]}\ncondition: s"
    rules = write_rules(tmp_path / "r.yml", rule_text("t", detection))
    pack = load_rules([rules], strict=False, given=Given({"who": ["ann", "bob*"]}))
    assert pack.refusals == ()
    assert load_rules([rules], strict=False).refusals


def test_two_rules_of_one_name_cannot_be_correlated(tmp_path: Path) -> None:
    named = rule_text("a", "s: {a: 1}\ncondition: s", "name: x\n")
    both = "title: c\ncorrelation: {type: event_count, rules: x, timespan: 1m, condition: {gte: 1}}"
    (refusal,) = load_rules([write_rules(tmp_path / "r.yml", named, named, both)], strict=False).refusals
    assert "is the name of 2 rules" in str(refusal)


def test_examples_and_hidden_files_are_no_rules(tmp_path: Path) -> None:
    write_rules(tmp_path / "a.yml", GOOD)
    for name in ("a.examples.yml", ".hidden.yml"):
        (tmp_path / name).write_text("examples: []\n")
    pack = load_rules([tmp_path], strict=False)
    assert [rule.about.title for rule in pack.rules] == ["good"]
    assert pack.refusals == ()
