"""Progress bars: on a terminal only, on standard error, for work of more than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """What a stage may say while it works. `fraction` is 0-1, None while unknown."""

    def update(self, text: str, fraction: float | None = None) -> None: ...


class Silent:
    """Says nothing: standard error is not a terminal, or nobody asked."""

    def update(self, text: str, fraction: float | None = None) -> None:
        del text, fraction


@contextmanager
def progress(*, enabled: bool | None = None) -> Iterator[Progress]:
    """A bar on standard error where that is a terminal (or as `enabled` says), else silence."""
    if not (sys.stderr.isatty() if enabled is None else enabled):
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)

        class _Bar:
            def update(self, text: str, fraction: float | None = None) -> None:
                bar.update(task, description=text, total=None if fraction is None else 1.0, completed=fraction or 0.0)

        yield _Bar()
