"""`detector rules`: lint rules, run their own examples, run any Sigma rules over any events."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from detector.cli.common import FormatOption, OutputFormat, console, print_json, say

app = typer.Typer(help="Check, test and run Sigma rules.", no_args_is_help=True)

Paths = Annotated[list[Path], typer.Argument(metavar="PATH…", help="Rule files, or folders of them.")]


class CheckFormat(StrEnum):
    """For people, for programs, for code scanning."""

    table = "table"
    json = "json"
    sarif = "sarif"


#: A rule is wrong.
WRONG = 3


@app.command()
def check(
    paths: Paths,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show notes too; json and sarif always have them.")] = False,
    output: Annotated[
        CheckFormat, typer.Option("--format", help="sarif (2.1.0) is what code scanning takes.")
    ] = CheckFormat.table,
) -> None:
    """Name what is wrong with rules, with file and line. Every fault and its mend: docs/rule-faults.md."""
    from detector.rules.report import check_rules
    from detector.rules.sarif import sarif

    report = check_rules(paths, strict=strict)
    if output is CheckFormat.json:
        print_json(report.as_json())
    elif output is CheckFormat.sarif:
        print_json(sarif(report, here=Path.cwd()))
    else:
        report.print(console(), notes=notes)
    if report.failed:
        raise typer.Exit(WRONG)


@app.command("test")
def run_examples(paths: Paths, output: FormatOption = OutputFormat.table) -> None:
    """Run the examples that lie beside each rule."""
    from detector.rules import prove

    report = prove.run_examples(paths)
    if output is OutputFormat.json:
        print_json(report.as_json())
    else:
        report.print(console())
    if not report.passed:
        raise typer.Exit(WRONG)


@app.command()
def run(
    rules: Annotated[list[Path], typer.Option("--rules", metavar="PATH", help="Rule file or folder; may be repeated.")],
    events: Annotated[
        Path, typer.Option("--events", metavar="FILE", help="JSONL, JSON, CSV or Parquet; .gz or .zst too.")
    ],
    time_field: Annotated[
        str, typer.Option("--time-field", metavar="NAME", help="Field that correlations order events by.")
    ] = "event_time",
) -> None:
    """Run Sigma rules over an events file: one JSON line per match on standard output."""
    from detector.rules.over_file import rules_over_file

    result = rules_over_file(rules, events, time_field=time_field, write=sys.stdout.write)
    say(result.remarks)
    if result.refused:
        raise typer.Exit(WRONG)
