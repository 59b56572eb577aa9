"""The sample logs: made as README.md says, read as README.md says."""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detector.config import Settings
from detector.home import Home
from detector.ingest.run import IngestSummary, ingest_paths
from detector.progress import Silent

NOW = datetime(2026, 4, 7, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    return root / "sample_logs"


@pytest.fixture
def summary(home: Home, samples: Path) -> IngestSummary:
    return ingest_paths([samples], home=home, settings=Settings(), source=None, now=NOW, progress=Silent())


def content(file: Path) -> object:
    """What a file holds, however tightly it is packed."""
    if file.suffix == ".gz":
        return gzip.decompress(file.read_bytes())
    if file.suffix == ".xlsx":
        with zipfile.ZipFile(file) as archive:
            return {entry.filename: (entry.date_time, archive.read(entry)) for entry in archive.infolist()}
    return file.read_bytes()


def made(folder: Path) -> dict[str, Path]:
    """The files that make_samples.py makes."""
    rest = (".py", ".md", ".pyc")
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix not in rest}


def table(page: Path, heading: str) -> list[list[str]]:
    """Cells of the first table under a heading, without its two head rows."""
    _, _, rest = page.read_text().partition(f"## {heading}\n")
    rows = re.search(r"(?:^\|.*\|\n)+", rest, re.MULTILINE)
    assert rows is not None
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in rows.group().splitlines()[2:]]


def make(samples: Path, out: Path, seed: int) -> None:
    subprocess.run([sys.executable, samples / "make_samples.py", "--seed", str(seed), out], check=True)


def test_seed_7_makes_what_is_shipped(samples: Path, tmp_path: Path) -> None:
    make(samples, tmp_path, 7)
    shipped, again = made(samples), made(tmp_path)
    assert list(shipped) == list(again)
    assert [name for name in shipped if content(shipped[name]) != content(again[name])] == []
    assert sum(p.stat().st_size for p in shipped.values()) < 3_000_000


def test_another_seed_makes_others(samples: Path, tmp_path: Path) -> None:
    make(samples, tmp_path, 8)
    shipped, again = made(samples), made(tmp_path)
    assert [name for name in shipped if content(shipped[name]) == content(again[name])] == []


def test_every_file_is_read_as_the_readme_says(summary: IngestSummary, samples: Path) -> None:
    said = table(samples / "README.md", "Files")
    read = [
        [Path(f.source_file).relative_to(samples).as_posix(), f.source_name]
        + [f"{n:,}" for n in (f.lines, f.events, f.duplicates, f.rejects)]
        for f in summary.files
    ]
    assert sorted(read) == sorted(said)
    assert len({source for _, source, *_ in read}) >= 8


def test_what_is_dirty_is_rejected_for_what_is_wrong_with_it(summary: IngestSummary) -> None:
    reasons: dict[str, int] = {}
    for file in summary.files:
        for reason, count in file.reject_reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    assert reasons == {
        "bad_cef": 2,
        "bad_cell": 1,
        "bad_encoding": 1,
        "bad_json": 3,
        "bad_syslog": 1,
        "bad_time": 6,
        "bad_value": 1,
        "id_conflict": 1,
        "missing_required": 5,
        "nonexistent_time": 1,
        "nul_byte": 1,
        "pattern_mismatch": 2,
        "unbalanced_quote": 1,
        "unknown_action": 1,
        "wrong_column_count": 3,
    }
    assert summary.rejects == sum(reasons.values())
    assert 0 < summary.reject_share < 0.05


def test_only_the_labels_are_no_log(summary: IngestSummary) -> None:
    assert [Path(path).name for path, _ in summary.not_recognised] == ["labels.csv"]


def test_every_label_is_an_event_of_the_lake(summary: IngestSummary, home: Home, samples: Path) -> None:
    import pyarrow.parquet as pq

    from detector.ingest.lake import event_files

    found: set[str] = set()
    for night in sorted(summary.nights_touched):
        for file in event_files(home, night):
            found |= set(pq.read_table(file, columns=["event_id"])["event_id"].to_pylist())
    with (samples / "labels.csv").open(newline="") as stream:
        labels = list(csv.DictReader(stream))
    assert [row["event_id"] for row in labels if row["event_id"] not in found] == []
    scenarios = {(row["episode_id"], row["scenario"]) for row in labels}
    assert scenarios == {
        (episode, scenario) for episode, scenario, _ in table(samples / "README.md", "What was planted")
    }


def test_there_is_enough_to_learn_from(summary: IngestSummary) -> None:
    assert len(summary.nights_touched) == 36
    assert sum(file.events for file in summary.files) > 10_000
