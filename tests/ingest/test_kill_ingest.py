"""Killed at any instant and run again, ingest leaves what an undisturbed run leaves: to the byte."""

from __future__ import annotations

import gzip
import os
import random
import select
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ingest_support import HEADER, Snapshot, ids, ingest, line, log, snapshot

from detector.database import open_database
from detector.home import Home
from detector.ingest.lake import verify_lake
from detector.ledger.models import IngestedFile

#: Imports everything once; then, for each home directory named on a line, forks a process that ingests into it. Says
#: `ready PID` when that begins and `ended` when it is over, so that a kill can be timed.
WORKER = """
import os, sys
from pathlib import Path
from detector.database import open_database
from detector.home import Home
open_database(Home(Path(os.devnull) / "none"), {}, migrate=False)
sys.path.insert(0, sys.argv[1])
from ingest_support import ingest
for name in sys.stdin:
    pid = os.fork()
    if not pid:
        home = Home(Path(name.strip()))
        open_database(home, {})
        os.write(1, f"ready {os.getpid()}\\n".encode())
        ingest(home, Path(sys.argv[2]))
        os._exit(0)
    os.waitpid(pid, 0)
    os.write(1, b"ended\\n")
"""
FILES = 10
Quiet = tuple[Path, Snapshot]


def mixed_folder(folder: Path) -> Path:
    """Logs of two days that overlap, with dirt, duplicates and clashes, plain and packed."""
    for number in range(3):
        rows = [
            line(n, f"2026-11-{1 + n % 3:02d}T10:00:{n % 60:02d}Z") for n in range(number * 100, number * 100 + 200)
        ]
        log(folder / f"a{number}.csv", *rows, "broken", line(5, "2026-11-02T23:00:00Z", "op9"), line("x", "nonsense"))
    for number in range(3):
        text = "\n".join([HEADER, *(line(f"g{number}-{n}") for n in range(100))])
        (folder / f"b{number}.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    packed = gzip.compress(
        "\n".join([HEADER, *(line(f"t{n}", why=str(n * 7919)) for n in range(5000))]).encode(), mtime=0
    )
    (folder / "c-truncated.csv.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "d-broken.zip").write_bytes(b"PK\x03\x04 rubbish")
    with zipfile.ZipFile(folder / "e.zip", "w") as archive:
        for number in range(2):
            info = zipfile.ZipInfo(f"{number}.csv", (2026, 1, 1, 0, 0, 0))
            archive.writestr(info, f"{HEADER}\n{line(f'z{number}')}\n")
    log(folder / "f-labels.csv", "1,E1,ghost", header="event_id,episode_id,scenario")
    return folder


@pytest.fixture
def undisturbed(tmp_path: Path) -> Quiet:
    """The folder and what one quiet run over it leaves."""
    folder = mixed_folder(tmp_path / "in")
    home = Home(tmp_path / "quiet")
    open_database(home, {})
    summary = ingest(home, folder)
    assert len(summary.files) == FILES - 1
    return folder, snapshot(home)


class Workers:
    """Processes that ingest the folder, to be killed."""

    def __init__(self, folder: Path) -> None:
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", WORKER, str(Path(__file__).parent), str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=env)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            assert self.process.stdin is not None
            self.process.stdin.close()

    def killed(self, home: Home, delay: float) -> bool:
        """Ingest and be killed so many seconds after the start; whether it was still at work."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{home.root}\n".encode())
        pid = int(stdout.readline().split()[1])
        ended, _, _ = select.select([stdout], [], [], delay)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        assert stdout.readline() == b"ended\n"
        return not ended


def same_as(home: Home, expected: Snapshot) -> None:
    open_database(home, {})
    files, ingested, listed = snapshot(home)
    assert (ingested, listed) == expected[1:]
    assert files == expected[0]
    assert verify_lake(home) == []


def kill_often(tmp_path: Path, undisturbed: Quiet, times: int, seed: int) -> int:
    """Kill one ingest after the other at random instants; after each, run again and compare. How many kills struck."""
    folder, expected = undisturbed
    chance = random.Random(seed)  # noqa: S311
    struck = 0
    home = Home(tmp_path / "0")
    with Workers(folder) as workers:
        for number in range(times):
            struck += workers.killed(home, chance.uniform(0.0, 0.5))
            if number + 1 == times or chance.random() < 0.7:  # else the next is killed on top of what this one left
                open_database(home, {})
                ingest(home, folder)
                same_as(home, expected)
                home = Home(tmp_path / str(number + 1))
    return struck


def test_killed_at_random_instants_and_run_again_the_lake_is_the_same(tmp_path: Path, undisturbed: Quiet) -> None:
    assert kill_often(tmp_path, undisturbed, times=6, seed=1) > 0


@pytest.mark.slow
def test_killed_at_fifty_random_instants_and_run_again_the_lake_is_the_same(tmp_path: Path, undisturbed: Quiet) -> None:
    assert kill_often(tmp_path, undisturbed, times=50, seed=20261123) > 25


class Struck(Exception):  # noqa: N818
    """Stands for a kill between two steps."""


def test_struck_at_every_step_and_run_again_the_lake_is_the_same(tmp_path: Path, undisturbed: Quiet) -> None:
    folder, expected = undisturbed
    steps: list[str] = []
    counted = Home(tmp_path / "counted")
    open_database(counted, {})
    ingest(counted, folder, checkpoint=steps.append)
    assert set(steps) == {"read", "staged", "listed", "moved", "done"}
    # Every step of the first file, and some of the later ones.
    for at in [*range(steps.index("done") + 1), *range(steps.index("done") + 1, len(steps), 9)]:
        home = Home(tmp_path / f"at{at}")
        open_database(home, {})
        seen = 0

        def strike(step: str, at: int = at) -> None:
            nonlocal seen
            seen += 1
            if seen == at + 1:
                raise Struck(step)

        with pytest.raises(Struck):
            ingest(home, folder, checkpoint=strike)
        ingest(home, folder)
        same_as(home, expected)


def test_a_file_that_is_listed_but_not_moved_yet_is_no_damage(tmp_path: Path, undisturbed: Quiet) -> None:
    folder, expected = undisturbed
    home = Home(tmp_path / "reader")
    open_database(home, {})

    def strike(step: str) -> None:
        if step == "listed":
            raise Struck(step)

    with pytest.raises(Struck):
        ingest(home, folder, checkpoint=strike)
    assert IngestedFile.objects.get().state == IngestedFile.COMMITTING
    assert verify_lake(home) == []  # aside, and the next writing command moves it: no damage
    ingest(home, folder)
    assert len(ids(home)) == sum(row[7] for row in expected[1])
