"""An evaluation on a terminal: every figure with its interval, and beside it its ceiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from detector.cli.common import console
from detector.evaluate.report import as_record
from detector.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from detector.evaluate.measure import Evaluation

#: The budget of the table of groups: at smaller ones there are too few false alerts to divide.
GROUP_BUDGET: Final = 0.01


def show_evaluation(found: Evaluation) -> None:
    record = as_record(found)
    out = console()
    for table in (_recall(record), _precision(record), _parts(record, "splits"), _parts(record, "scenarios")):
        out.print(table)
        out.print()
    groups = _groups(record)
    if groups is not None:
        out.print(groups)
    missed = record["episodes_not_scanned"]
    if missed:
        out.print(f"Not scanned, and so not counted, as no event of theirs is in the lake: {missed} of the episodes.")


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _recall(record: Mapping[str, Any]) -> Table:
    title = f"Recall of {record['episodes']} episodes in {record['actor_weeks']:,} actor-weeks"
    table = _table(title, "budget", "slots", "recall", "ten events", "ceiling", "actor-week", "ceiling")
    for row in record["recall"]:
        table.add_row(
            percent(row["budget"]), f"{row['slots']:,}", _share(row["recall"]), _share(row["recall_ten_events"]),
            percent(row["ceiling"]), _share(row["recall_actor_weeks"]), percent(row["ceiling_actor_weeks"]),
        )  # fmt: skip
    table.add_row("queue", f"{record['alerts_queued']:,}", _share(record["recall_in_queue"]), "", "", "", "")
    table.add_row("any alert", f"{record['alerts']:,}", _share(record["recall_in_any_alert"]), "", "", "", "")
    return table


def _precision(record: Mapping[str, Any]) -> Table:
    table = _table("Precision among the first 100", "of", "precision", "ten events", "ceiling")
    for name, key in (("alerts", "precision_at_100"), ("actor-weeks", "precision_at_100_actor_weeks")):
        row = record[key]
        few = _share(row["precision_ten_events"]) if key == "precision_at_100" else ""
        table.add_row(name, _share(row["precision"]), few, percent(row["ceiling"]))
    return table


def _parts(record: Mapping[str, Any], key: str) -> Table:
    budgets = [row["budget"] for row in record["recall"]]
    names = [percent(budget) for budget in budgets]
    table = _table(f"Episodes found at each budget, by {key[:-1]}", key[:-1], "all", *names, "queued", "any alert")
    for name, row in record[key].items():
        hits = [row["recall"][str(budget)]["hits"] for budget in budgets]
        cells = [*hits, row["queued"]["hits"], row["any_alert"]["hits"]]
        table.add_row(printable(name), str(row["episodes"]), *map(str, cells))
    return table


def _groups(record: Mapping[str, Any]) -> Table | None:
    (at,) = [row for row in record["false_alerts"] if row["budget"] == GROUP_BUDGET]
    if not at["groups"]:
        return None
    title = f"Actor-weeks that a false alert within {percent(GROUP_BUDGET)} points at"
    table = _table(title, "group", "actor-weeks", "false", "rate", "times overall")
    rows: Sequence[tuple[str, Mapping[str, Any]]] = [
        ("overall", {"rate": at["overall"], "ratio": 1.0}),
        *sorted(at["groups"].items(), key=lambda item: -(item[1]["ratio"] or 0)),
    ]
    for name, row in rows:
        rate = row["rate"]
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.2f}"
        table.add_row(printable(name), f"{rate['cases']:,}", f"{rate['hits']:,}", _share(rate), ratio)
    return table


def _share(of: Mapping[str, Any]) -> str:
    """A share with its interval, in per cent: as narrow as seven columns on a terminal ask for."""
    if of["value"] is None:
        return "-"
    low, high = of["interval"]
    return f"{percent(of['value'])} ({100 * low:.0f}-{100 * high:.0f})"


def percent(value: float) -> str:
    """A share as per cent, with one digit after the point below ten."""
    hundred = 100 * value
    return f"{hundred:.1f} %" if 0 < hundred < 10 else f"{hundred:.0f} %"
