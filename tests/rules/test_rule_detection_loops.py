"""The engine's detections against an evaluator that looks at one event at a time: random rules, random events."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_sigma import ABSENT, holds
from rule_helpers import rows_by_title, run, write_events

RULES, EVENTS = 8, 150
FIELDS = ["f", "g", "o.k"]
TEXTS = ["", "a", "A", "ab", "Ab", "b", "ba", "aXb", "a*b", "a\\b", "é", "É", "5", "5.0", "-3", "1e1", "true", "x y"]
ADDRESSES = ["10.1.2.3", "10.200.0.1", "192.168.0.1", "2001:db8::1", "10.1.2", "10.1.2.256"]
VALUES = [*TEXTS, *ADDRESSES, 5, 5.0, 2.5, -3, 0, True, False, None, ABSENT, ABSENT]
CONDITIONS = [
    "s", "not s", "s and t", "s or t", "s and not t", "not s and not t", "s and (t or not u)", "not (s or t) and u",
    "1 of s*", "1 of them", "all of them", "not 1 of them", "s or t and u",
]  # fmt: skip

field = st.sampled_from(FIELDS)
texts = st.sampled_from([*TEXTS, "a*", "*b", "*", "?", "a?b", "*x*", r"a\*b", r"a\\b", "A*B", "??", "5*"])
not_empty = texts.filter(lambda text: text not in ("", "*"))
numbers = st.sampled_from([5, 2.5, -3, 0, 10, 5.0])
some = st.sampled_from


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


def items(*modifiers: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    return st.tuples(st.tuples(field, some(modifiers)).map("".join), values)


comparisons = st.one_of(
    items("", "|neq", "|cased", values=several(texts)),
    items("|contains", "|startswith", "|endswith", "|contains|neq", "|contains|cased", values=several(not_empty)),
    items("|contains|all", "|startswith|all", values=st.lists(not_empty, min_size=2, max_size=3)),
    items("", "|neq", values=several(st.one_of(texts, numbers, st.booleans(), st.none()))),
    items("|gt", "|gte", "|lt", "|lte", values=several(numbers)),
    items("|exists", values=st.booleans()),
    items("|re", "|re|i", "|re|s", values=several(some(["^a", "b$", "^[a-b]+$", "[0-9]", "A.b", "^$", r"\*"]))),
    items("|cidr", values=several(some(["10.0.0.0/8", "10.1.0.0/16", "192.168.0.1/32", "2001:db8::/32", "0.0.0.0/0"]))),
    items("|fieldref", values=field),
)
selections = st.one_of(
    st.lists(comparisons, min_size=1, max_size=3).map(dict),
    st.lists(st.lists(comparisons, min_size=1, max_size=2).map(dict), min_size=1, max_size=3),
    st.lists(some(["a", "B", "a*b", "?y", "true", "10.1"]), min_size=1, max_size=2),
)
detections: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"s": selections, "t": selections, "u": selections, "condition": some(CONDITIONS)}
)


def event_of(random: Random) -> dict[str, Any]:
    """One event: each field a value, a list of some, or not there; `o.k` by its name, within `o`, or within a list."""

    def value() -> Any:
        if random.random() < 0.85:
            return random.choice(VALUES)
        return [one for one in random.choices(VALUES, k=random.randrange(4)) if one is not ABSENT]

    found: dict[str, Any] = {"f": value(), "g": value()}
    shape, inner = random.randrange(4), random.choice(VALUES)
    if shape == 0:
        found["o.k"] = inner
    elif shape == 1:
        found["o"] = {"k": inner} if inner is not ABSENT else {}
    elif shape == 2:
        found["o"] = [{"k": one} for one in random.choices(VALUES, k=2) if one is not ABSENT]
    return {name: one for name, one in found.items() if one is not ABSENT}


@settings(max_examples=4)
@given(rules=st.lists(detections, min_size=RULES, max_size=RULES), seed=st.integers(0, 10_000))
def test_the_engine_finds_what_a_look_at_each_event_finds(
    tmp_path_factory: pytest.TempPathFactory, rules: list[dict[str, Any]], seed: int
) -> None:
    folder: Path = tmp_path_factory.mktemp("loops")
    random = Random(seed)  # noqa: S311 - events to try, no secret
    events = [event_of(random) for _ in range(EVENTS)]
    documents: list[dict[str, Any]] = [
        {"title": f"rule {index}", "detection": rule} for index, rule in enumerate(rules)
    ]
    (folder / "rules.yml").write_text(yaml.safe_dump_all(documents, sort_keys=False))
    matches, result = run(folder / "rules.yml", write_events(folder / "events.jsonl", events))
    assert result.remarks == ()
    found = rows_by_title(matches)
    for document in documents:
        expected = [row for row, event in enumerate(events) if holds(document["detection"], event)]
        differ = sorted(set(expected) ^ set(found[document["title"]]))
        assert differ == [], yaml.safe_dump([document["detection"], *(events[row] for row in differ[:3])])
