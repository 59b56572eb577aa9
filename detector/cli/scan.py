"""`detector scan`: the nightly job."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from detector.cli.common import FormatOption, OutputFormat, load_tables
from detector.cli.ingest import PathsArgument, SourceOption
from detector.progress import progress

Level = Literal["informational", "low", "medium", "high", "critical"]


def scan(
    ctx: typer.Context,
    paths: PathsArgument,
    source: SourceOption = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", metavar="DIR", help="Folder of reference tables (staff, cases, …).")
    ] = None,
    fail_on: Annotated[
        Level | None, typer.Option("--fail-on", help="Leave with exit code 1 when an alert at or above this is raised.")
    ] = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Read what is new, scan every night that needs it, raise alerts, write the metrics."""
    home, settings = load_tables(ctx)
    from detector.cli.report import scan_report
    from detector.scan import scan as run

    with progress() as bar:
        summary = run(
            paths,
            home=home,
            settings=settings,
            source=source,
            reference=reference,
            now=datetime.now(UTC),
            progress=bar,
        )
    code = summary.exit_code(settings, fail_on)
    scan_report(summary, output, code)
    raise typer.Exit(code)
