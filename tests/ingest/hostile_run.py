"""Runs the hostile files through a real ingest and says what became of every line.

python tests/ingest/hostile_run.py    writes golden/hostile.json and docs/hostile-inputs.md anew
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hostile_cases import CASES, MAPPINGS, Case

from detector.config import Settings
from detector.database import open_database
from detector.errors import MappingError
from detector.home import Home
from detector.ingest.mapping import load_mapping
from detector.progress import Silent

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "hostile.json"
PAGE = HERE.parents[1] / "docs" / "hostile-inputs.md"
NOW = datetime(2026, 12, 1, tzinfo=UTC)

Fate = dict[str, Any]
HEAD = """# Hostile input, and what becomes of it

Written by `python tests/ingest/hostile_run.py` from the cases in `tests/ingest/hostile_cases.py`; the tests run every
one through the real ingest and compare. Line numbers are physical lines (rows of a workbook or Parquet file). Where a
file is refused as a whole nothing of it is kept, the others are still read, and the exit code is 4.

| case | what it is | lines | events | duplicates | rejects: line and reason |
|---|---|---|---|---|---|
"""
MAPPING_HEAD = """
## Source mappings that are refused

Each with exit code 3, before anything is read.

| case | what it is | message |
|---|---|---|
"""


def run_cases(folder: Path, home: Home, cases: Iterable[Case] = CASES) -> dict[str, Fate]:
    """The fate of each case; the home's database must be open."""
    fates: dict[str, Fate] = {}
    for case in cases:
        path = folder / case.name / case.file
        path.parent.mkdir(parents=True)
        path.write_bytes(case.make(case.name))
        fates[case.name] = _fate(case, path, home)
    return fates


def _fate(case: Case, path: Path, home: Home) -> Fate:
    from detector.ingest.run import ingest_paths  # its models can be imported once a database is open only

    before = set(home.rejects_dir().rglob("*.parquet"))
    summary = ingest_paths(
        [path], home=home, settings=Settings(), source=case.source, now=NOW, progress=Silent(), env={}
    )
    if not summary.files:
        (why,) = [why for _, why in summary.not_recognised]
        return {"refused": re.sub(r" \(.*\)", "", why)}  # what a library says in brackets changes with its version
    (counts,) = summary.files
    rejects = []
    for file in sorted(set(home.rejects_dir().rglob("*.parquet")) - before):
        table = pq.read_table(file, partitioning=None)
        rejects += list(zip(table["source_line"].to_pylist(), table["reason"].to_pylist(), strict=True))
    fate = {"lines": counts.lines, "events": counts.events, "duplicates": counts.duplicates}
    return {**fate, "rejects": [[line, reason] for line, reason in sorted(rejects)]}


def run_mappings(folder: Path) -> dict[str, Fate]:
    """The message with which each wrong mapping is refused, without the folder it lies in."""
    fates: dict[str, Fate] = {}
    for name, _, text in MAPPINGS:
        path = folder / f"{name}.yaml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        try:
            load_mapping(path)
        except MappingError as exc:
            fates[name] = {"error": str(replace_folder(str(exc), folder))}
        else:
            fates[name] = {"error": "accepted"}
    return fates


def replace_folder(text: str, folder: Path) -> str:
    return text.replace(f"{folder}{os.sep}", "")


def page(golden: dict[str, dict[str, Fate]]) -> str:
    """The documentation page of a golden table."""
    out = HEAD
    for case in CASES:
        fate = golden["files"][case.name]
        if "refused" in fate:
            out += f"| {case.name} | {case.about} | - | - | - | refused: {_cell(fate['refused'])} |\n"
            continue
        counts = " | ".join(str(fate[name]) for name in ("lines", "events", "duplicates"))
        out += f"| {case.name} | {case.about} | {counts} | {_rejects(fate['rejects'])} |\n"
    out += MAPPING_HEAD
    for name, about, _ in MAPPINGS:
        out += f"| {name} | {about} | {_cell(golden['mappings'][name]['error'])} |\n"
    return out


def _rejects(rejects: list[tuple[int, str]]) -> str:
    return ", ".join(f"{line} {reason}" for line, reason in rejects) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def golden_text(golden: dict[str, dict[str, Fate]]) -> str:
    """JSON with one case a line, for diffs that can be read."""
    parts = []
    for part, fates in golden.items():
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(fate)}" for name, fate in fates.items())
        parts.append(f'"{part}": {{\n{rows}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = Home(folder / "home")
        open_database(home, env={})
        golden = {"files": run_cases(folder / "files", home), "mappings": run_mappings(folder)}
    GOLDEN.write_text(golden_text(golden))
    PAGE.write_text(page(golden))


if __name__ == "__main__":
    main()
