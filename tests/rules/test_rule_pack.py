"""The shipped rules: sound, proven by their examples, documented, and quiet enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
import yaml

from detector.engine import connect
from detector.features.catalogue import FEATURES
from detector.rules.document import rule_files
from detector.rules.filters import in_force
from detector.rules.findings import rule_findings
from detector.rules.load import load_rules
from detector.rules.names import feature_names
from detector.rules.nightly import NightlyRules
from detector.rules.pack import Correlation, Detection, RulePack, active_rules
from detector.rules.proof.examples import APART, DEFAULTS, load_examples
from detector.rules.proof.prove import ExamplesReport, run_examples
from detector.rules.report import check_rules
from detector.rules.run import run_rules
from detector.rules.windows import ROW
from detector.schema import EVENT_SCHEMA, REFERENCE_TABLES


@pytest.fixture(scope="module")
def folder(root: Path) -> Path:
    return root / "rules"


@pytest.fixture(scope="module")
def pack(folder: Path) -> RulePack:
    return load_rules([folder], strict=True)


@pytest.fixture(scope="module")
def proven(folder: Path) -> ExamplesReport:
    return run_examples([folder])


def test_nothing_is_held_against_them(folder: Path) -> None:
    assert [fault for fault in check_rules([folder]).faults if fault.severity != "note"] == []


def test_every_example_comes_out_as_it_says(proven: ExamplesReport) -> None:
    assert proven.faults == ()
    assert proven.passed
    assert len({outcome.rule for outcome in proven.outcomes}) >= 92
    wrong = [(outcome.example.name, outcome.hits) for outcome in proven.outcomes if not outcome.passed]
    assert wrong == []


def test_their_examples_exercise_every_part(proven: ExamplesReport) -> None:
    assert [f"{part.file.name}:{part.line} {part.selection}: {part.missing}" for part in proven.gaps] == []


def test_every_rule_file_has_a_match_and_a_near_miss(folder: Path) -> None:
    for file in rule_files([folder]):
        if file.parent.name == "filters":
            continue
        examples = load_examples(file)
        assert any(example.number for example in examples), file
        assert any(example.near_miss and not example.number for example in examples), file


def test_half_run_on_the_log_alone_and_the_others_name_what_they_need(pack: RulePack) -> None:
    active, inactive = active_rules(pack, [*EVENT_SCHEMA.names, *feature_names()], [])
    assert len(active.rules) >= 40
    assert active.rules == tuple(rule for rule in pack.rules if not rule.about.own.reference_tables)
    needs = {rule.about.rule_id: ", ".join(rule.about.own.reference_tables) for rule in pack.rules}
    assert {item.rule_id: item.reason for item in inactive} == {
        rule_id: f"needs reference table {tables}" for rule_id, tables in needs.items() if tables
    }
    everything, none = active_rules(pack, [*EVENT_SCHEMA.names, *feature_names()], REFERENCE_TABLES)
    assert (everything.rules, none) == (pack.rules, ())


def test_each_names_the_tables_of_its_features_and_no_others(pack: RulePack) -> None:
    bases = {rule.about.key: rule for rule in pack.all}

    def fields(rule: Detection | Correlation) -> set[str]:
        below = [fields(bases[key]) for key in rule.rules] if isinstance(rule, Correlation) else []
        return set(rule.fields).union(*below)

    for rule in pack.rules:
        needed = {table for name in fields(rule) & set(FEATURES) for table in FEATURES[name].needs}
        assert set(rule.about.own.reference_tables) == needed, rule.about.title


def test_none_looks_back_further_than_a_night_is_read_with(pack: RulePack) -> None:
    """A correlation reads as many days again as its time span has; what must reach back further is a feature."""
    assert pack.lookback <= timedelta(days=1)


def test_each_is_in_the_catalogue_with_its_level(pack: RulePack, root: Path) -> None:
    page = (root / "docs" / "rules.md").read_text(encoding="utf-8")
    for rule in pack.rules:
        about = rule.about
        row = next((line for line in page.splitlines() if f"[{about.title}]" in line), "")
        assert row, f"docs/rules.md lacks {about.title!r}: run `python docs/rules_page.py`"
        assert f"| {about.level} |" in row
        assert f"| {about.theme} |" in row


def test_each_tells_the_reviewer_what_to_check_first(pack: RulePack) -> None:
    for rule in pack.rules:
        own = rule.about.own
        assert len(own.triage.split()) >= 8, rule.about.title
        assert "{count}" in own.explanation, rule.about.title
        assert own.risk, rule.about.title


def test_weak_signals_never_stand_alone_and_few_are_high(pack: RulePack) -> None:
    levels = [rule.about.level for rule in pack.rules]
    assert levels.count("high") <= len(levels) / 10
    assert "critical" not in levels
    for rule in pack.rules:
        assert rule.about.own.not_alone == (rule.about.level == "informational"), rule.about.title


def test_examples_cannot_meet(pack: RulePack) -> None:
    assert pack.lookback < APART
    assert APART.days % 7 == 0


def examples(tmp_path: Path, text: str) -> ExamplesReport:
    (tmp_path / "r.yml").write_text("title: t\nlevel: low\ndetection: {s: {streak_days|gte: 5}, condition: s}\n")
    (tmp_path / "r.examples.yml").write_text(text)
    return run_examples([tmp_path / "r.yml"])


NEAR = "  - {name: less, near_miss_of: five, change: {streak_days: 4}, expect: none}\n"


def test_an_example_that_fails_is_reported(tmp_path: Path) -> None:
    text = "examples:\n  - {name: five, expect: {exactly: 2}, events: [{streak_days: 5}]}\n" + NEAR
    report = examples(tmp_path, text)
    assert not report.passed
    assert [(outcome.example.name, outcome.hits, outcome.passed) for outcome in report.outcomes] == [
        ("five", 1, False),
        ("less", 0, True),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("examples:\n  - {name: five, expect: {exactly: 1}, events: [{streak_day: 5}]}\n", "Did you mean streak_days?"),
        ("examples:\n  - {name: five, expect: {exactly: 1}, events: [{streak_days: 5}]}\n", "a match and a near miss"),
        ("examples:\n  - {name: five, expect: {exactly: 1}, evnts: []}\n", "Did you mean events?"),
        ("examples:\n  - {name: five, expect: some, events: [{streak_days: 5}]}\n", "`expect` must be"),
        ("examples:\n" + NEAR, "no example above is named 'five'"),
        ("example: []\n", "expected a list `examples`"),
    ],
)
def test_examples_that_are_wrong_are_named(tmp_path: Path, text: str, said: str) -> None:
    (fault,) = examples(tmp_path, text).faults
    assert said in str(fault)
    assert str(tmp_path / "r.examples.yml") in str(fault)


def test_a_rule_without_examples_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text("title: t\ndetection: {s: {a: 1}, condition: s}\n")
    (fault,) = run_examples([tmp_path]).faults
    assert "the rule has no examples" in str(fault)


def test_every_yaml_file_is_plain(folder: Path) -> None:
    for file in folder.rglob("*.yml"):
        assert list(yaml.safe_load_all(file.read_text(encoding="utf-8"))), file


def test_allowlists_leave_out_the_team_alone_and_only_until_they_end(pack: RulePack, folder: Path) -> None:
    """Domestic-abuse rechecks: the unit's own go unreported, others' do not, and after the last day all are."""
    ends = {one.filter.file.stem: one.filter.expires for rule in pack.detections for one in rule.filters}
    assert set(ends) == {path.stem for path in (folder / "filters").glob("*.yml")}
    assert all(end and date(2026, 11, 25) < end < date(2028, 1, 1) for end in ends.values()), ends
    rows = [
        {**DEFAULTS, "repeat_days": 8.0, "record_id": "R1", "unit": unit, "actor_id": unit, "event_id": unit}
        for unit in ("Domestic Abuse Unit", "Response")
    ]
    schema = pa.schema([field.with_nullable(True) for field in EVENT_SCHEMA])
    schema = schema.append(pa.field("repeat_days", pa.float64())).append(pa.field("in_night", pa.bool_()))
    table = ibis.memtable(pa.Table.from_pylist([{**row, "in_night": True} for row in rows], schema=schema))
    rules = NightlyRules(
        RulePack(tuple(rule for rule in pack.detections if rule.about.file.stem == "one-record-many-days"))
    )
    con = connect()
    try:
        said = {
            night: {item.actor_id for item in rule_findings(con, rules, night, table)}
            for night in (date(2026, 12, 1), date(2028, 1, 1))
        }
    finally:
        con.disconnect()
    assert said == {date(2026, 12, 1): {"Response"}, date(2028, 1, 1): {"Domestic Abuse Unit", "Response"}}


@dataclass(frozen=True)
class Reach:
    """Whom a filter leaves out, and who stays, though some of them come near: each on its own."""

    rules: set[str]
    theirs: tuple[dict[str, str], ...]
    others: tuple[dict[str, str], ...]


def units(*names: str) -> tuple[dict[str, str], ...]:
    return tuple({"unit": name, "role": "constable"} for name in names)


def roles(*names: str) -> tuple[dict[str, str], ...]:
    return tuple({"unit": "Response", "role": name} for name in names)


_ANYBODY = units("Response")
REACH = {
    "bureau": Reach(
        {"burst", "one-reason-for-everything", "plate-then-person-then-file"},
        units("PNC bureau", "Control Room"),
        (
            *_ANYBODY,
            {**units("PNC bureau")[0], "requester_id": "R9"},
            {**units("Control room")[0], "requester_id": "R9"},
        ),
    ),
    "disclosure-team": Reach(
        {"footage-one-after-another"}, roles("Disclosure officer", "exhibits officer"), (*_ANYBODY, *units("Exhibits"))
    ),
    "domestic-abuse-unit": Reach(
        {"one-record-many-days", "clockwork-rechecks"},
        units("Domestic Abuse Unit", "Offender management"),
        (*_ANYBODY, *roles("domestic abuse lead")),
    ),
    "professional-standards": Reach(
        {"one-record-many-days", "rechecked-without-explanation"},
        units("Professional Standards", "Anti-corruption", "Counter Corruption"),
        (*_ANYBODY, *roles("professional standards liaison")),
    ),
    "training-records": Reach(
        {"nobodys-account", "herd-on-one-record"},
        ({"record_id": "TRAINING-7"}, {"record_id": "test-12"}),
        (
            {"record_id": "R7"},
            {"record_id": "R-TRAINING-7"},
            {"record_id": "R7", "unit": "Training", "role": "trainer"},
        ),
    ),
    "vetting-unit": Reach({"new-faces"}, roles("Vetting officer"), (*_ANYBODY, *units("Vetting"))),
}


@dataclass(frozen=True)
class Seen:
    """What each detection matches of one person's events, by their numbers: with the filters, and without any."""

    filtered: dict[str, set[int]]
    bare: dict[str, set[int]]


