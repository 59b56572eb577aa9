"""`detector metrics`: what Prometheus would read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.common import open_home, say


def metrics(
    ctx: typer.Context,
    textfile: Annotated[
        Path | None,
        typer.Option(
            "--textfile",
            metavar="FILE",
            help="Write to this file (atomically) instead of standard output.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the metrics, or write them where node_exporter's textfile collector reads them."""
    open_home(ctx)
    from detector.metrics.collector import expose
    from detector.metrics.textfile import write_textfile

    if textfile is None:
        sys.stdout.write(expose().decode("utf-8"))
    else:
        write_textfile(textfile)
        say(f"metrics written to {textfile}")
