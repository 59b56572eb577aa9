"""`detector status`: where things stand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from detector.cli.common import FormatOption, OutputFormat, open_home


def status(
    ctx: typer.Context,
    verify: Annotated[
        bool, typer.Option("--verify", help="Also read every file of the lake and compare it with its SHA-256.")
    ] = False,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Show what is ingested, trained, inactive, late or damaged."""
    home, _ = open_home(ctx)
    from detector.cli.report import status_report
    from detector.status import sentences
    from detector.status import status as report_on

    report = report_on(home, now=datetime.now(UTC), verify=verify)
    status_report(report, sentences(report), output)
    raise typer.Exit(5 if report["damage"] else 0)
