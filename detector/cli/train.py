"""`detector train`: a new model now, whether one is due or not."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from detector.cli.common import FormatOption, OutputFormat, load_tables, print_json


def train(ctx: typer.Context, output: FormatOption = OutputFormat.table) -> None:
    """Train a model on everything scanned so far; it scores the nights that come after."""
    home, settings = load_tables(ctx)
    from detector.retrain import retrain

    result = retrain(home, settings, now=datetime.now(UTC))
    if output is OutputFormat.json:
        print_json({"model_version": result.version, "status": result.status})
    else:
        typer.echo(result.status)
