"""What the logic of a condition gives away; and that nothing is called impossible that an event can do."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from detector.engine import connect
from detector.rules.checks import in_document, kind_of
from detector.rules.checks.truth import MOST_ATOMS
from detector.rules.correlation import ROW
from detector.rules.document import Document, read_documents
from detector.rules.load import load_documents
from detector.rules.run import run_rules

LOGIC = {
    "never-true", "always-true", "impossible-selection", "idle-selection", "covered-selection", "covered-value",
    "too-many-parts",
}  # fmt: skip

#: What stands under `detection:`, and what is found there.
CASES = [
    ("s: {unit: a}\ncondition: s and not s", {"never-true"}),
    ("s: {unit: a}\nt: {unit: b}\ncondition: s and t", {"never-true"}),
    ("s: {unit: a}\nt: {unit|startswith: a}\ncondition: s and t", {"idle-selection"}),
    ("s: {unit: a}\nt: {unit: A}\ncondition: s and t", {"idle-selection"}),
    ("s: {unit|cased: a}\nt: {unit: A}\ncondition: s and t", {"idle-selection"}),
    ("s: {unit|cased: a}\nt: {unit|cased: A}\ncondition: s and t", {"never-true"}),
    ("s: {unit|re: '^a$'}\nt: {unit|cased: A}\ncondition: s and t", {"never-true"}),
    ("s: {unit|re: '^a$'}\nt: {unit: A}\ncondition: s and t", set()),  # the event may say `a`
    ("s: {unit|startswith: a}\nt: {unit|startswith: b}\ncondition: s and t", {"never-true"}),
    ("s: {unit|startswith: a}\nt: {unit|endswith: b}\ncondition: s and t", set()),
    ("s: {unit|contains: a}\nt: {unit|contains: b}\ncondition: s and t", set()),
    ("s: {unit|contains: ab}\nt: {unit|contains: b}\ncondition: s and t", {"idle-selection"}),
    ("s: {unit|contains: ab}\nt: {unit|contains: b}\ncondition: s or t", {"covered-selection"}),
    ("s: {unit|contains: [ab, b]}\ncondition: s", {"covered-value"}),
    ("s: {unit: [a, A]}\ncondition: s", {"covered-value"}),
    ("s: {unit|contains|all: [a, b]}\ncondition: s", set()),
    ("s: {rate_z|gt: 5, unit: a}\nt: {rate_z|lt: 3}\ncondition: s and t", {"never-true"}),
    ("s: {rate_z|gte: 3}\nt: {rate_z|lte: 3}\ncondition: s and t", set()),
    ("s: {rate_z|gt: 3}\nt: {rate_z|lt: 4}\ncondition: s and t", set()),
    ("s: {result_count|gt: 3}\nt: {result_count|lt: 4}\ncondition: s and t", {"never-true"}),  # whole numbers
    ("s: {rate_z|gt: 3}\nt: {rate_z|lte: 3}\ncondition: s or t", set()),  # it may be unknown
    ("s: {source_line|gt: 3}\nt: {source_line|lte: 3}\ncondition: s or t", {"always-true"}),  # it never is
    ("s: {reason_missing|gt: 1}\ncondition: s", {"never-true"}),  # a share
    ("s: {new_terminal|gt: 0}\nt: {new_terminal: 1}\ncondition: s and t", {"idle-selection"}),
    ("s: {unit: null}\nt: {unit|exists: true}\ncondition: s and t", {"never-true"}),
    ("s: {unit: null}\nt: {unit|exists: true}\ncondition: s or t", {"always-true"}),
    ("s: {unit: ''}\nt: {unit: null}\ncondition: s and t", {"never-true"}),
    ("s: {action: view}\nt: {action|startswith: v}\ncondition: s and t", {"idle-selection"}),
    ("s: {action|contains: z}\ncondition: s", {"never-true"}),
    ("s: {source_ip|cidr: 10.0.0.0/8}\nt: {source_ip: 11.0.0.1}\ncondition: s and t", {"never-true"}),
    ("s: {unit: a}\nt:\n  - {unit: b}\n  - {unit: c, role: d}\ncondition: s and not t", {"idle-selection"}),
    ("s: {unit: a}\nt: {unit: b, role: d}\ncondition: s and not t", {"idle-selection"}),
    ("s: {unit: a}\nt: {role: d}\ncondition: s and not t", set()),
    ("s:\n  - {unit: a}\n  - {rate_z|gt: 2, rate_z|lt: 1}\ncondition: s", {"impossible-selection"}),
    ("x_a: {unit: a}\nx_b: {unit: b}\ncondition: all of x_*", {"never-true"}),
    ("x_a: {unit: a}\nx_b: {unit: b}\ncondition: 1 of x_*", set()),
    ("x_a: {unit: a}\nx_b: {unit: b}\ncondition: (1 of them)", set()),
    ("s: {unit: a}\nt: {role: a}\ncondition: (s and t) or (s and not t)", {"too-clever"}),
    ("s: [word, other]\nt: {unit: a}\ncondition: s and t", set()),
    ("s: {unit|fieldref: role}\nt: {unit: null}\ncondition: s and t", {"never-true"}),
]


def document(tmp_path: Path, detection: str) -> Document:
    path = tmp_path / "r.yml"
    body = "".join(f"  {line}\n" for line in detection.splitlines())
    path.write_text(f"title: t\ndetection:\n{body}")
    documents, errors = read_documents(path)
    assert errors == []
    return documents[0]


def found(one: Document) -> set[str]:
    return {kind_of(error).id for error in in_document(one)} & LOGIC


@pytest.mark.parametrize(("detection", "expected"), CASES, ids=[text.replace("\n", "; ") for text, _ in CASES])
def test_logic(tmp_path: Path, detection: str, expected: set[str]) -> None:
    # what is a long way round for `s` is told by no name: `t` is there with both signs
    assert found(document(tmp_path, detection)) == expected - {"too-clever"}


def test_an_impossible_alternative_is_named_with_its_line(tmp_path: Path) -> None:
    one = document(tmp_path, "s:\n  - {unit: a}\n  - rate_z|gt: 2\n    rate_z|lt: 1\ncondition: s")
    (error,) = [error for error in in_document(one) if error.code == "impossible-selection"]
    assert error.where is not None
    assert error.where.line == 5
    assert "alternative 2" in error.message


def test_lists_of_any_length_are_one_part(tmp_path: Path) -> None:
    many = ", ".join(f"u{number}" for number in range(3000))
    assert found(document(tmp_path, f"s: {{unit: [{many}]}}\nt: {{unit: v}}\ncondition: s and t")) == {"never-true"}


def test_too_many_parts_are_said_to_be(tmp_path: Path) -> None:
    parts = "\n".join(f"s{n}: {{query_text|contains: w{n}}}" for n in range(MOST_ATOMS + 1))
    assert found(document(tmp_path, f"{parts}\ncondition: 1 of s*")) == {"too-many-parts"}
    parts = "\n".join(f"s{n}: {{query_text|contains: w{n}w}}" for n in range(MOST_ATOMS))
    assert found(document(tmp_path, f"{parts}\ncondition: 1 of s*")) == set()


# --- nothing is said that is not so: whatever is called impossible, the engine finds in none of these events ---------

UNITS = [None, "", "a", "A", "ab", "b", "ba", "5", "5.0", "true"]
NUMBERS = [None, -1.0, 0.0, 2.0, 2.5, 3.0, 5.0, 7.0]
COUNTS = [None, 2, 3, 5]

comparisons = st.one_of(
    st.tuples(
        st.sampled_from(["unit", "unit|cased", "unit|startswith", "unit|endswith", "unit|contains", "unit|neq"]),
        st.sampled_from(["a", "A", "b", "ab", "a*", "*b", "?", "5", "true"]),
    ),
    st.tuples(st.sampled_from(["unit|re", "unit|re|i"]), st.sampled_from(["^a", "b$", "^a$", "5", "."])),
    st.tuples(st.just("unit"), st.sampled_from([None, "", 5, True])),
    st.tuples(st.just("unit|exists"), st.booleans()),
    st.tuples(st.sampled_from(["unit|gt", "unit|lte"]), st.sampled_from([2, 5])),
    st.tuples(
        st.sampled_from(["rate_z|gt", "rate_z|gte", "rate_z|lt", "rate_z|lte", "rate_z"]), st.sampled_from([2, 3, 5])
    ),
    st.tuples(st.just("rate_z"), st.sampled_from([None, "5", "3"])),
    st.tuples(st.sampled_from(["result_count|gt", "result_count|lt", "result_count"]), st.sampled_from([2, 3, 4])),
)
selections = st.one_of(
    st.lists(comparisons, min_size=1, max_size=2).map(dict),
    st.lists(st.lists(comparisons, min_size=1, max_size=2).map(dict), min_size=1, max_size=2),
)
CONDITIONS = ["s", "not s", "s and t", "s or t", "s and not t", "s or not t", "s and (t or not u)", "1 of them",
              "all of them", "not (s or t) and u"]  # fmt: skip
detections = st.tuples(selections, selections, selections, st.sampled_from(CONDITIONS))


def events() -> pa.Table:
    rows = list(itertools.product(UNITS, NUMBERS, COUNTS))
    return pa.table(
        {
            "unit": pa.array([row[0] for row in rows], pa.string()),
            "rate_z": pa.array([row[1] for row in rows], pa.float64()),
            "result_count": pa.array([row[2] for row in rows], pa.int64()),
            ROW: pa.array(range(len(rows))),
        }
    )


@settings(max_examples=6, phases=[Phase.generate])
@given(st.lists(detections, min_size=4, max_size=4))
def test_what_is_called_impossible_is(tmp_path_factory: pytest.TempPathFactory, rules: list[Any]) -> None:
    path = tmp_path_factory.mktemp("rules") / "r.yml"
    bodies = []
    for index, (s, t, u, condition) in enumerate(rules):
        both = {"s": s, "t": t, "u": u, "condition": condition}
        bodies.append({"title": f"rule {index}", "detection": both})
        # the same without one selection: where that is idle, the engine must find the same events
        for name in "stu":
            for forced in (True, False):
                text = condition.replace("1 of them", "(s or t or u)").replace("all of them", "(s and t and u)")
                swapped = "".join(f" {w} " if w != name else (" yes " if forced else " no ") for w in _words(text))
                fixed = {**both, "yes": {"rate_z|exists": True}, "more": {"rate_z": None}, "condition": swapped}
                fixed["condition"] = swapped.replace(" yes ", " (yes or more) ").replace(" no ", " (yes and more) ")
                bodies.append({"title": f"rule {index} {name} {forced}", "detection": fixed})
    path.write_text(yaml.safe_dump_all(bodies, sort_keys=False))
    documents, errors = read_documents(path)
    assert errors == []
    pack = load_documents(documents, strict=False)
    hits: dict[str, set[int]] = {rule.about.title: set() for rule in pack.rules}
    con = connect()
    table = events()
    try:
        for hit in run_rules(con, pack, ibis.memtable(table)):
            hits[hit.rule.about.title].add(hit.rows[0])
    finally:
        con.disconnect()
    by_title = {one.data["title"]: one for one in documents}
    for index in range(len(rules)):
        title = f"rule {index}"
        if title not in hits:
            continue  # refused: a value that does not fit
        for error in in_document(by_title[title]):
            if error.code == "never-true":
                assert hits[title] == set(), by_title[title].data
            elif error.code == "always-true":
                assert len(hits[title]) == table.num_rows, by_title[title].data
            elif error.code in ("idle-selection", "covered-selection"):
                name = error.message.split("'")[1]
                same = [hits[f"{title} {name} {forced}"] == hits[title] for forced in (True, False)]
                assert any(same), (error.message, by_title[title].data)


def _words(text: str) -> list[str]:
    return text.replace("(", " ( ").replace(")", " ) ").split()
