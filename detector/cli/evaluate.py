"""`detector evaluate`: recall at a budget and precision, from labels."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.common import FormatOption, OutputFormat, open_home, print_json, say
from detector.errors import UsageError, Where


def evaluate(
    ctx: typer.Context,
    labels: Annotated[
        Path, typer.Option("--labels", metavar="FILE", help="CSV of event_id, episode_id, scenario: the known misuse.")
    ],
    groups: Annotated[
        Path | None,
        typer.Option("--groups", metavar="FILE", help="CSV of event_id or actor_id, and group: false alerts by group."),
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option("--scenarios", metavar="FILE", help="CSV of scenario, split: recall by split too.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", metavar="DATE", formats=["%Y-%m-%d"], help="Look at nothing before this night."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.svg", help="Draw recall over budget into this file.")
    ] = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Measure the alerts of a scan against labels: recall at a budget, precision, false alerts by group."""
    home, _ = open_home(ctx)
    from detector.evaluate.curves import curves
    from detector.evaluate.plot import recall_plot
    from detector.evaluate.report import as_record
    from detector.evaluate.run import evaluate_home

    found = evaluate_home(home, labels, groups, scenarios, since.date() if since else None)
    if plot is not None:
        title = f"Recall of {len(found.episodes)} episodes of misuse"
        try:
            plot.write_text(recall_plot(curves(found), title), encoding="utf-8")
        except OSError as exc:
            raise UsageError(f"the plot cannot be written: {exc.strerror}", where=Where(plot)) from None
        say(f"drawn into {plot}")
    if output is OutputFormat.json:
        print_json(as_record(found))
        return
    from detector.cli.evaluation_text import show_evaluation

    show_evaluation(found)
