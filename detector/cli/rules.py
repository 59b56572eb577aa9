"""`detector rules`: lint rules, run their own examples, run any Sigma rules over any events."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detector.cli.common import FormatOption, OutputFormat, console, load, print_json, read_home, say
from detector.errors import UsageError, Where
from detector.progress import progress

if TYPE_CHECKING:
    from detector.triage.scorecard import Score

app = typer.Typer(help="Check, test and run Sigma rules.", no_args_is_help=True)

Paths = Annotated[list[Path], typer.Argument(metavar="PATH…", help="Rule files, or folders of them.")]


class CheckFormat(StrEnum):
    """For people, for programs, for code scanning."""

    table = "table"
    json = "json"
    sarif = "sarif"


class Engine(StrEnum):
    """What can run rules."""

    duckdb = "duckdb"
    spark = "spark"


#: A rule is wrong.
WRONG = 3
#: Done, but some of the input could not be read.
PARTIAL = 4


Pipelines = Annotated[
    list[Path] | None,
    typer.Option(
        "--pipeline",
        metavar="FILE",
        help="A processing pipeline of pySigma (YAML), such as a mapping of field names; may be repeated.",
    ),
]


@app.command()
def check(
    ctx: typer.Context,
    paths: Paths,
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    notes: Annotated[bool, typer.Option("--notes", help="Show notes too; json and sarif always have them.")] = False,
    output: Annotated[
        CheckFormat, typer.Option("--format", help="sarif (2.1.0) is what code scanning takes.")
    ] = CheckFormat.table,
    pipelines: Pipelines = None,
) -> None:
    """Name what is wrong with rules, with file and line. Every fault and its mend: docs/rule-faults.md.

    Rules with a pipeline, given here or by `rules.pipelines` of the settings, are looked at with their fields mapped.
    """
    from detector.rules.pipeline import given_to
    from detector.rules.report import check_rules
    from detector.rules.sarif import sarif

    report = check_rules(paths, strict=strict, given=given_to(paths, pipelines or [], load(ctx)[1].rules))
    if output is CheckFormat.json:
        print_json(report.as_json())
    elif output is CheckFormat.sarif:
        print_json(sarif(report, here=Path.cwd()))
    else:
        report.print(console(), notes=notes)
    if report.failed:
        raise typer.Exit(WRONG)


@app.command("test")
def run_examples(
    ctx: typer.Context,
    paths: Paths,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Name what no example exercises; json always does.")
    ] = False,
    require_coverage: Annotated[
        bool, typer.Option("--require-coverage", help="As --coverage, and leave with 3 when there is any.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write the outcomes there as JUnit XML.")
    ] = None,
    pipelines: Pipelines = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Run the examples that lie beside each rule. With a home, also show how often each rule was right so far."""
    from detector.rules.pipeline import given_to
    from detector.rules.proof import prove

    report = prove.run_examples(paths, given_to(paths, pipelines or [], load(ctx)[1].rules))
    if junit is not None:
        from detector.rules.proof.junit import junit as as_xml

        _write(junit, as_xml(report, require_coverage=require_coverage))
    scores = _scores_of(ctx, paths)
    if output is OutputFormat.json:
        print_json(report.as_json() | {"precision": [score.as_json() for score in scores]})
    else:
        report.print(console(), gaps=coverage or require_coverage)
        if scores:
            from detector.cli.rule_report import score_report

            score_report(scores, output)
    if not report.passed or (require_coverage and report.gaps):
        raise typer.Exit(WRONG)


