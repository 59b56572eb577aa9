"""Alerts on a terminal. Everything that came from a log passes through `printable`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from detector.cli.common import console
from detector.printable import number, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from detector.triage.queue import AlertView, FindingView

#: Below so many columns a table has no room for a sentence: each alert becomes a short block instead.
NARROW: Final = 90
_COLOURS: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "informational": "dim"}
_EVENTS_SHOWN: Final = 20
SAMPLE: Final = (
    "This was a blind sample, drawn at random to learn what is missed. Its sentences are true; its score and"
    " rank were borrowed, and its level where nothing was found that could have raised an alert."
)


def show_queue(alerts: Sequence[AlertView], *, hidden: int, filtered: bool, zone: str) -> None:
    """The queue as a table, on a narrow terminal as blocks; an empty one in words."""
    out = console()
    if not alerts:
        out.print("No alert fits." if filtered else "No alert waits for a decision.")
    elif out.width < NARROW:
        for alert in alerts:
            _block(out, alert)
    else:
        out.print(_table(alerts, ZoneInfo(zone)))
    if hidden:
        out.print(f"{hidden} more below the budget: `detector alerts list --all` shows them.")


def show_alert(alert: AlertView, *, zone: str) -> None:
    """Everything about one alert, as a page of text."""
    from rich.panel import Panel
    from rich.text import Text

    out, local = console(), ZoneInfo(zone)
    head = Text()
    head.append(f"{alert.level} ", style=_COLOURS[alert.level])
    head.append(f"score {alert.score:.1f}, rank {alert.rank} of the night of {alert.night}, {_state(alert)}\n")
    head.append(f"actor  {printable(alert.actor_id)}\n")
    head.append(
        f"when   {_moment(alert.first_event_time, local)} to {_moment(alert.last_event_time, local)} ({zone})\n\n"
    )
    head.append(printable(alert.explanation))
    if alert.context:
        head.append(f"\n\n{printable(alert.context)}")
    out.print(Panel(head, title=Text(printable(alert.title)), subtitle=Text(alert.alert_id), title_align="left"))
    for finding in alert.findings:
        _finding(out, finding, alone=len(alert.findings) == 1)
    for decision in alert.decisions:
        by, at = printable(decision.decided_by), _moment(decision.decided_at, local)
        out.print(Text(f"Decided {at} by {by}: {decision.verdict} ({printable(decision.reason)}), {decision.to_state}"))
        if decision.note:
            out.print(Text(f"  {printable(decision.note)}"))
    if alert.sample:
        out.print(Text(SAMPLE))
    if not alert.decisions:
        out.print(Text(f"To decide: detector alerts decide {alert.alert_id} --verdict … --reason …"))


def _table(alerts: Sequence[AlertView], local: ZoneInfo) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Rank", justify="right", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Level", no_wrap=True)
    table.add_column("Night", no_wrap=True)
    table.add_column("Actor", overflow="fold", max_width=20)
    table.add_column("Why", overflow="fold", ratio=1)
    for alert in alerts:
        why = Text(printable(alert.title), style="bold")
        why.append(f"\n{printable(alert.explanation)}", style="not bold")
        if alert.context:
            why.append(f"\n{printable(alert.context)}", style="not bold")
        why.append(
            f"\n{alert.alert_id}, {_state(alert)}, {_moment(alert.last_event_time, local)}", style="dim not bold"
        )
        table.add_row(
            str(alert.rank),
            f"{alert.score:.1f}",
            Text(alert.level, style=_COLOURS[alert.level]),
            alert.night.isoformat(),
            Text(printable(alert.actor_id)),
            why,
        )
    return table


def _block(out: Console, alert: AlertView) -> None:
    from rich.padding import Padding
    from rich.text import Text

    head = Text(f"{alert.rank}. ")
    head.append(alert.level, style=_COLOURS[alert.level])
    head.append(f" {alert.score:.1f}  {printable(alert.actor_id)}  {alert.night}")
    body: list[RenderableType] = [
        Text(printable(alert.title), style="bold"),
        Text(printable(alert.explanation)),
        *([Text(printable(alert.context))] if alert.context else []),
        Text(f"{alert.alert_id}, {_state(alert)}", style="dim"),
    ]
    out.print(head)
    for part in body:
        out.print(Padding(part, (0, 0, 0, 3)))
    out.print()


def _finding(out: Console, finding: FindingView, *, alone: bool) -> None:
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    by = "forest" if finding.detector == "forest" else f"rule {printable(finding.rule_id)}"
    out.print(Text(f"{printable(finding.title)} ({finding.level}, {by}, night of {finding.night})", style="bold"))
    out.print(Padding(Text(printable(finding.explanation)), (0, 0, 0, 2)))
    if finding.context and not alone:
        out.print(Padding(Text(printable(finding.context)), (0, 0, 0, 2)))
    if finding.usual:
        table = Table("Feature", box=box.SIMPLE_HEAD)
        for name in ("Value", "Own usual", "Peers' usual"):
            table.add_column(name, justify="right")
        for usual in finding.usual:
            table.add_row(Text(printable(usual.feature)), number(usual.value), number(usual.own), number(usual.peers))
        out.print(Padding(table, (0, 0, 0, 1)))
    shown = finding.event_ids[:_EVENTS_SHOWN]
    more = len(finding.event_ids) - len(shown)
    text = "Events: " + ", ".join(printable(event_id) for event_id in shown)
    out.print(Padding(Text(text + (f" and {more} more (--format json has all)" if more else "")), (0, 0, 1, 2)))


def _state(alert: AlertView) -> str:
    return alert.state.replace("_", " ") + ("" if alert.in_budget else ", below the budget")


def _moment(moment: datetime, local: ZoneInfo) -> str:
    return f"{moment.astimezone(local):%Y-%m-%d %H:%M}"
