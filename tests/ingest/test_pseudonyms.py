"""Pseudonyms: keyed, the same for the same person everywhere, and nothing of the clear values left over."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from rows import batch, events, shipped

from detector.config import Settings
from detector.errors import ConfigError
from detector.ingest.batch import Reject
from detector.ingest.normalise import normalise, prepare

KEY = "k" * 32
GOOD = {"event_time": "2026-03-02T10:00:00Z", "system": "PNC", "action": "search"}


def settings(*columns: str, **pseudonyms: str) -> Settings:
    sources = {"canonical": {"pseudonymise": list(columns)}}
    return Settings.model_validate({"sources": sources, "pseudonyms": pseudonyms})


def read(rows: Sequence[Mapping[str, str | None]], *columns: str) -> tuple[list[dict[str, object]], list[Reject]]:
    prepared = prepare(shipped()["canonical"], settings(*columns), env={"DETECTOR_PSEUDONYM_KEY": KEY})
    table, rejects = normalise(batch(rows), prepared)
    return table.to_pylist(), rejects


def token(domain: str, value: str) -> str:
    digest = hmac.new(KEY.encode(), f"{domain}\x1f{value}".encode(), hashlib.sha256).hexdigest()
    return f"ps-{digest[:32]}"


def test_tokens_are_hmac_and_one_person_is_one_token() -> None:
    rows = [{**GOOD, "operator_id": "anna", "requester_id": "bert", "record_id": "anna"},
            {**GOOD, "operator_id": "bert", "requester_id": "", "record_id": "R1"}]  # fmt: skip
    (first, second), rejects = read(rows, "operator_id", "requester_id", "record_id")
    assert not rejects
    assert first["operator_id"] == token("person", "anna")
    assert first["requester_id"] == first["actor_id"] == second["operator_id"] == token("person", "bert")
    assert first["record_id"] == token("record_id", "anna") != token("person", "anna")  # a record is no person
    assert (second["requester_id"], second["actor_id"]) == ("", token("person", "bert"))


def test_only_the_stated_columns() -> None:
    ((event,), _) = read([{**GOOD, "operator_id": "anna", "query_text": "anna"}], "query_text")
    assert event["operator_id"] == "anna"
    assert event["query_text"] == token("query_text", "anna")


def test_blank_absent_and_masked_stay() -> None:
    portal = shipped()["alpr-portal"]
    asked = Settings.model_validate({"sources": {"alpr-portal": {"pseudonymise": ["operator_id", "record_id"]}}})
    prepared = prepare(portal, asked, env={"DETECTOR_PSEUDONYM_KEY": KEY})
    rows = [{"id": "1", "userId": "***", "searchDate": "2026-03-02 10:00:00", "networkCount": "1"}]
    table, _ = normalise(batch(rows), prepared)
    assert table["operator_id"].to_pylist() == ["***"]
    assert table["record_id"].to_pylist() == [None]


def test_ids_are_made_of_pseudonyms() -> None:
    row = {**GOOD, "operator_id": "anna"}
    ((clear,), _) = read([row])
    ((hidden,), _) = read([row], "operator_id")
    ((as_token,), _) = read([{**row, "operator_id": token("person", "anna")}])
    assert clear["event_id"] != hidden["event_id"] == as_token["event_id"]


def test_rejects_keep_nothing_of_the_line() -> None:
    rows = [{**GOOD, "operator_id": "anna", "event_time": "anna was here"}, {**GOOD, "operator_id": "an\x1bna"}]
    _, rejects = read(rows, "operator_id")
    assert [reject.reason for reject in rejects] == ["bad_time", "bad_value"]
    assert "an" not in "".join(reject.raw for reject in rejects).replace("and", "")
    assert "anna" not in "".join(f"{r.detail} {r.raw}" for r in rejects)
    assert rejects[0].raw == "[withheld: this source is pseudonymised; see line 1 of the file]"


def test_rejects_of_readers_are_withheld_too() -> None:
    prepared = prepare(shipped()["canonical"], settings("operator_id"), env={"DETECTOR_PSEUDONYM_KEY": KEY})
    kept = prepared.withheld(Reject(7, "unbalanced_quote", "never closed", 'anna,"'))
    assert (kept.line, kept.reason, "anna" in kept.raw) == (7, "unbalanced_quote", False)


def test_key_is_in_no_repr_and_in_no_event() -> None:
    prepared = prepare(shipped()["canonical"], settings("operator_id"), env={"DETECTOR_PSEUDONYM_KEY": KEY})
    table, _ = normalise(batch([{**GOOD, "operator_id": "anna"}]), prepared)
    assert KEY not in repr(prepared) + json.dumps(table.to_pylist(), default=str)


def test_key_file(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    prepared = prepare(shipped()["canonical"], settings("operator_id", key_file=str(key)), env={})
    table, _ = normalise(batch([{**GOOD, "operator_id": "anna"}]), prepared)
    assert table["operator_id"].to_pylist() == [token("person", "anna")]


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [(KEY, 0o640, "can be read by others (mode 640)"), ("short", 0o600, "has 5 bytes, fewer than 32")],
)
def test_key_files_that_are_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    key = tmp_path / "key"
    key.write_text(text)
    key.chmod(mode)
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        prepare(shipped()["canonical"], settings("operator_id", key_file=str(key)), env={})
    assert caught.value.where is not None
    assert caught.value.where.file == key


def test_missing_key_is_said_and_needed_only_when_asked_for(tmp_path: Path) -> None:
    canonical = shipped()["canonical"]
    with pytest.raises(ConfigError, match="there is no key"):
        prepare(canonical, settings("operator_id"), env={})
    with pytest.raises(ConfigError, match="cannot be read"):
        prepare(canonical, settings("operator_id", key_file=str(tmp_path / "none")), env={})
    assert prepare(canonical, settings(), env={}).pseudonyms is None
    assert events([{**GOOD, "operator_id": "anna"}])[0]["operator_id"] == "anna"
