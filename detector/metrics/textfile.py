"""The metrics as a file for node_exporter's textfile collector: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from detector.errors import StateError
from detector.metrics.collector import expose


def write_textfile(path: Path) -> None:
    """Write the open database's metrics to `path` (mode 0644, made aside, fsynced, renamed); makes its folder.

    Raises StateError when the file cannot be written; the one that was there stays.
    """
    text = expose()
    # The name must not end in .prom: node_exporter reads every such file in the folder.
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)  # another user's node_exporter reads it; there is no person in it
            os.fsync(file.fileno())
        aside.replace(path)
        _sync_folder(path.parent)
    except OSError as exc:
        aside.unlink(missing_ok=True)
        raise StateError(
            f"the metrics cannot be written to {path}: {exc.strerror}", hint="Free space, or choose another --textfile."
        ) from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
