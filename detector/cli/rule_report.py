"""What `rules backtest` and `rules score` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from detector.cli.common import OutputFormat, console, print_json, say
from detector.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from detector.backtest import Backtest
    from detector.triage.scorecard import Score

_VERDICTS = {
    "keep": "keep",
    "tune": "tune: fewer than 1 in 10 confirmed",
    "retire": "retire: fewer than 1 in 50 confirmed",
    "wait": "too few decisions",
}


def score_report(scores: Sequence[Score], output: OutputFormat) -> None:
    if output is OutputFormat.json:
        print_json([score.as_json() for score in scores])
        return
    if not scores:
        say("No rule has raised an alert yet.")
        return
    table = _table("Rule", "Alerts", "Decided", "Confirmed", "Benign", "False", "Precision", "95 %", "Verdict")
    for score in scores:
        counts = (score.raised, score.decided, score.confirmed, score.benign, score.false)
        table.add_row(
            printable(score.title), *(f"{number:,}" for number in counts), *_share(score), _VERDICTS[score.verdict]
        )
    console().print(table)


def backtest_report(result: Backtest, output: OutputFormat) -> None:
    report = result.as_json()
    if output is OutputFormat.json:
        print_json(report)
    else:
        console().print(f"{result.nights} nights, {report['from']} to {report['to']}")
        table = _table(
            "Rule",
            "Hits",
            "People",
            "Nights",
            "A week",
            "Same",
            "Added",
            "Lost",
            "Confirmed",
            "missed",
            "Benign",
            "False",
        )
        for rule in report["rules"]:
            table.add_row(*_row(rule))
        console().print(table)
        say(f"Not tried, {reason}" for reason in result.inactive)
    if result.vanished:
        say(
            f"REFUSED: with the filter {len(result.vanished)} alert(s) confirmed as misuse would not have been raised: "
            f"{', '.join(result.vanished)}"
        )
    if result.lost:
        said = f"with the changed rules {len(result.lost)} alert(s) confirmed as misuse would no longer be raised"
        mend = f"Widen the rules, or accept the loss alert by alert: --accept {result.lost[0]}"
        say(f"REFUSED: {said}: {', '.join(result.lost)}\n  {mend}")
    if result.accepted:
        ids = ", ".join(result.accepted)
        say(f"Accepted: {len(result.accepted)} confirmed alert(s) would no longer be raised: {ids}")


def _row(rule: dict[str, Any]) -> list[str]:
    compared, decisions = rule["compared"], rule["decisions"]
    sides = [f"{compared[side]:,}" for side in ("same", "added", "lost")] if compared else ["new", "", ""]
    decided = ("confirmed_caught", "confirmed_missed", "benign_caught", "false_caught")
    return [
        printable(rule["title"]),
        f"{rule['hits']:,}",
        f"{rule['actors']:,}",
        f"{rule['nights']:,}",
        f"{rule['per_week']:g}",
        *sides,
        *(f"{len(decisions[name]):,}" for name in decided),
    ]


def _share(score: Score) -> tuple[str, str]:
    if score.precision is None:
        return "-", "-"
    low, high = score.interval
    return f"{score.precision:.0%}", f"{low:.0%} to {high:.0%}"


def _table(first: str, *others: str) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column(first, overflow="fold", min_width=20)
    for name in others:
        table.add_column(name, justify="left" if name == "Verdict" else "right")
    return table
