"""What `rules check` holds against a rule, where, and what it suggests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from detector.errors import RuleError
from detector.rules.lint import RISKS
from detector.rules.load import load_rules
from detector.rules.report import check_rules

GOOD = dedent(
    """\
    title: A good rule
    id: 5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11
    status: experimental
    description: Says what it finds.
    references: [https://example.org/report]
    author: somebody
    date: 2026-11-23
    tags: [misuse.curiosity]
    logsource: {category: record_access, product: police_index}
    detection:
      s:
        streak_days|gte: 5
      condition: s
    falsepositives: [overtime]
    level: low
    detector:
      explanation: "{count}, day {streak_days}"
      risk: notable
      reference_tables: [staff]
      triage: Ask first.
    """
)

FAULTS = [
    ("level: low", "levle: low", 15, "Did you mean level?"),
    ("status: experimental\n", "", 1, "the rule has no status"),
    ("falsepositives: [overtime]\n", "", 1, "the rule has no falsepositives"),
    ("status: experimental", "status: experimentl", 3, "Did you mean experimental?"),
    ("5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11", "R-1", 2, "is no UUID"),
    ("date: 2026-11-23", "date: last week", 7, "is no date"),
    ("[misuse.curiosity]", "[other.tag]", 8, "no tag names the misuse"),
    ("references: [https://example.org/report]", "references: https://example.org", 5, "must be a list of texts"),
    ("product: police_index", "product: windows", 9, "not this project's"),
    ("streak_days|gte", "streak_day|gte", 12, "Did you mean streak_days?"),
    ("streak_days|gte: 5", "streak_days|gte: 5\n    unit|fieldref: rol", 13, "Did you mean role?"),
    ("condition: s", "t: {unit: x}\n  condition: s", 13, "selection 't' is never used"),
    ("level: low", "level: high", 15, "does not fit risk notable"),
    ("risk: notable", "risk: notble", 18, "Did you mean notable?"),
    ("risk: notable", "rsik: notable", 18, "Did you mean risk?"),
    ("[staff]", "[stuff]", 19, "Did you mean staff?"),
    ("day {streak_days}", "day {streak}", 17, "does not exist"),
    ("risk: notable", "not_alone: true", 15, "never stands alone"),
    ("streak_days|gte: 5", "reason_text|re: 'a(?!b)'", 12, "no look-around"),
    ("condition: s", "condition: t", 13, "Known here: s."),
]


def faults(tmp_path: Path, text: str) -> list[RuleError]:
    (tmp_path / "r.yml").write_text(text)
    return list(check_rules([tmp_path]).faults)


def test_a_good_rule_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []
    assert load_rules([tmp_path], strict=True).refusals == ()


@pytest.mark.parametrize(("old", "new", "line", "said"), FAULTS, ids=[said for *_, said in FAULTS])
def test_each_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new))
    matching = [fault for fault in found if said in str(fault)]
    assert matching, found
    assert (matching[0].where and matching[0].where.line) == line
    assert load_rules([tmp_path], strict=True).refusals


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace("level: low", "levle: low").replace("streak_days|gte", "streak_day|gte")
    said = " ".join(map(str, faults(tmp_path, broken)))
    assert "levle" in said
    assert "streak_day'" in said


def test_two_rules_of_one_id_are_named_both(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD)
    (fault,) = check_rules([tmp_path]).faults
    assert str(fault).startswith(f"{tmp_path / 'b.yml'}:2 at id: the id 5f0f8a52")
    assert f"{tmp_path / 'a.yml'}:2" in str(fault)


def test_an_alias_bomb_is_one_line_of_complaint(tmp_path: Path) -> None:
    layers = ["a: &a [x,x,x,x,x,x,x,x,x]"] + [
        f"{n}: &{n} [{','.join(['*' + p] * 9)}]" for p, n in zip("abcdefg", "bcdefgh", strict=True)
    ]
    (fault,) = faults(tmp_path, "\n".join(layers))
    assert "alias" in str(fault)
    assert fault.where is not None
    assert fault.where.line == 2


def test_a_folder_without_rules_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no rule files here"):
        check_rules([tmp_path])
    with pytest.raises(RuleError, match="no such rule file or folder"):
        check_rules([tmp_path / "gone"])


def test_weak_risks_cannot_shout() -> None:
    assert RISKS["weak"] == {"informational", "low"}
    assert "low" not in RISKS["grave"]
