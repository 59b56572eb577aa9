"""One writer at a time: a lock on the home directory that dies with its process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

from detector.errors import LockHeldError, StateError, Where
from detector.home import Home


@contextmanager
def hold(home: Home, command: str, now: datetime) -> Iterator[None]:
    """Hold the home directory for a writing command, which is named to whoever comes second.

    The kernel drops the lock when the process ends, however it ends, so that there is never a stale one to remove.
    Raises LockHeldError naming who holds it and since when, StateError where no lock file can be made.
    """
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        file = home.lock.open("a+", encoding="utf-8")
    except OSError as exc:
        raise StateError(f"the lock cannot be taken: {exc.strerror}", where=Where(home.lock)) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(home, file) from None
        except OSError as exc:
            raise StateError(f"the lock cannot be taken: {exc.strerror}", where=Where(home.lock)) from None
        _sign(file, {"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": now.isoformat()})
        try:
            yield
        finally:
            _sign(file, {})


def _sign(file: IO[str], holder: dict[str, str | int]) -> None:
    try:
        file.seek(0)
        file.truncate()
        if holder:
            json.dump(holder, file)
        file.flush()
    except OSError as exc:  # a full disk: the lock is held all the same, only its signature is missing
        if holder:
            raise StateError(f"the lock cannot be signed: {exc.strerror}", where=Where(file.name)) from None


def _held(home: Home, file: IO[str]) -> LockHeldError:
    file.seek(0)
    try:
        holder = json.load(file)
        who = f"`detector {holder['command']}` (process {holder['pid']} on {holder['host']}) since {holder['since']}"
    except (ValueError, KeyError, TypeError):  # it has the lock, but has not signed yet
        who = "another detector command"
    return LockHeldError(
        f"{home.root} is in use by {who}",
        hint="Wait until it has finished, or stop it: a stopped run is put right by the next one.",
    )
