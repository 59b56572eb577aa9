"""Writing a file whole or not at all: made aside, synced, renamed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes, *, mode: int) -> None:
    """Replace `path` by a file of `data`, with the permissions `mode`, durable once this returns.

    Raises OSError; what was at `path` stays then, and nothing is left aside.
    """
    # Hidden, and without the file's ending: whoever collects `*.prom` or `*.csv` here must not see it.
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        aside.touch(mode=0o600)
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
