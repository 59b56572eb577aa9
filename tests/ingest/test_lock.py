"""The lock: one writer, named to the second, gone with its process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ingest_support import NOW

from detector.errors import LockHeldError
from detector.home import Home
from detector.ingest.lock import hold

HOLDER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from detector.home import Home
from detector.ingest.lock import hold
with hold(Home(Path(sys.argv[1])), "scan", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_command_is_told_who_holds_the_home_and_since_when(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with hold(home, "scan", NOW), pytest.raises(LockHeldError) as caught, hold(home, "ingest", NOW):
        pass
    assert f"in use by `detector scan` (process {os.getpid()} on " in str(caught.value)
    assert "since 2026-11-23T02:00:00+00:00" in str(caught.value)
    assert caught.value.exit_code == 2


def test_the_lock_is_free_again_afterwards_even_after_an_error(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(ZeroDivisionError), hold(home, "scan", NOW):
        1 / 0  # noqa: B018
    with hold(home, "ingest", NOW):
        assert json.loads(home.lock.read_text())["command"] == "ingest"
    assert home.lock.read_text() == ""


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LockHeldError, match=f"process {other.pid} "), hold(home, "scan", NOW):
            pass
        other.send_signal(signal.SIGKILL)
        other.wait()
    with hold(home, "scan", NOW):
        assert json.loads(home.lock.read_text())["pid"] == os.getpid()


def test_a_holder_that_has_not_signed_yet_still_holds(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with hold(home, "scan", NOW):
        home.lock.write_text("")
        with pytest.raises(LockHeldError, match="another detector command"), hold(home, "scan", NOW):
            pass
