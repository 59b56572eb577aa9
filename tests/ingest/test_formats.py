"""Every shipped format: a sample gives exactly these rows; a real export is read whole; the docs name them all."""

from __future__ import annotations

import csv
import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from formats_samples import SAMPLES, Sample
from rows import read_file, recognised, shipped

from detector.config import Settings

MADE = ("source_name", "source_line")


def settings(sample: Sample) -> Settings:
    return Settings.model_validate({"sources": sample.sources})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_sample_gives_exactly_these_rows(sample: Sample, tmp_path: Path) -> None:
    found, rejects = read_file(sample.write(tmp_path), sample.source, settings(sample))
    wanted = [dict(event) for event in sample.events]
    for event, want in zip(found, wanted, strict=True):
        assert event["source_name"] == sample.source
        if "event_id" not in want:  # made of the row
            assert len(event.pop("event_id")) == 32
        assert {name: value for name, value in event.items() if name not in MADE} == want
    assert tuple(rejects) == sample.rejects


def test_every_shipped_mapping_has_a_sample() -> None:
    assert {sample.source for sample in SAMPLES} == set(shipped())


def test_docs_name_every_shipped_mapping_and_what_it_assumes(root: Path) -> None:
    page = (root / "docs" / "formats.md").read_text()
    for mapping in shipped().values():
        assert f"\n## `{mapping.name}`\n" in page, f"docs/formats.md lacks {mapping.name}: run docs/formats.py"
        for assumption in mapping.assumptions:
            assert assumption in page


def test_formats_page_is_what_the_mappings_say(root: Path) -> None:
    spec = importlib.util.spec_from_file_location("formats_page", root / "docs" / "formats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (root / "docs" / "formats.md").read_text() == module.page(), "run python docs/formats.py"


def test_the_same_row_has_one_id_in_every_container(tmp_path: Path) -> None:
    """Without ids of its own: as CSV, JSON lines, workbook and Parquet."""
    ids = set()
    for sample in SAMPLES:
        if sample.source == "canonical":
            path = sample.write(tmp_path)
            if path.suffix in (".csv", ".jsonl"):
                path.write_bytes(path.read_bytes().replace(b"event_id", b"no_id"))
                found, _ = read_file(path, "canonical")
                ids.add(found[0]["event_id"])
    assert len(ids) == 1
    assert ids != {"E1"}


@pytest.mark.parametrize(
    ("zone", "offsets"), [(None, {None}), ("America/Los_Angeles", {-420, -480}), ("Etc/GMT+8", {-480})]
)
def test_eugene_whole(shared_data: Path, zone: str | None, offsets: set[int | None]) -> None:
    path = shared_data / "eugene" / "search_audit.csv"
    sources = {"alpr-portal": {"local_zone": zone}} if zone else {}
    found, rejects = read_file(path, "alpr-portal", Settings.model_validate({"sources": sources}))
    assert recognised(path) == ["alpr-portal"]
    assert (len(found), rejects) == (4294, [])
    with path.open(newline="") as file:
        for number, (row, event) in enumerate(zip(csv.DictReader(file), found, strict=True), 2):
            moment = datetime.fromisoformat(row["searchDate"]).replace(tzinfo=UTC)
            assert (event["event_id"], event["operator_id"], event["actor_id"]) == (
                row["id"],
                row["userId"],
                row["userId"],
            )
            assert (event["event_time"], event["scope_count"]) == (moment, int(row["cameraCount"]))
            assert (event["reason_text"], event["source_line"], event["system"]) == (row["reason"], number, "ALPR")
    assert {event.get("utc_offset_minutes") for event in found} == offsets
    assert len({event["operator_id"] for event in found}) == 147


def test_eugene_streaks_of_the_published_analysis(shared_data: Path) -> None:
    """Local days by the fixed offset give the published runs of five and more days, each and no other."""
    fixed = Settings.model_validate({"sources": {"alpr-portal": {"local_zone": "Etc/GMT+8"}}})
    found, _ = read_file(shared_data / "eugene" / "search_audit.csv", "alpr-portal", fixed)
    days: dict[str, set[datetime]] = {}
    for event in found:
        if event["event_time"] < datetime(2025, 9, 21, tzinfo=UTC):
            local = event["event_time"] + timedelta(minutes=event["utc_offset_minutes"])
            days.setdefault(event["operator_id"], set()).add(local.replace(hour=0, minute=0, second=0, microsecond=0))
    streaks = 0
    for each in days.values():
        starts = [day for day in each if day - timedelta(days=1) not in each]
        streaks += sum(all(start + timedelta(days=n) in each for n in range(5)) for start in starts)
    with (shared_data / "eugene" / "streaks_published.csv").open() as file:
        assert streaks == sum(1 for _ in csv.DictReader(file))