@app.command()
def run(
    rules: Annotated[
        list[Path], typer.Option("--rules", metavar="PATH…", help="Rule files or folders; may also be repeated.")
    ],
    events: Annotated[
        Path, typer.Option("--events", metavar="FILE", help="JSONL, JSON, CSV or Parquet; .gz or .zst too.")
    ],
    # an option takes one value; what follows the first path of `--rules a b c` arrives as arguments
    more_rules: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    placeholders: Annotated[
        Path | None,
        typer.Option("--placeholders", metavar="FILE", help="YAML with the values of `|expand`: `name: [value, …]`."),
    ] = None,
    pipelines: Pipelines = None,
    time_field: Annotated[
        str, typer.Option("--time-field", metavar="NAME", help="Field that correlations order events by.")
    ] = "event_time",
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", metavar="FILE", help="Write there, as JSON lines, every row that is no event."),
    ] = None,
    engine: Annotated[
        Engine, typer.Option("--engine", help="spark reads Parquet; it needs Java and `pip install '.[spark]'`.")
    ] = Engine.duckdb,
) -> None:
    """Run Sigma rules over an events file: one JSON line per match on standard output.

    Leaves with exit code 3 when a rule was refused, else with 4 when a row was rejected; the others run all the same.
    """
    with _little_garbage(), _lines_to(rejects) as reject:
        from detector.rules.over_file import read_placeholders, rules_over_file
        from detector.rules.pipeline import Given, read_pipelines

        result = rules_over_file(
            [*rules, *(more_rules or [])],
            events,
            time_field=time_field,
            today=datetime.now(UTC).date(),
            write=sys.stdout.write,
            given=Given(
                read_placeholders(placeholders) if placeholders else {},
                read_pipelines(pipelines) if pipelines else None,
            ),
            spark=engine is Engine.spark,
            reject=reject,
        )
    say([*result.remarks, result.summary])
    if result.refused:
        raise typer.Exit(WRONG)
    if result.rejected:
        raise typer.Exit(PARTIAL)


@app.command()
def backtest(
    ctx: typer.Context,
    rules: Annotated[
        list[Path] | None,
        typer.Option("--rules", metavar="PATH", help="Changed or new rules: file or folder; may be repeated."),
    ] = None,
    filters: Annotated[
        list[Path] | None,
        typer.Option("--filter", metavar="FILE", help="A filter to be tried on all active rules; may be repeated."),
    ] = None,
    first: Annotated[
        datetime | None, typer.Option("--from", metavar="DATE", formats=["%Y-%m-%d"], help="First night.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", metavar="DATE", formats=["%Y-%m-%d"], help="Last night.")
    ] = None,
    reference: Annotated[
        Path | None, typer.Option("--reference", metavar="DIR", help="Folder of reference tables, as for a scan.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="ALERT", help="A confirmed alert that the rules may lose; may be repeated."),
    ] = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Run changed or new rules over past nights, beside what reviewers decided. Writes nothing.

    Leaves with exit code 3 when an alert confirmed as misuse would not be raised: with a filter, or with a changed rule
    unless that alert is given by --accept.
    """
    if not rules and not filters:
        raise UsageError("nothing to try", hint="Name rules by --rules or a filter by --filter.")
    home, settings = read_home(ctx)
    from detector.backtest import backtest as run
    from detector.cli.rule_report import backtest_report
    from detector.context.reference import load_reference

    with progress() as bar:
        result = run(
            rules or [],
            filters or [],
            home=home,
            settings=settings,
            reference=load_reference(reference, settings),
            first=first.date() if first else None,
            last=last.date() if last else None,
            progress=bar,
            accept=accept or (),
        )
    backtest_report(result, output)
    if result.refused:
        raise typer.Exit(WRONG)


@app.command()
def score(ctx: typer.Context, output: FormatOption = OutputFormat.table) -> None:
    """Show how often each rule was right, from reviewers' decisions, and whether to keep, tune or retire it."""
    read_home(ctx)
    from detector.cli.rule_report import score_report
    from detector.triage.scorecard import scores

    score_report(scores(), output)


@contextmanager
def _little_garbage() -> Iterator[None]:
    """Look for garbage less often: what is imported, read and planned lives to the end of the command.

    Searching it again and again takes an eighth of the time of a small run.
    """
    before = gc.get_threshold()
    gc.set_threshold(200_000, 30, 30)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _lines_to(path: Path | None) -> Iterator[Callable[[str], object] | None]:
    """Raises UsageError where the file cannot be written."""
    if path is None:
        yield None
        return
    try:
        file = path.open("w", encoding="utf-8")
    except OSError as exc:
        raise _unwritable(path, exc) from None
    with file:
        yield file.write


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as exc:
        raise _unwritable(path, exc) from None


def _unwritable(path: Path, exc: OSError) -> UsageError:
    return UsageError(f"cannot be written: {exc.strerror}", where=Where(path), hint="Name another file.")


def _scores_of(ctx: typer.Context, paths: list[Path]) -> list[Score]:
    """The scores of these rules that were decided on; none without a home that was scanned into."""
    home, _ = load(ctx)
    if not home.database.is_file() and not os.environ.get("DATABASE_URL"):
        return []
    read_home(ctx)
    from detector.rules.load import load_rules
    from detector.triage.scorecard import scores

    ids = {rule.about.rule_id for rule in load_rules(paths, strict=False).rules}
    return [score for score in scores() if score.rule_id in ids and score.decided]
