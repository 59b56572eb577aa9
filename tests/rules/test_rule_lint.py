"""What `rules check` holds against a rule, where, and what it suggests."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from detector.errors import RuleError
from detector.rules.checks import (
    DOCUMENT_CHECKS,
    KINDS,
    between,
    conditions,
    correlations,
    fields,
    kind_of,
    metadata,
    own,
)
from detector.rules.checks.kind import Check, Kind
from detector.rules.checks.own import RISKS
from detector.rules.load import load_rules
from detector.rules.report import CheckReport, Fault, check_rules
from detector.rules.sarif import sarif

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


EXAMPLES = (
    "examples:\n  - {name: five, expect: {exactly: 1}, events: [{streak_days: 5}]}\n"
    "  - {name: four, near_miss_of: five, change: {streak_days: 4}, expect: none}\n"
)


def checked(tmp_path: Path, text: str) -> CheckReport:
    (tmp_path / "r.yml").write_text(text)
    (tmp_path / "r.examples.yml").write_text(EXAMPLES)
    return check_rules([tmp_path])


def faults(tmp_path: Path, text: str) -> list[Fault]:
    return list(checked(tmp_path, text).faults)


def test_a_good_rule_has_no_fault_but_the_note_that_it_runs_here_alone(tmp_path: Path) -> None:
    (note,) = faults(tmp_path, GOOD)
    assert (note.id, note.severity, note.line) == ("names-feature", "note", 12)
    assert not checked(tmp_path, GOOD).failed
    assert load_rules([tmp_path], strict=True).refusals == ()


@pytest.mark.parametrize(("old", "new", "line", "said"), FAULTS, ids=[said for *_, said in FAULTS])
def test_each_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    found = faults(tmp_path, GOOD.replace(old, new))
    matching = [fault for fault in found if said in f"{fault.message} {fault.hint}"]
    assert matching, found
    assert (matching[0].line, matching[0].severity) == (line, "error")
    assert load_rules([tmp_path], strict=True).refusals


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    broken = GOOD.replace("level: low", "levle: low").replace("streak_days|gte", "streak_day|gte")
    said = " ".join(map(str, faults(tmp_path, broken)))
    assert "levle" in said
    assert "streak_day'" in said


def test_two_rules_of_one_id_are_named_both(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(GOOD)
    (fault,) = [fault for fault in check_rules([tmp_path]).faults if fault.severity == "error"]
    assert (fault.id, fault.file, fault.line) == ("duplicate-id", str(tmp_path / "b.yml"), 2)
    assert fault.message.startswith("the id 5f0f8a52")
    assert f"{tmp_path / 'a.yml'}:2" in fault.message


BOMB = "\n".join(
    ["a: &a [x,x,x,x,x,x,x,x,x]"]
    + [f"{n}: &{n} [{','.join(['*' + p] * 9)}]" for p, n in zip("abcdefgh", "bcdefghi", strict=True)]
)


def test_an_alias_bomb_is_one_line_of_complaint(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, BOMB)
    assert (fault.id, fault.line) == ("yaml-alias", 2)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its own peak from Linux's /proc")
def test_an_alias_bomb_costs_no_memory(tmp_path: Path) -> None:
    """Expanded it would be 9^9 texts: gigabytes, where the program takes some 150 MiB with all its libraries."""
    (tmp_path / "r.yml").write_text(BOMB)
    # getrusage would tell of the process that started this one too
    code = (
        "import sys; from pathlib import Path; from detector.cli import run;"
        "code = run(['rules', 'check', sys.argv[1]]);"
        "peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0];"
        "print(int(peak) // 1024, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "r.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 3, done.stderr
    assert "yaml-alias" in done.stdout
    assert int(done.stderr) < 500, "MiB"


# Every kind of fault has an example of it and of its mend, which docs/rule-faults.md shows.

#: Those that cannot be shown as a file's text; each has a test of its own below.
TOLD = {
    "unreadable-file", "not-utf8", "file-too-large", "undeclared-table", "no-examples", "duplicate-id",
    "duplicate-title", "duplicate-detection",
}  # fmt: skip


def rule_of(sound: str, kind: Kind, text: str) -> str:
    """The sound rule with the example's top-level keys in the place of its own."""
    if kind.whole:
        return text
    lines = text.splitlines(keepends=True)
    given = {line.partition(":")[0] for line in lines if line[0] not in " \t"}
    kept, keep = [], True
    for line in sound.splitlines(keepends=True):
        if line[0] != " ":
            keep = line.partition(":")[0] not in given
        kept += [line] if keep else []
    return "".join(kept) + text


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.id not in TOLD], ids=lambda kind: kind.id)
def test_the_example_of_a_fault_has_it_and_its_mend_has_not(tmp_path: Path, root: Path, kind: Kind) -> None:
    sound = page_sound(root)
    found = faults(tmp_path, rule_of(sound, kind, kind.bad))
    assert {fault.severity for fault in found if fault.id == kind.id} == {kind.severity}
    mended = faults(tmp_path, rule_of(sound, kind, kind.good))
    assert kind.id not in {fault.id for fault in mended}
    if not kind.whole:
        assert [fault for fault in mended if fault.severity != "note"] == []


