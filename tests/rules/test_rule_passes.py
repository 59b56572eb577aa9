"""More rules than one pass takes: the same matches in the same order, and a plain word where memory does not do."""

from __future__ import annotations

import json
import random
from pathlib import Path

import duckdb
import pytest
from rule_helpers import rule_text, run, write_events, write_rules

from detector.errors import ConfigError
from detector.rules import run as engine
from detector.rules.files.opening import reading

#: Two and a bit words, so two or three passes of one word each.
RULES = 2 * engine.WORD + 7


def numbered_rules(folder: Path) -> Path:
    """One rule a number, one of them for words anywhere; and a correlation of two of which one is in the last pass."""
    rules = [rule_text(f"rule {n}", f"s: {{a{n % 5}: {n}}}\ncondition: s", f"name: r{n}\n") for n in range(RULES)]
    rules[70] = rule_text("rule 70", "s: ['*word*']\ncondition: s", "name: r70\n")
    rules.append(
        "title: pair\ncorrelation: {type: temporal, rules: [r3, r130], group-by: [who], timespan: 1h}\n"
        "generate: true\nlevel: low\n"
    )
    return write_rules(folder / "rules.yml", *rules)


def events_of(folder: Path, kind: str) -> Path:
    rng = random.Random(5)  # noqa: S311 - no secret
    events = []
    for minute in range(300):
        event = {f"a{n}": rng.randrange(RULES) for n in range(5)}
        if minute == 200:
            event |= {"a3": 3}
        if minute == 210:
            event |= {"a0": 130}
        said = "a word here" if minute % 50 == 0 else "nothing"
        events.append(
            {"event_time": f"2026-03-01T{minute // 60:02}:{minute % 60:02}:00Z", "who": "x", "t": said, **event}
        )
    if kind == "json":
        path = write_events(folder / "events.jsonl", events)
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:10], "not json", *lines[10:]]) + "\n")
        return path
    path = folder / "events.parquet"
    (folder / "rows.json").write_text(json.dumps(events))
    duckdb.sql(f"COPY (FROM read_json('{folder / 'rows.json'}')) TO '{path}'")
    return path


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_several_passes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    rules, events = numbered_rules(tmp_path), events_of(tmp_path, kind)
    in_one, summary = run(rules, events)
    monkeypatch.setattr(engine, "PASS", 1)
    in_three, again = run(rules, events)
    assert in_three == in_one
    assert again == summary
    titles = {match["title"] for match in in_one}
    assert {"rule 70", "rule 129", "pair"} <= titles
    assert len(titles) > 100


def test_memory_that_does_not_do_is_not_the_files_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="may not use enough memory") as raised, reading(tmp_path / "events.jsonl"):
        raise duckdb.OutOfMemoryException("Out of Memory Error: 1.3 GiB used")
    assert raised.value.where is not None
    assert raised.value.where.key == "limits.memory_limit"
