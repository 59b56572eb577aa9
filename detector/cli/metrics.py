"""`detector metrics`: what Prometheus would read."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.common import console, open_home, print_json, say
from detector.printable import printable

if TYPE_CHECKING:
    from prometheus_client.samples import Sample


class MetricsFormat(StrEnum):
    """Prometheus' own text, or as every other command has it."""

    prometheus = "prometheus"
    table = "table"
    json = "json"


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
    output: Annotated[
        MetricsFormat, typer.Option("--format", help="prometheus is the text exposition format.")
    ] = MetricsFormat.prometheus,
) -> None:
    """Print the metrics, or write them where node_exporter's textfile collector reads them."""
    open_home(ctx)
    from detector.metrics.collector import expose, samples
    from detector.metrics.textfile import write_textfile

    if textfile is not None:
        write_textfile(textfile)
        say(f"metrics written to {textfile}")
    elif output is MetricsFormat.prometheus:
        sys.stdout.write(expose().decode("utf-8"))
    elif output is MetricsFormat.json:
        print_json(
            [{"name": sample.name, "labels": dict(sample.labels), "value": sample.value} for sample in samples()]
        )
    else:
        _print_table(samples())


def _print_table(rows: Iterable[Sample]) -> None:
    from rich.table import Table

    table = Table()
    for name in ("metric", "labels", "value"):
        table.add_column(name, justify="right" if name == "value" else "left", overflow="fold")
    for row in rows:
        labels = ", ".join(f"{name}={value}" for name, value in row.labels.items())
        moment = row.name.endswith("_timestamp_seconds")
        value = f"{datetime.fromtimestamp(row.value, UTC):%Y-%m-%d %H:%M:%S}Z" if moment else f"{row.value:,.10g}"
        table.add_row(row.name, printable(labels), value)
    console().print(table)