@pytest.fixture(scope="module")
def seen(pack: RulePack, folder: Path) -> dict[str, tuple[list[Seen], list[Seen]]]:
    """By filter those whom it leaves out, and the others; all of them do what the examples of all rules do."""
    events = single_events(folder)
    people = [person for reach in REACH.values() for person in (*reach.theirs, *reach.others)]
    bare, _ = in_force(pack, date.max)
    both = zip(matched_events(pack, events, people), matched_events(bare, events, people), strict=True)
    each = iter([Seen(*pair) for pair in both])
    return {
        name: (list(islice(each, len(reach.theirs))), list(islice(each, len(reach.others))))
        for name, reach in REACH.items()
    }


@pytest.mark.parametrize("name", REACH)
def test_a_filter_leaves_out_what_it_should_and_no_more(
    pack: RulePack, seen: dict[str, tuple[list[Seen], list[Seen]]], name: str
) -> None:
    """On the rules it names the team goes and everybody else stays; every other rule sees the team as well."""
    narrowed = [rule.about for rule in pack.detections if name in {one.filter.file.stem for one in rule.filters}]
    assert {about.file.stem for about in narrowed} == REACH[name].rules
    assert "high" not in {about.level for about in narrowed}
    named = {about.key for about in narrowed}
    theirs, others = seen[name]
    for person in theirs:
        assert all(person.bare[key] for key in named), "no example shows whether the filter works"
        assert person.filtered == {**person.bare, **{key: set() for key in named}}
    for person in others:
        assert all(person.bare[key] for key in named)
        assert person.filtered == person.bare


