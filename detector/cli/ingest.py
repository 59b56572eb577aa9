"""`detector ingest`: the first step of a scan alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.common import FormatOption, OutputFormat, load_tables
from detector.progress import progress

PathsArgument = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Log files, or folders of them; plain, gz, zst or zip.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="The source mapping to read with; default: recognised by shape.")
]


def ingest(
    ctx: typer.Context,
    paths: PathsArgument,
    source: SourceOption = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Read new log files into the lake; nothing is scanned."""
    home, settings = load_tables(ctx)
    from detector.cli.report import ingest_report
    from detector.intake import ingest_only

    with progress() as bar:
        summary = ingest_only(paths, home=home, settings=settings, source=source, now=datetime.now(UTC), progress=bar)
    ingest_report(summary, output)
    raise typer.Exit(summary.exit_code(settings))
