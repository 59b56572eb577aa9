"""What a simulated force must be: the same for a seed, whole in its references, and told apart by no one number."""

from __future__ import annotations

import filecmp
import json
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from made_force import Made, make

from detector import cli
from detector.schema import ACTIONS, MAPPABLE, OUTCOMES, REFERENCE_TABLES
from detector.simulate.options import Options
from detector.simulate.organisation import KINDS
from detector.simulate.scenarios.registry import SCENARIOS


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    one, two, other = (make(tmp_path / name, Options(100, 9, seed)) for name, seed in (("a", 3), ("b", 3), ("c", 4)))
    assert files(one.folder) == files(two.folder)
    _, different, errors = filecmp.cmpfiles(one.folder, two.folder, files(one.folder), shallow=False)
    assert (different, errors) == ([], [])
    common = sorted({*files(one.folder)} & {*files(other.folder)})
    same, _, _ = filecmp.cmpfiles(one.folder, other.folder, common, shallow=False)
    assert same == ["scenarios.csv"]


def test_csv_holds_the_same_look_ups_as_parquet(tmp_path: Path) -> None:
    folders = {kind: tmp_path / kind for kind in ("parquet", "csv")}
    for kind, folder in folders.items():
        command = ["simulate", str(folder), "--staff", "100", "--days", "3", "--seed", "8", "--file-format", kind]
        assert cli.run(command) == 0
    (table,) = [pq.read_table(path) for path in folders["parquet"].glob("events/pnc/*-03-03.parquet")]
    text = pd.read_csv(folders["csv"] / "events/pnc/pnc-2026-03-03.csv", dtype=str, keep_default_na=False)
    assert text["event_id"].tolist() == table["event_id"].to_pylist()
    assert text["reason_text"].tolist() == table["reason_text"].to_pylist()
    assert all(re.fullmatch(r"2026-03-03T\d\d:\d\d:\d\dZ", time) for time in text["event_time"])
    assert set(text["is_automatic"]) == {"true", "false"}


def test_events_have_the_contract_s_names_values_and_days(force: Made) -> None:
    for path in (force.folder / "events").rglob("*.parquet"):
        table = pq.read_table(path)
        assert set(table.column_names) <= set(MAPPABLE)
        times = table["event_time"].to_pandas()
        assert times.is_monotonic_increasing
        assert {str(day) for day in times.dt.date} == {path.stem[-10:]}
    assert set(force.events["action"]) <= set(ACTIONS)
    assert set(force.events["outcome"].dropna()) <= set(OUTCOMES)
    assert force.events["event_id"].is_unique
    assert force.events["event_id"].str.fullmatch("[0-9a-f]{32}").all()
    assert force.summary.events == len(force.events)


def test_a_child_follows_its_parent_and_says_the_same(force: Made) -> None:
    children = force.events[force.events["parent_id"].notna()]
    both = children.merge(force.events, left_on="parent_id", right_on="event_id", suffixes=("", "_parent"))
    assert len(both) == len(children) > 500
    assert children["is_automatic"].all()
    assert (both["event_time"] - both["event_time_parent"] == pd.Timedelta(seconds=1)).all()
    for column in ("operator_id", "requester_id", "reason_text", "case_ref", "terminal_id"):
        assert (both[column] == both[f"{column}_parent"]).all()
    assert set(both["record_type_parent"]) == {"vehicle"}
    assert set(both["record_type"]) == {"person"}
    keepers = force.table("records").set_index("record_id")["vehicle_keeper_id"]
    known = both["record_id_parent"].map(keepers)
    assert (known == both["record_id"])[known.notna()].all()