def test_every_filter_has_its_reach_written_down(folder: Path) -> None:
    assert set(REACH) == {path.stem for path in (folder / "filters").glob("*.yml")}


def single_events(folder: Path) -> list[dict[str, Any]]:
    """The events of all examples that match something, each once however often it is repeated."""
    found = [
        {name: value for name, value in event.items() if name != "event_time"}
        for file in rule_files([folder])
        if file.parent.name != "filters"
        for example in load_examples(file)
        if example.number
        for event in example.events
    ]
    return [event for index, event in enumerate(found) if event not in found[:index]]


def matched_events(
    pack: RulePack, events: list[dict[str, Any]], people: list[dict[str, str]]
) -> list[dict[str, set[int]]]:
    """For each person and detection, those that report nothing themselves too, the numbers of the events matched."""
    schema = pa.schema([field.with_nullable(True) for field in EVENT_SCHEMA])
    for feature in sorted(feature_names()):
        schema = schema.append(pa.field(feature, pa.float64()))
    rows = [{**DEFAULTS, "actor_id": "OP1", **event, **person} for person in people for event in events]
    table = pa.Table.from_pylist(rows, schema=schema).append_column(ROW, pa.array(range(len(rows))))
    aloud = tuple(replace(rule, about=replace(rule.about, reported=True)) for rule in pack.detections)
    found: list[dict[str, set[int]]] = [{rule.about.key: set() for rule in aloud} for _ in people]
    con = connect()
    try:
        for hit in run_rules(con, RulePack(aloud), ibis.memtable(table)):
            number, row = divmod(hit.rows[0], len(events))
            found[number][hit.rule.about.key].add(row)
    finally:
        con.disconnect()
    return found
