"""What a night leaves behind, and what is told from it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from feature_world import MONDAY, Connect, Nights, at, look, table

from detector.config import FeatureSettings
from detector.engine import connect
from detector.features.catalogue import FEATURES, MODEL_FEATURES
from detector.features.compute import night_features
from detector.features.engine import constant_number, stable_hash
from detector.features.explain import usual_values
from detector.features.profiles import PROFILE_TABLES, SAMPLE_SIZE
from detector.schema import EVENT_SCHEMA


def _two_nights(engine: Connect) -> Nights:
    nights = Nights(engine)
    for day in range(2):
        rows = [look(f"a{day}-{n}", at(day, f"09:0{n}"), unit="north", role="pc", record_id=f"R{n}") for n in range(4)]
        rows += [look(f"b{day}", at(day, "09:00"), operator_id="bob", unit="north", role="pc", record_id="R1")]
        rows += [look(f"c{day}", at(day, "09:00"), operator_id="carol", unit="south", role="pc", terminal_id="T1")]
        rows += [look(f"m{day}", at(day, "09:00"), operator_id="***", record_id="R9", reason_text="theft")]
        nights.run(MONDAY + timedelta(days=day), rows)
    return nights


def test_profiles_have_their_schema_night_and_order(engine: Connect) -> None:
    nights = _two_nights(engine)
    keys = {"actor_days": 1, "actor_records": 1, "unit_records": 1, "record_days": 1, "visits": 2, "habits": 1,
            "case_records": 2, "actor_features": 1}  # fmt: skip
    for name, schema in PROFILE_TABLES.items():
        table = nights.profiles[name][1]
        assert table.schema.equals(schema), name
        assert set(table["night"].to_pylist()) <= {MONDAY + timedelta(days=1)}
        if name in keys:
            rows = list(zip(*(table[column].to_pylist() for column in schema.names[1 : keys[name] + 1]), strict=True))
            assert rows == sorted(set(rows)), name


def test_a_masked_person_leaves_no_rows_of_their_own(engine: Connect) -> None:
    nights = _two_nights(engine)
    assert nights.profiles["actor_features"][1]["actor_id"].to_pylist() == ["alice", "bob", "carol"]
    assert nights.profiles["actor_days"][1].num_rows == 3
    assert sorted(nights.profiles["record_days"][1]["actors"].to_pylist()) == [0, 0, 1, 1, 1, 2]  # night, R9, R0-R3


def test_a_gap_is_kept_of_the_nights_first_touch_only(engine: Connect) -> None:
    nights = Nights(engine)
    for day in (0, 3):
        rows = [look(f"a{day}-{n}", at(day, f"09:0{n}"), record_id="R1") for n in range(3)]
        nights.run(MONDAY + timedelta(days=day), rows)
    assert [table["gap"].to_pylist() for table in nights.profiles["actor_records"]] == [[None], [3]]


def test_the_sample_is_the_same_whatever_the_order_and_bounded(engine: Connect) -> None:
    rows = [look(f"e{n:05}", at(0, "09:00") + timedelta(seconds=n), operator_id=f"op{n % 50}") for n in range(5200)]
    tables = []
    for order in (rows, rows[::-1]):
        nights = Nights(engine)
        nights.run(MONDAY, order)
        tables.append(nights.profiles["feature_sample"][0])
    assert tables[0] == tables[1]
    assert tables[0].num_rows == SAMPLE_SIZE
    assert tables[0].schema.names[-len(MODEL_FEATURES) :] == list(MODEL_FEATURES)
    assert len(set(tables[0]["event_id"].to_pylist())) == SAMPLE_SIZE


def test_usual_is_the_median_of_own_nights_and_of_the_other_peers(engine: Connect) -> None:
    nights = _two_nights(engine)
    con = engine()
    table = con.create_table("usual", ibis.memtable(pa.concat_tables(nights.profiles["actor_features"])))
    usual = usual_values(con, table, ["alice", "carol", "nobody"])
    con.disconnect()
    # Alice's look-ups of the hour: 1, 2, 3, 4 on both nights; Bob, the only peer: 1. Carol has no peers.
    assert usual["alice"]["lookups_1h"] == (2.5, 1.0)
    assert usual["carol"]["lookups_1h"] == (1.0, None)
    assert usual["alice"]["session_conflict"] == (None, None)
    assert set(usual) == {"alice", "carol"}
    assert set(usual["alice"]) == set(FEATURES)


def test_keys_mean_the_same_on_every_engine_and_for_ever(engine: Connect) -> None:
    con = engine()
    key = con.to_pyarrow(stable_hash("record", ibis.literal("R1"))).as_py()
    con.disconnect()
    digest = hashlib.md5(b"record\x1fR1", usedforsecurity=False).digest()
    assert key == int.from_bytes(digest[8:], "little") >> 1 == constant_number("record\x1fR1")


def test_two_sources_may_use_the_same_event_id(engine: Connect) -> None:
    nights = Nights(engine)
    rows = [look("1", at(0, "09:00"), source_name=name, operator_id=name) for name in ("one", "two")]
    nights.run(MONDAY, rows)
    assert nights.profiles["actor_features"][0]["lookups_1h"].to_pylist() == [1, 1]
    assert nights.profiles["actor_days"][0].num_rows == 2


def test_profiles_are_read_from_files_as_from_tables(engine: Connect, tmp_path: Path) -> None:
    nights = _two_nights(engine)
    night = MONDAY + timedelta(days=8)  # the first of the two nights is beyond the week's history
    files: dict[str, list[Path]] = {}
    for name, parts in nights.profiles.items():
        for number, part in enumerate(parts):
            path = tmp_path / name / f"night={number}" / "part.parquet"
            path.parent.mkdir(parents=True)
            pq.write_table(part, path)
            files.setdefault(name, []).append(path)
    files["case_records"] = []  # a night may have none at all
    con = connect(readable=[tmp_path])
    rows = [look("a", at(8, "09:00"), unit="north", role="pc", record_id="R1", case_ref="C1")]
    settings = FeatureSettings(history_days=7)
    events = ibis.memtable(table(rows))
    before = ibis.memtable(EVENT_SCHEMA.empty_table())
    found = night_features(con, night, events, before, files, settings).to_pyarrow().to_pylist()
    con.disconnect()
    nights.settings = settings
    (expected,) = nights.run(night, rows).values()
    assert {key: value for key, value in found[0].items() if key != "event_id"} == expected
    assert expected["repeat_days"] == 3