def test_habits_follow_the_local_clock_over_the_change_to_summer_time(force: Made) -> None:
    """The office's day begins at the same local hour before and after 29 March 2026, an hour earlier in UTC."""
    offices = force.events[
        force.events["unit"]
        .fillna("")
        .str.startswith(("Data quality", "Vetting", "Collision", "Firearms", "Disclosure", "Witness"))
    ]
    summer = offices["event_time"] >= pd.Timestamp("2026-03-29T01:00Z")
    assert set(offices.loc[~summer, "utc_offset_minutes"].dropna()) == {0}
    assert set(offices.loc[summer, "utc_offset_minutes"].dropna()) == {60}
    hours = offices["event_time"].dt.hour + offices["event_time"].dt.minute / 60
    medians = hours.groupby([offices["operator_id"], summer]).median().unstack()
    assert (medians[False] - medians[True]).median() == pytest.approx(1.0, abs=0.35)


def test_busy_desks_are_as_busy_as_they_should_be(force: Made) -> None:
    """Look-ups keyed a person and day of duty, without automatic ones: the bounds that misuse hides below."""
    own = force.events[force.events["parent_id"].isna()]
    day = own["event_time"].dt.date
    unit = (
        own["operator_id"]
        .map(force.table("staff").drop_duplicates("staff_id").set_index("staff_id")["unit"])
        .fillna("")
    )
    count = own.groupby(["operator_id", day, unit.str.split(",").str[0]]).size()
    means = count.groupby(level=2).median()
    assert 50 <= means["Murder room"] <= 500
    assert 60 <= means["Proactive"] <= 150
    assert 50 <= means["ANPR desk"] <= 150
    assert 20 <= means["Vetting"] <= 80
    assert means["Headquarters"] < 5
    keyed = own[own["requester_id"].fillna("") != ""]
    assert keyed["requester_id"].nunique() > 100
    assert keyed["operator_id"].nunique() <= 5


def test_labels_refer_to_events_and_every_scenario_occurs(force: Made) -> None:
    assert list(force.labels.columns) == ["event_id", "episode_id", "scenario"]
    assert set(force.labels["event_id"]) <= set(force.events["event_id"])
    assert force.labels["event_id"].is_unique
    assert force.labels.groupby("episode_id")["scenario"].nunique().eq(1).all()
    assert set(force.labels["scenario"]) == {scenario.name for scenario in SCENARIOS}
    assert {scenario.number for scenario in SCENARIOS} == set(range(1, 32))
    splits = [scenario.split for scenario in SCENARIOS]
    assert splits.count("held_out") >= 8


def test_the_share_of_staff_who_misuse_is_what_was_asked_for(force: Made, tmp_path: Path) -> None:
    assert force.summary.actors == pytest.approx(0.16 * 300, abs=2)
    none = make(tmp_path / "none", Options(100, 3, 1, prevalence=0))
    assert (len(none.labels), none.summary.episodes) == (0, 0)


def test_groups_name_events_or_people_and_never_a_labelled_event(force: Made) -> None:
    groups = force.groups
    assert ((groups["event_id"] == "") ^ (groups["actor_id"] == "")).all()
    assert set(groups["event_id"]) - {""} <= set(force.events["event_id"])
    assert not set(groups["event_id"]) & set(force.labels["event_id"])
    staff = set(force.events["operator_id"]) | set(force.events["requester_id"].dropna())
    people = groups[groups["actor_id"] != ""]
    assert len(set(people["actor_id"]) & staff) > 0.8 * people["actor_id"].nunique()
    wanted = {
        "murder_room", "proactive", "bureau", "custody", "domestic_abuse", "anpr_desk", "vetting",
        "professional_standards", "network_analysts", "night_response", "new_starters", "transfers", "common_surname",
        "closed_appeal", "fugitive_hunt", "live_incident", "log_in_test", "unlogged_stop", "wide_description",
    }  # fmt: skip
    assert wanted <= set(groups["group"])
    assert {kind.group for kind in KINDS if kind.group} <= wanted


def test_hard_negatives_are_twenty_times_what_is_misuse(tmp_path: Path) -> None:
    usual = make(tmp_path / "usual", Options(400, 12, 2))
    actor = usual.events["requester_id"].where(
        usual.events["requester_id"].fillna("") != "", usual.events["operator_id"]
    )
    hard = actor.isin(usual.groups["actor_id"]) | usual.events["event_id"].isin(usual.groups["event_id"])
    assert hard.sum() >= 20 * len(usual.labels)


