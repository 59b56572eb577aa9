"""The metrics as a file for node_exporter's textfile collector."""

from __future__ import annotations

from pathlib import Path

from detector.errors import StateError
from detector.metrics.collector import expose
from detector.wholefile import write_whole


def write_textfile(path: Path) -> None:
    """Write the open database's metrics to `path`, whole or not at all; makes its folder.

    Raises StateError when the file cannot be written; the one that was there stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # 0644: node_exporter runs as another user, and there is no person in it.
        write_whole(path, expose(), mode=0o644)
    except OSError as exc:
        raise StateError(
            f"the metrics cannot be written to {path}: {exc.strerror}", hint="Free space, or choose another --textfile."
        ) from None
