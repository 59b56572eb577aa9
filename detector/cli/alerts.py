"""`detector alerts`: the reviewers' queue."""

from __future__ import annotations

import getpass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from detector.cli.common import FormatOption, OutputFormat, open_home, print_json, say
from detector.errors import UsageError

app = typer.Typer(help="The reviewers' queue: list, read, decide, export.", no_args_is_help=True)


# As in detector.schema, which is too slow to import for a command's help; a test holds the two together.
class State(StrEnum):
    open = "open"
    under_review = "under_review"
    awaiting_approval = "awaiting_approval"
    referred = "referred"
    closed = "closed"


Verdict = Literal["true_positive", "benign_positive", "false_positive", "duplicate", "insufficient"]

AllOption = Annotated[bool, typer.Option("--all", help="Also what fell below the budget, and what is decided.")]
StateOption = Annotated[list[State] | None, typer.Option("--state", help="Only alerts in this state; may be repeated.")]
NightOption = Annotated[
    str | None,
    typer.Option("--night", metavar="YYYY-MM-DD", help="Only alerts with their latest evidence of this night."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many, the best first.")]


class ExportFormat(StrEnum):
    csv = "csv"
    json = "json"


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: AllOption = False,
    state: StateOption = None,
    night: NightOption = None,
    limit: LimitOption = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Show the alerts that wait for a decision, best first."""
    of_night = _night(night)
    _, settings = open_home(ctx)
    from detector.cli import alert_text
    from detector.triage import services

    alerts = services.list_alerts(
        everything=everything, states=[s.value for s in state or ()], night=of_night, limit=limit
    )
    if output is OutputFormat.json:
        print_json([services.as_record(alert) for alert in alerts])
        return
    hidden = 0 if everything or state else services.count_below_budget(of_night)
    alert_text.show_queue(alerts, hidden=hidden, filtered=bool(state or night), zone=settings.time_zone)


@app.command()
def show(
    ctx: typer.Context,
    alert_id: Annotated[str, typer.Argument(metavar="ID")],
    output: FormatOption = OutputFormat.table,
) -> None:
    """Show one alert: why it was raised, what is usual, the events, the decisions."""
    _, settings = open_home(ctx)
    from detector.cli import alert_text
    from detector.triage import services

    alert = services.get_alert(alert_id)
    if output is OutputFormat.json:
        print_json(services.as_full_record(alert))
    else:
        alert_text.show_alert(alert, zone=settings.time_zone)


@app.command()
def decide(
    ctx: typer.Context,
    alert_ids: Annotated[list[str], typer.Argument(metavar="ID…")],
    verdict: Annotated[Verdict, typer.Option("--verdict", help="What the access turned out to be.")],
    reason: Annotated[
        str,
        typer.Option("--reason", help="A reason code (case_work, incident, …: see docs/reviewing.md) or a few words."),
    ],
    note: Annotated[str, typer.Option("--note", help="Anything the next reader should know.")] = "",
    by: Annotated[
        str | None,
        typer.Option("--by", help="Who decides; default: the name you are logged in with.", show_default=False),
    ] = None,
    output: FormatOption = OutputFormat.table,
) -> None:
    """Give one verdict to one or many alerts: all of them, or none."""
    open_home(ctx)
    from detector.triage import services

    who = by if by is not None else _user()
    done = services.decide(alert_ids, verdict, reason=reason, note=note, who=who, now=datetime.now(UTC))
    if output is OutputFormat.json:
        print_json([{"alert_id": d.alert_id, "verdict": d.verdict, "state": d.to_state} for d in done])
    else:
        say(f"{item.alert_id}: {item.verdict}, now {item.to_state} (was {item.from_state})" for item in done)


@app.command()
def export(
    ctx: typer.Context,
    everything: AllOption = False,
    state: StateOption = None,
    night: NightOption = None,
    limit: LimitOption = None,
    format_: Annotated[
        ExportFormat, typer.Option("--format", help="csv is safe to open in a spreadsheet.")
    ] = ExportFormat.csv,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Default: standard output.", show_default=False)
    ] = None,
) -> None:
    """Write the queue to a file: one row an alert."""
    of_night = _night(night)
    open_home(ctx)
    from detector.cli import alert_export
    from detector.triage import services

    alerts = services.list_alerts(
        everything=everything, states=[s.value for s in state or ()], night=of_night, limit=limit
    )
    text = alert_export.as_csv(alerts) if format_ is ExportFormat.csv else alert_export.as_json(alerts)
    if output is None:
        alert_export.to_stdout(text)
    else:
        alert_export.to_file(output, text)
        say(f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'} written to {output}")


def _night(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--night {text!r} is no date", hint="For example --night 2026-03-01.") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("who decides is not known here", hint="Say who with --by NAME.") from None
