"""`detector simulate`: a synthetic force, to measure by and to try things out on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from detector.cli.common import FormatOption, OutputFormat, console, print_json, say
from detector.progress import progress

if TYPE_CHECKING:
    from detector.simulate.run import Summary


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write into: a new or an empty one.")],
    staff: Annotated[int, typer.Option("--staff", help="How many people the force has: at least 100.")],
    days: Annotated[int, typer.Option("--days", help="How many days of look-ups: at least 1.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed and options give the same files.")],
    prevalence: Annotated[
        float, typer.Option("--prevalence", help="Share of the staff who misuse at some time of the run.")
    ] = 0.01,
    start: Annotated[
        datetime, typer.Option("--start", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The first day.")
    ] = datetime(2026, 3, 2),  # noqa: DTZ001 - a day, not an instant
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="Only this scenario of docs/simulating.md; may be repeated."),
    ] = None,
    camouflage: Annotated[
        float, typer.Option("--camouflage", help="Share of misuse that is hidden beside explained look-ups.")
    ] = 0.3,
    reference_gaps: Annotated[
        float, typer.Option("--reference-gaps", help="Share of reference rows that are missing, late or wrong.")
    ] = 0.15,
    file_format: Annotated[
        Literal["parquet", "csv"], typer.Option("--file-format", help="What the events are written as.")
    ] = "parquet",
    output: FormatOption = OutputFormat.table,
) -> None:
    """Write a synthetic force: events, reference tables, and apart from them the labels of the misuse in them."""
    from detector.simulate.options import Options
    from detector.simulate.run import as_record
    from detector.simulate.run import simulate as run

    options = Options(
        staff, days, seed, start.date(), prevalence, camouflage, reference_gaps, tuple(scenario or ()), file_format
    )
    with progress() as bar:
        summary = run(out, options, bar)
    if output is OutputFormat.json:
        print_json(as_record(summary))
        return
    _show(out, summary)


def _show(out: Path, summary: Summary) -> None:
    from rich.table import Table

    table = Table("scenario", "episodes", box=None, pad_edge=False)
    for name, episodes in sorted(summary.scenarios.items()):
        table.add_row(name, str(episodes))
    console().print(table)
    say(
        [
            f"{summary.events:,} events in {summary.files} files.",
            f"{summary.labelled:,} of them belong to {summary.episodes} episodes by {summary.actors} people.",
            f"Next: detector scan {out / 'events'} --reference {out / 'reference'}",
            f"then: detector evaluate --labels {out / 'labels.csv'}",
        ]
    )