@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_reference_tables_hold_together_up_to_their_gaps(tmp_path: Path, gaps: float) -> None:
    made = make(tmp_path / "out", Options(200, 20, 6, reference_gaps=gaps))
    tables = {name: made.table(name) for name in REFERENCE_TABLES}
    for name, columns in REFERENCE_TABLES.items():
        assert list(tables[name].columns) == list(columns), name
    staff, records, cases = (
        set(tables["staff"]["staff_id"]),
        set(tables["records"]["record_id"]),
        set(tables["cases"]["case_ref"]),
    )
    refer = [
        (tables["shifts"]["staff_id"], staff), (tables["absences"]["staff_id"], staff),
        (tables["associations"]["staff_id"], staff), (tables["case_staff"]["staff_id"], staff),
        (tables["incidents"]["staff_id"].dropna(), staff), (tables["staff"]["manager_id"], staff),
        (tables["case_staff"]["case_ref"], cases), (tables["case_records"]["case_ref"], cases),
        (tables["case_records"]["record_id"], records), (tables["associations"]["record_id"], records),
        (tables["watchlist"]["record_id"], records), (tables["staff"]["person_record_id"], records),
        (made.events["operator_id"], staff), (made.events["record_id"].dropna(), records),
    ]  # fmt: skip
    for column, known in refer:
        dangling = 1 - column.isin(known).mean()
        assert dangling == 0 if gaps == 0 else 0 <= dangling < gaps + 0.05, column.name
    # incidents are logged under records that may never be looked up, so only those that are can be compared
    refs = made.events["case_ref"].dropna()
    shaped = refs[refs.str.match(r"NM/\d")]
    assert 1 - shaped.isin(cases).mean() < gaps + 0.05
    assert tables["cases"]["case_ref"].is_unique
    assert (
        tables["cases"]["closed_at"].dropna() >= tables["cases"]["opened_at"][tables["cases"]["closed_at"].notna()]
    ).all()


def test_sources_differ_in_the_columns_they_have(force: Made) -> None:
    columns = {
        feed.name: set(pq.read_schema(next(iter(feed.glob("*.parquet")))).names)
        for feed in (force.folder / "events").iterdir()
    }
    assert "reason_text" not in columns["custody"]
    assert "role" not in columns["pnc"]
    assert "utc_offset_minutes" not in columns["intel"]
    assert "unit" not in columns["anpr"]
    assert all({"event_time", "system", "action", "operator_id"} <= names for names in columns.values())


def test_what_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--staff", "100", "--days", "2", "--seed", "1"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    cases = [
        ([str(tmp_path / "full"), *size], "not empty"),
        ([str(tmp_path / "a"), "--staff", "20", "--days", "2", "--seed", "1"], "--staff 20 is too few"),
        ([str(tmp_path / "a"), *size, "--prevalence", "1.5"], "--prevalence must lie between 0 and 1"),
        ([str(tmp_path / "a"), *size, "--scenario", "theft"], "no scenario is called 'theft'"),
    ]
    for arguments, said in cases:
        assert cli.run(["simulate", *arguments]) == 2
        assert said in capsys.readouterr().err


def test_only_the_scenarios_asked_for_and_a_summary_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--staff", "120", "--days", "15", "--seed", "4", "--prevalence", "0.05", "--scenario", "own_record"]
    assert cli.run(["simulate", str(tmp_path / "out"), *arguments, "--start", "2025-10-20", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["scenarios"] == {"own_record": 6}
    labels = pd.read_csv(tmp_path / "out" / "labels.csv")
    assert set(labels["scenario"]) == {"own_record"}
    assert said["labelled"] == len(labels)
    assert min(path.stem[-10:] for path in (tmp_path / "out/events/pnc").iterdir()) == "2025-10-20"
