"""The engine's correlations against loops: all types, conditions in words, aliases and chains, on small random logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import ibis
import pyarrow as pa
import pytest
import yaml
from correlation_loops import Event, Rule, episodes
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.engine import connect
from detector.rules.checks import in_correlations
from detector.rules.document import Document
from detector.rules.load import load_documents
from detector.rules.run import run_rules

FLAGS = ("a", "b", "c")
NUMERIC = ("value_sum", "value_avg", "value_median", "value_percentile")
WORDS = [
    "a and b", "a or b", "a and not b", "a or c", "a and c", "c and not a", "not b and c", "b and ( not c )",
    "a and ( b or c )", "not a and b or c", "a or not ( b and c )", "( a and b ) or c", "a and not ( b or c )",
]  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    connection = connect()
    yield connection
    connection.disconnect()


def documents(rule: Rule) -> list[dict[str, Any]]:
    """The rule and all it stands on as Sigma documents, the rule itself last."""
    below = [document for base in rule.rules if isinstance(base, Rule) for document in documents(base)]
    below += [
        {"title": flag, "name": flag, "detection": {"s": {flag: True}, "condition": "s"}}
        for flag in rule.rules
        if isinstance(flag, str)
    ]
    condition: Any = rule.words
    if rule.bounds:
        condition = dict(rule.bounds)
        condition |= {"field": rule.value} if rule.value else {}
        condition |= {} if rule.percentile is None else {"percentile": rule.percentile}
    body = {
        "type": rule.kind,
        "rules": [base if isinstance(base, str) else base.name for base in rule.rules],
        "group-by": list(rule.group_by),
        "timespan": f"{rule.span}s",
        **({} if condition is None else {"condition": condition}),
        **({"aliases": rule.aliases} if rule.aliases else {}),
    }
    return [*below, {"title": rule.name, "name": rule.name, "correlation": body}]


def by_engine(con: Any, rule: Rule, events: Sequence[Event]) -> list[tuple[int, ...]] | str:
    unique = {document["name"]: document for document in documents(rule)}
    file = Path("r.yml")
    pack = load_documents([Document(file, i, d, {}) for i, d in enumerate(unique.values())], strict=False)
    if pack.refusals:
        return pack.refusals[0].message
    kinds = {"t": pa.int64(), **dict.fromkeys(FLAGS, pa.bool_())}
    columns = {name: pa.array([e[name] for e in events], kinds.get(name, pa.string())) for name in events[0]}
    table = ibis.memtable(pa.table({"row": pa.array(range(len(events)), pa.int64()), **columns}))
    return sorted(hit.rows for hit in run_rules(con, pack, table, time_field="t") if hit.rule.about.title == rule.name)


def log_of(random: Random, name: str) -> list[Event]:
    """A handful of events, close enough to meet, with ties, gaps and unreadable values."""
    density = random.random()
    return [
        {
            "t": random.choice([*range(random.choice([6, 12, 24])), None]),
            "log": name,
            "g": random.choice(["x", "x", "y", None]),
            "h": random.choice(["x", "y", "z"]),
            "v": random.choice(["1", "2", "2.5", "-3", "7", "", "many", None]),
            **{flag: random.random() < density for flag in FLAGS},
        }
        for _ in range(random.randint(1, 14))
    ]


@st.composite
def some_bounds(draw: st.DrawFn, low: int, high: int) -> dict[str, float]:
    first = draw(st.sampled_from(["gte", "gte", "gt", "lt", "lte", "eq", "neq"]))
    found: dict[str, float] = {first: draw(st.integers(low, high))}
    if draw(st.integers(0, 3)) == 0:
        found[draw(st.sampled_from(["lt", "lte", "neq"]))] = draw(st.integers(high, high + 2))
    return found


@st.composite
def some_rules(draw: st.DrawFn, depth: int = 2, name: str = "top") -> Rule:
    kind = draw(st.sampled_from(["event_count", "value_count", "temporal", "temporal_ordered", *NUMERIC]))
    rules: list[str | Rule] = [*sorted(draw(st.sets(st.sampled_from(FLAGS), min_size=0 if depth else 1)))]
    if depth:
        rules += [draw(some_rules(depth=depth - 1, name=f"{name}_{i}")) for i in range(draw(st.integers(0, 2)))]
    rules = rules or ["a"]
    if kind == "temporal_ordered":
        rules = [*draw(st.permutations(rules)), *rules[: draw(st.integers(0, 1))]]
    group_by = draw(st.sampled_from([("log",), ("log", "g"), ("log", "h"), ("log", "g", "h"), ("who", "log")]))
    names = [rule if isinstance(rule, str) else rule.name for rule in rules]
    common: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "rules": tuple(rules),
        "span": draw(st.integers(1, 9)),
        "group_by": group_by,
        "aliases": {"who": {each: draw(st.sampled_from("gh")) for each in names}} if "who" in group_by else {},
    }
    if kind.startswith("temporal"):
        form = draw(st.sampled_from(["all", "count", "words"]))
        words = [text for text in WORDS if {word for word in text.split() if word in FLAGS} == set(names)]
        if form == "words" and words:
            return Rule(**common, words=draw(st.sampled_from(words)))
        return Rule(**common, bounds=draw(some_bounds(1, len(set(names)))) if form == "count" else {})
    if kind == "event_count":
        return Rule(**common, bounds=draw(some_bounds(1, 3)))
    value = draw(st.sampled_from(["v", "h"])) if kind == "value_count" else "v"
    percentile = draw(st.sampled_from([0, 25, 50, 75, 100])) if kind == "value_percentile" else None
    low, high = (1, 3) if kind == "value_count" else (-2, 6)
    return Rule(**common, bounds=draw(some_bounds(low, high)), value=value, percentile=percentile)


def compare(con: Any, rule: Rule, logs: Sequence[Sequence[Event]]) -> tuple[str, int]:
    """What the engine says of a rule over many logs at once, each a group of its own, is what loops say of each."""
    events = [event for log in logs for event in log]
    by_loops = sorted(episode.events for episode in episodes(rule, events))
    found = by_engine(con, rule, events)
    if isinstance(found, str):
        assert "meets this condition" in found or "nothing to happen" in found or "which was refused" in found, found
        if not any(isinstance(base, Rule) for base in rule.rules):
            assert by_loops == [], (found, rule)
        return "refused", 0
    assert found == by_loops, yaml.safe_dump([documents(rule), events])
    return "run", len(found)


@settings(max_examples=15)
@given(rule=some_rules(), seed=st.integers(0, 10_000))
def test_the_engine_finds_what_loops_find(con: Any, rule: Rule, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a log to try, no secret
    compare(con, rule, [log_of(random, str(number)) for number in range(40)])


@settings(max_examples=150)
@given(rule=some_rules(depth=0), seed=st.integers(0, 10_000))
def test_what_the_check_says_of_a_correlation_is_so(rule: Rule, seed: int) -> None:
    """What is said to be met by nothing is met by nothing in these logs, and what by every event, by every one."""
    unique = {document["name"]: document for document in documents(rule)}
    written = [Document(Path("r.yml"), i, d, {}) for i, d in enumerate(unique.values())]
    said = {error.code for error in in_correlations(load_documents(written, strict=False), written)}
    random = Random(seed)  # noqa: S311 - a log to try, no secret
    events = [event for number in range(6) for event in log_of(random, str(number))]
    found = {row for episode in episodes(rule, events) for row in episode.events}
    if "impossible-count" in said:
        assert found == set(), rule
    if "idle-correlation" in said:
        flags = [flag for flag in rule.rules if isinstance(flag, str)]
        fields = [rule.aliases["who"] if name == "who" else dict.fromkeys(FLAGS, name) for name in rule.group_by]
        grouped = {
            row
            for row, event in enumerate(events)
            if event["t"] is not None
            and (rule.value is None or event[rule.value] is not None)
            and any(event[flag] and all(event[names[flag]] is not None for names in fields) for flag in flags)
        }
        assert found == grouped, rule
