"""Rules for other field names, run over our events by pySigma's processing pipelines."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from rule_helpers import rows_by_title, rule_text, write_events, write_rules

from detector import cli
from detector.config import RuleSettings
from detector.errors import ConfigError
from detector.rules.load import load_rules
from detector.rules.over_file import rules_over_file
from detector.rules.pipeline import Given, given_by, read_pipelines

MAPPING = """\
name: theirs to ours
priority: 20
transformations:
  - id: names
    type: field_name_mapping
    mapping: {UserName: actor_id, Object: record_id, Action: action, Either: [action, system]}
    rule_conditions:
      - {type: logsource, category: any}
"""
EVENTS = [
    {
        "event_time": f"2026-03-01T00:0{minute}:00Z",
        "actor_id": who,
        "record_id": record,
        "action": action,
        "system": "s",
    }
    for minute, (who, record, action) in enumerate(
        [
            ("ann", "r1", "view"),
            ("ann", "r2", "view"),
            ("ann", "ann", "print"),
            ("bob", "r1", "view"),
            ("bob", "r1", "s"),
        ]
    )
]


def found(folder: Path, pipelines: list[Path], *rules: str) -> tuple[dict[str, list[object]], list[str]]:
    lines: list[str] = []
    result = rules_over_file(
        [write_rules(folder / "rules.yml", *rules)],
        write_events(folder / "events.jsonl", EVENTS),
        time_field="event_time",
        today=date(2026, 3, 2),
        write=lines.append,
        given=Given(pipeline=read_pipelines(pipelines)),
    )
    return rows_by_title(map(json.loads, "".join(lines).splitlines())), list(result.remarks)


def pipeline(folder: Path, text: str, name: str = "pipeline.yml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_fields_of_detections_references_and_keywords_are_mapped(tmp_path: Path) -> None:
    rows, remarks = found(
        tmp_path,
        [pipeline(tmp_path, MAPPING)],
        rule_text("views", "s: {Action: view}\ncondition: s"),
        rule_text("own", "s: {UserName|fieldref: Object}\ncondition: s"),
        rule_text("one of two fields", "s: {Either: s}\ncondition: s"),
        rule_text("not mapped", "s: {actor_id: bob}\ncondition: s"),
    )
    assert remarks == []
    assert rows == {"views": [0, 1, 3], "own": [2], "one of two fields": [0, 1, 2, 3, 4], "not mapped": [3, 4]}


def test_a_rule_of_another_log_source_stays_as_it_is(tmp_path: Path) -> None:
    rule = rule_text("views", "s: {Action: view}\ncondition: s").replace("category: any", "category: other")
    assert found(tmp_path, [pipeline(tmp_path, MAPPING)], rule)[0] == {}


def test_correlations_group_count_and_alias_by_the_mapped_names(tmp_path: Path) -> None:
    head = "level: low\ncorrelation:\n  timespan: 1h\n"
    rows, remarks = found(
        tmp_path,
        [pipeline(tmp_path, MAPPING)],
        rule_text("views", "s: {Action: view}\ncondition: s", "name: views\n"),
        rule_text("prints", "s: {Action: print}\ncondition: s", "name: prints\n"),
        f"title: many\n{head}  type: value_count\n  rules: views\n  group-by: [UserName]\n"
        "  condition: {field: Object, gte: 2}\n",
        f"title: both\n{head}  type: temporal\n  rules: [views, prints]\n  group-by: [person]\n"
        "  aliases: {person: {views: UserName, prints: Object}}\n",
    )
    assert remarks == []
    assert rows == {"many": [[0, 1]], "both": [[0, 1, 2]]}


def test_pipelines_apply_in_order_of_priority(tmp_path: Path) -> None:
    first = "name: a\npriority: 10\ntransformations: [{type: field_name_mapping, mapping: {Was: UserName}}]\n"
    rows, _ = found(
        tmp_path,
        [pipeline(tmp_path, MAPPING), pipeline(tmp_path, first, "first.yml")],
        rule_text("bob", "s: {Was: bob}\ncondition: s"),
    )
    assert rows == {"bob": [3, 4]}


def test_a_condition_that_a_pipeline_adds_counts(tmp_path: Path) -> None:
    text = "name: a\ntransformations: [{type: add_condition, conditions: {actor_id: ann}}]\n"
    rows, _ = found(tmp_path, [pipeline(tmp_path, text)], rule_text("views", "s: {action: view}\ncondition: s"))
    assert rows == {"views": [0, 1]}


@pytest.mark.parametrize(
    ("transformation", "why"),
    [
        ("{type: rule_failure, message: not for us}", "not for us"),
        ("{type: field_name_mapping, mapping: {who: [a, b]}}", "multiple field names"),
    ],
)
def test_a_rule_that_a_pipeline_refuses_is_refused_with_its_place(
    tmp_path: Path, transformation: str, why: str
) -> None:
    rules = write_rules(
        tmp_path / "rules.yml",
        rule_text("views", "s: {action: view}\ncondition: s", "name: views\n"),
        "title: many\ncorrelation:\n  type: value_count\n  rules: views\n  timespan: 1h\n"
        "  condition: {field: who, gte: 2}\n",
    )
    given = Given(pipeline=read_pipelines([pipeline(tmp_path, f"name: a\ntransformations: [{transformation}]\n")]))
    refusals = [str(error) for error in load_rules([rules], strict=False, given=given).refusals]
    assert any(why in said and said.startswith(f"{rules}:") for said in refusals), refusals


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("- 1\n", "expected a pipeline"),
        ("name: a\ntransformations: [{type: nonsense}]\n", "nonsense"),
        ("name: a\ntransformations: 5\n", "cannot be read"),
        ("name: a\nfinalizers: [{type: concat}]\n", "no text is written here"),
        ("name: [\n", "pipeline.yml"),
    ],
)
def test_a_broken_pipeline_is_named(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_pipelines([pipeline(tmp_path, text)])
    assert why in str(raised.value)
    assert "pipeline.yml" in str(raised.value)


def test_the_command_takes_pipelines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rules(tmp_path / "rules.yml", rule_text("views", "s: {Action: view}\ncondition: s"))
    write_events(tmp_path / "events.jsonl", EVENTS)
    pipeline(tmp_path, MAPPING)
    command = ["rules", "run", "--rules", str(tmp_path / "rules.yml"), "--events", str(tmp_path / "events.jsonl")]
    assert cli.run([*command, "--pipeline", str(tmp_path / "pipeline.yml")]) == 0
    assert [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()] == [0, 1, 3]


FOREIGN = "title: {0}\nseverity: 3\nlogsource: {{category: any}}\ndetection: {{s: {{{1}}}, condition: s}}\n"


def test_of_ones_own_rules_those_below_a_folder_with_a_pipeline_are_foreign(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs" / "deep", tmp_path / "ours"
    theirs.mkdir(parents=True)
    ours.mkdir()
    (theirs / "a.yml").write_text(FOREIGN.format("Mapped", "UserName: ann"))
    (theirs / "b.yml").write_text(FOREIGN.format("Not mapped", "Terminal: t1"))
    (ours / "c.yml").write_text(FOREIGN.format("Their names in our folder", "UserName: ann"))
    mapping = pipeline(tmp_path, MAPPING)
    settings = RuleSettings(dirs=(ours, tmp_path / "theirs"), pipelines={tmp_path / "theirs": (mapping,)})
    pack = load_rules(settings.dirs, strict=True, given=given_by(settings))
    assert {rule.about.title: set(rule.parts) for rule in pack.detections} == {"Mapped": {"actor_id"}}
    said = [str(refusal) for refusal in pack.refusals]
    assert len(said) == 2
    assert f"{ours / 'c.yml'}" in said[0]
    assert f"{theirs / 'b.yml'}:4" in said[1]
    assert "unknown column or feature 'Terminal', once the pipeline has mapped the names" in said[1]
    assert "Did you mean terminal_id?" in said[1]


def test_check_and_test_read_rules_as_their_pipeline_leaves_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `--pipeline`, and by the settings that a scan reads; what is not mapped is a fault either way."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    mapped = theirs / "a.yml"
    mapped.write_text(FOREIGN.format("Mapped", "UserName: ann, Action: view"))
    (theirs / "a.examples.yml").write_text(
        "examples:\n  - {name: ann, expect: {exactly: 1}, events: [{actor_id: ann, action: view}]}\n"
        "  - {name: bob, near_miss_of: ann, change: {actor_id: bob}, expect: none}\n"
    )
    (theirs / "b.yml").write_text(FOREIGN.format("Not mapped", "Terminal: no"))
    mapping = pipeline(tmp_path, MAPPING)
    config = tmp_path / "config.yaml"
    config.write_text(f"rules: {{dirs: ['{theirs}'], pipelines: {{'{theirs}': ['{mapping}']}}}}\n")
    for arguments in (["--pipeline", str(mapping)], ["--config", str(config)]):
        assert cli.run(["rules", "check", str(theirs), "--format", "json", *arguments]) == 3
        faults = [fault for fault in json.loads(capsys.readouterr().out)["faults"] if fault["severity"] != "note"]
        assert {(fault["file"], fault["line"], fault["id"]) for fault in faults} == {
            (str(theirs / "b.yml"), 4, "unknown-field"),
            (str(theirs / "b.yml"), 4, "unquoted-value"),
        }
        assert cli.run(["rules", "test", str(mapped), *arguments]) == 0
        assert "2 examples of 1 rule files: 2 passed.\n1 of 1 selections" in capsys.readouterr().out
    assert cli.run(["rules", "check", str(mapped), "--format", "json"]) == 3
    said = {fault["id"] for fault in json.loads(capsys.readouterr().out)["faults"]}
    assert {"unknown-field", "unknown-key", "wrong-logsource"} <= said


def test_pipelines_for_a_folder_that_is_none_of_the_rules_are_a_fault_of_the_configuration(tmp_path: Path) -> None:
    settings = RuleSettings(pipelines={tmp_path / "theirs": (pipeline(tmp_path, MAPPING),)})
    with pytest.raises(ConfigError, match=r"is not among rules\.dirs") as caught:
        given_by(settings)
    assert caught.value.where
    assert caught.value.where.key == "rules.pipelines"
