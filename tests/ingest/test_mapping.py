"""Source mappings: what is refused and how it is said, a user's own folder, header names."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from pydantic import BaseModel
from rows import read_file

from detector.config import Settings
from detector.errors import MappingError
from detector.ingest.headers import fits_header, header_columns
from detector.ingest.jsonpath import compile_path, lookup, text_of
from detector.ingest.mapping import (
    SHIPPED_DIR,
    Header,
    JsonShape,
    Mapping,
    Pattern,
    TimeSpec,
    ValueMap,
    load_mapping,
    load_mappings,
    overridden,
)
from detector.ingest.values import value_decider
from detector.schema import ACTIONS, OUTCOMES

MINE = """
name: mine
title: My log
formats: [delimited]
header:
  must: [Wann, Wer, Was]
columns:
  event_time: Wann
  operator_id: Wer
  action: Was
constants:
  system: CAD
time:
  formats: ["%d.%m.%Y %H:%M"]
  zone: Europe/Berlin
action:
  map: {Suche: search, "druck*": print}
"""


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def refused(folder: Path, old: str, new: str) -> MappingError:
    path = write(folder, MINE.replace(old, new))
    assert path.read_text() != textwrap.dedent(MINE)
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert caught.value.exit_code == 3
    assert caught.value.where is not None
    assert caught.value.where.file == path
    return caught.value


def test_shipped_mappings_load_and_say_what_they_assume() -> None:
    mappings = load_mappings()
    assert sorted(mappings) == sorted(path.stem for path in SHIPPED_DIR.glob("*.yaml"))
    assert len(mappings) >= 12
    for mapping in mappings.values():
        assert mapping.title
        assert mapping.assumptions
        assert mapping.origin == SHIPPED_DIR / f"{mapping.name}.yaml"
        assert not mapping.overrides


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "says"),
    [
        ("zone:", "zoen:", 15, "time.zoen", "Did you mean zone?"),
        ("  must:", "  msut:", 6, "header.msut", "Did you mean must?"),
        ("title:", "titel:", 3, "titel", "Did you mean title?"),
        ("operator_id: Wer", "operator: Wer", 9, "columns.operator", "did you mean operator_id?"),
        ("Europe/Berlin", "Berlin", 15, "time.zone", "is no time zone"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y", 14, "time.formats.0", "does not fix a time"),
        ("search,", "seek,", 1, "", "'seek' is none of search, view"),
        ("druck*", "dr*ck", 1, "", "a * may stand at the beginning and at the end only"),
        ("  system: CAD", "  role: x", 1, "", "nothing says what system is"),
        ("[delimited]", "[delimited, fax]", 4, "formats.1", "Input should be 'delimited'"),
        ("[delimited]", "[jsonlines]", 1, "", "json is missing"),
        ("[delimited]", "[text]", 1, "", "line is missing"),
    ],
)
def test_faults_are_said_with_line_and_key(tmp_path: Path, old: str, new: str, line: int, key: str, says: str) -> None:
    error = refused(tmp_path, old, new)
    assert error.where is not None
    assert says in str(error)
    if key:
        assert (error.where.line, error.where.key) == (line, key)


def test_patterns_are_re2(tmp_path: Path) -> None:
    for pattern in (r"(?P<case_ref>a)(?=b)", r"(?P<case_ref>a)\1", "(?P<case_ref>a", "no group"):
        text = MINE + f"patterns:\n  - from: Was\n    pattern: '{pattern}'\n"
        with pytest.raises(MappingError, match=r"patterns\.0\.pattern: .*not a pattern that can be run"):
            load_mapping(write(tmp_path, text))
    text = MINE + "patterns:\n  - from: Was\n    pattern: '(?P<shoe_size>a)'\n"
    with pytest.raises(MappingError, match="'shoe_size' is no column of an event"):
        load_mapping(write(tmp_path, text))


def test_file_has_the_name_of_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="the file is called other but the mapping mine"):
        load_mapping(write(tmp_path, MINE, "other.yaml"))


def test_folder_of_ones_own(tmp_path: Path) -> None:
    write(tmp_path, MINE)
    log = tmp_path / "log.csv"
    log.write_text("Wer;Was;Wann\n".replace(";", ",") + "op1,Suche,24.12.2025 18:00\nop2,Druckauftrag,1.7.2025 0:05\n")
    settings = Settings.model_validate({"ingest": {"mapping_dirs": [str(tmp_path)]}})
    found, rejects = read_file(log, "mine", settings)
    assert rejects == []
    assert [(e["event_time"].isoformat(), e["action"], e["utc_offset_minutes"]) for e in found] == [
        ("2025-12-24T17:00:00+00:00", "search", 60),
        ("2025-06-30T22:05:00+00:00", "print", 120),
    ]


def test_a_mapping_of_a_shipped_name_takes_its_place_and_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, MINE.replace("name: mine", "name: canonical"), "canonical.yaml")
    mappings = load_mappings([tmp_path])
    assert mappings["canonical"].title == "My log"
    assert overridden(mappings) == [f"mapping canonical is read from {path} instead of the shipped one"]
    assert mappings["canonical"].fingerprint != load_mappings()["canonical"].fingerprint


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="no such folder"):
        load_mappings([tmp_path / "none"])


# --- header names


def mapping(**more: object) -> Mapping:
    base = {
        "name": "m", "title": "t", "formats": ["delimited"], "header": {"must": ["Org_Name", "when"]},
        "columns": {"event_time": "when", "organisation": "Org_Name", "operator_id": "user_id"},
        "constants": {"system": "s", "action": "view"},
    }  # fmt: skip
    return Mapping.model_validate({**base, **more})


@pytest.mark.parametrize("name", ["Org_Name", "org name", "ORG-NAME", "orgName", " Org.Name "])
def test_header_names_are_loose(name: str) -> None:
    assert header_columns([name, "When"], mapping()) == {"Org_Name": name, "when": "When"}
    assert fits_header([name, "When"], mapping())


def test_exact_name_wins_over_loose_one() -> None:
    assert header_columns(["org name", "Org_Name", "when"], mapping())["Org_Name"] == "Org_Name"


def test_aliases() -> None:
    aliased = mapping(aliases={"user_id": ["officer", "user"]})
    assert header_columns(["Officer", "when"], aliased)["user_id"] == "Officer"
    assert header_columns(["Officer", "User ID"], aliased)["user_id"] == "User ID"


def test_any_of_and_must_not() -> None:
    header = {"must": "when", "any_of": [["a", "b"], ["c"]], "must_not": "secret"}
    fitting = mapping(header=header)
    assert fits_header(["when", "b", "c"], fitting)
    assert not fits_header(["when", "b"], fitting)
    assert not fits_header(["when", "a", "c", "Secret"], fitting)


# --- paths and values


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a.b", "1"), ("a.c[0]", "x"), ("a.c[1].d", "true"), ("a.c[9]", None), ("l[k=two].v", "2"), ("l[k=3].v", None),
        ("x.y", "flat"), ("a.c", '["x",{"d":true}]'), ("one", "only"), ("none", None),
        ("a", '{"b":1,"c":["x",{"d":true}]}'),
        ("half", "2.5"), ("whole", "5"), ("empty", None), ("l[k=http://a/b].v", "url"),
    ],
)  # fmt: skip
def test_paths(path: str, value: str | None) -> None:
    record = {
        "a": {"b": 1, "c": ["x", {"d": True}]}, "x.y": "flat", "one": ["only"], "none": None, "half": 2.5, "whole": 5.0,
        "empty": [], "l": [{"k": "one", "v": 1}, {"k": "two", "v": 2}, {"k": "http://a/b", "v": "url"}],
    }  # fmt: skip
    assert text_of(lookup(record, compile_path(path))) == value


@pytest.mark.parametrize("path", ["", "a.", ".a", "a[b]", "a[", "a..b", "a[-1]"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        compile_path(path)


def test_order_of_value_maps() -> None:
    values = mapping(action={"map": {"get*": "view", "getall*": "export", "*report": "print", "Get": "login",
                                     "search": "other"}, "default": "update"}).action  # fmt: skip
    decide = value_decider(values, ACTIONS)
    told = {text: decide(text) for text in ("GET", "getOne", "GetAllThings", "TheReport", "SEARCH", "view", "zzz", " ")}
    assert told == {
        "GET": "login", "getOne": "view", "GetAllThings": "export", "TheReport": "print", "SEARCH": "other",
        "view": "view", "zzz": "update", " ": "",
    }  # fmt: skip


def test_none_and_reject() -> None:
    values = mapping(outcome={"map": {"?": "none"}, "default": "reject", "blank": "success"}).outcome
    decide = value_decider(values, OUTCOMES)
    assert [decide(text) for text in ("?", "x", "", "error")] == ["", None, "success", "error"]


# --- the documentation


@pytest.fixture
def guide(root: Path) -> str:
    return (root / "docs" / "adding-a-log-format.md").read_text()


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_guide_names_every_key(guide: str) -> None:
    for key in keys(Mapping) | keys(Header) | keys(JsonShape) | keys(TimeSpec) | keys(ValueMap) | keys(Pattern):
        assert f"`{key}`" in guide, f"docs/adding-a-log-format.md says nothing of {key}"


def test_example_of_the_guide_does_what_it_says(guide: str, tmp_path: Path) -> None:
    export, mapping_text = re.findall(r"```(?:yaml)?\n((?:Command|name:).*?)```", guide, re.DOTALL)
    write(tmp_path, mapping_text, "cad-export.yaml")
    path = write(tmp_path, export, "export.csv")
    settings = Settings.model_validate({"ingest": {"mapping_dirs": [str(tmp_path)]}})
    found, rejects = read_file(path, "cad-export", settings)
    assert [(e["event_time"].isoformat(), e["action"], e["result_count"], e["reason_text"]) for e in found] == [
        ("2026-03-02T06:31:00+00:00", "view", 1, "call back, no reply"),
        ("2026-03-02T06:40:00+00:00", "print", 1204, ""),
    ]
    assert {e["case_ref"] for e in found} == {"INC-0302-0030"}
    assert rejects == [(6, "nonexistent_time")]