def page_sound(root: Path) -> str:
    return str(runpy.run_path(str(root / "docs" / "rules_page.py"))["SOUND"])


def test_the_sound_rule_of_the_page_is_sound(tmp_path: Path, root: Path) -> None:
    assert [fault.id for fault in faults(tmp_path, page_sound(root))] == ["names-feature"]


def test_every_kind_is_documented(root: Path) -> None:
    written = (root / "docs" / "rule-faults.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(root / "docs" / "rules_page.py"))["faults_page"]()
    assert written == made, "run `python docs/rules_page.py`"
    for kind in KINDS.values():
        assert f"\n## {kind.id}\n" in written


def test_no_check_is_forgotten() -> None:
    """A function made a check and left out of its module's list would never run."""
    listed = {id(one) for one in (*DOCUMENT_CHECKS, *conditions.LOGIC_CHECKS, *between.CHECKS, *correlations.CHECKS)}
    for module in (metadata, own, fields, conditions, between, correlations):
        for name, value in vars(module).items():
            assert not isinstance(value, Check) or id(value) in listed, name


def test_an_error_without_a_code_is_still_of_a_kind() -> None:
    assert kind_of(RuleError("whatever")).id == "cannot-run"


def ids(report: CheckReport) -> set[str]:
    return {fault.id for fault in report.faults}


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.yml").mkdir()
    (tmp_path / "latin.yml").write_bytes("title: a\ntitel: Caf\xe9\n".encode("latin-1"))
    (tmp_path / "large.yml").write_text("# " + "x" * (1 << 20))
    found = {(Path(fault.file).name, fault.line, fault.id) for fault in check_rules([tmp_path]).faults}
    assert found == {
        ("folder.yml", 1, "unreadable-file"),
        ("latin.yml", 2, "not-utf8"),
        ("large.yml", 1, "file-too-large"),
    }


def test_copies_are_named(tmp_path: Path) -> None:
    other = GOOD.replace("5f0f8a52", "6f0f8a52")
    (tmp_path / "a.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text(other)
    report = check_rules([tmp_path])
    assert {"duplicate-title", "duplicate-detection", "no-examples"} <= ids(report)
    assert not report.failed
    assert check_rules([tmp_path], strict=True).failed


def test_weak_risks_cannot_shout() -> None:
    assert RISKS["weak"] == {"informational", "low"}
    assert "low" not in RISKS["grave"]


def test_a_path_that_does_not_exist_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such rule file or folder"):
        check_rules([tmp_path / "gone"])


def test_sarif_is_as_code_scanning_takes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No schema of SARIF 2.1.0 comes with an installed package, so what the two platforms ask for is asserted here."""
    folder = tmp_path / "my rules"
    folder.mkdir()
    (folder / "r.yml").write_text(GOOD.replace("level: low", "levle: low"))
    monkeypatch.chdir(tmp_path)
    report = check_rules([Path("my rules")])
    log = json.loads(json.dumps(sarif(report, here=tmp_path)))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(KINDS)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len(run["results"]) == len(report.faults)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "my%20rules/r.yml", "uriBaseId": "%SRCROOT%"}
        assert place["region"]["startLine"] >= 1
        assert len(result["partialFingerprints"]["detectorFault/v1"]) == 64
    (unknown,) = [result for result in run["results"] if result["ruleId"] == "unknown-key"]
    assert unknown["locations"][0]["physicalLocation"]["region"] == {"startLine": 15}
    elsewhere = sarif(report, here=tmp_path / "other")["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert elsewhere["artifactLocation"] == {"uri": (folder / "r.yml").as_uri()}


def test_a_fault_that_moved_is_the_same_fault(tmp_path: Path) -> None:
    def fingerprint(text: str) -> str:
        log = sarif(checked(tmp_path, text), here=tmp_path)
        return str(next(r["partialFingerprints"] for r in log["runs"][0]["results"] if r["ruleId"] == "unknown-key"))

    broken = GOOD.replace("level: low", "levle: low")
    assert fingerprint(broken) == fingerprint("# a comment more\n" + broken)
    assert fingerprint(broken) != fingerprint(broken.replace("levle", "lvl"))


def test_every_example_in_yaml_is_yaml_unless_that_is_its_fault() -> None:
    for kind in KINDS.values():
        assert list(yaml.safe_load_all(kind.good)) or not kind.good
