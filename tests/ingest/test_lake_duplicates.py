"""Who is a duplicate of whom: the same verdicts however few ids are held at once."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import NOW

from detector.ingest.daybuffers import Origin, Piece, piece_of
from detector.ingest.duplicates import all_distinct, parts_of
from detector.ingest.settle import settle_day
from detector.schema import EVENT_SCHEMA

NIGHT = date(2026, 11, 1)


def origin(folder: Path) -> Origin:
    return Origin("canonical", "a.csv", NOW, folder, lambda: "ab" * 32)


def piece(folder: Path, rows: list[tuple[int, int, int]], first_line: int) -> Piece:
    """Events of (id, minute, operator)."""
    given = {
        "event_id": [f"event-{key}" for key, _, _ in rows],
        "event_time": [NOW + timedelta(minutes=minute) for _, minute, _ in rows],
        "operator_id": [f"op{who}" for _, _, who in rows],
        "source_line": list(range(first_line, first_line + len(rows))),
        "ingested_at": [NOW] * len(rows),
    }
    columns = [
        pa.array(given[f.name], f.type) if f.name in given
        else pa.nulls(len(rows), f.type) if f.nullable
        else pa.array(["x"] * len(rows), f.type)
        for f in EVENT_SCHEMA
    ]  # fmt: skip
    return piece_of(NIGHT, pa.table(columns, schema=EVENT_SCHEMA), origin(folder), {"present_columns": "event_id"})


def test_ids_compared_in_parts_give_the_same_verdicts(tmp_path: Path) -> None:
    rows = [(n * 7919 % 900, n % 7 // 4, n % 2) for n in range(3_000)]
    outcomes = []
    for memory_bytes in (1 << 30, 20_000):
        pieces = [piece(tmp_path / str(memory_bytes), rows[at : at + 1_250], at) for at in (500, 1_750)]
        old = piece(tmp_path / f"old{memory_bytes}", rows[:500], 0)
        settled = settle_day(NIGHT, pieces, [old.file.path], origin(tmp_path), memory_bytes=memory_bytes)
        kept = [n for each in settled.pieces for n in pq.ParquetFile(each.file.path).read()["source_line"].to_pylist()]
        outcomes.append((kept, settled.duplicates, sorted(map(str, settled.conflicts.to_pylist()))))
    assert outcomes[0] == outcomes[1]
    first: dict[int, tuple[int, int]] = {}
    expected = {"kept": 0, "duplicate": 0, "conflict": 0}
    for number, (key, *rest) in enumerate(rows):
        new = key not in first
        same = first.setdefault(key, (rest[0], rest[1])) == (rest[0], rest[1])
        if number >= 500:
            expected["kept" if new else "duplicate" if same else "conflict"] += 1
    kept, duplicates, conflicts = outcomes[0]
    assert {"kept": len(kept), "duplicate": duplicates, "conflict": len(conflicts)} == expected
    assert all(expected.values())


@given(st.lists(st.text(max_size=12), max_size=30), st.integers(1, 9), st.integers(0, 5))
def test_equal_ids_are_in_the_same_part(ids: list[str], parts: int, offset: int) -> None:
    column = pa.array([*ids, *ids], pa.string())
    codes = parts_of(column, parts)
    assert codes[: len(ids)].tolist() == codes[len(ids) :].tolist()
    assert parts_of(column[offset:], parts).tolist() == codes[offset:].tolist()
    assert all(0 <= code < parts for code in codes)


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=4))
def test_distinct_means_that_no_id_comes_twice(lists: list[list[str]]) -> None:
    together = [each for part in lists for each in part]
    assert all_distinct([pa.array(part, pa.string()) for part in lists]) == (len(set(together)) == len(together))
