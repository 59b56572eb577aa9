"""What scan, ingest and status print: tables for people, or JSON alone on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from detector.cli.common import OutputFormat, console, print_json, say
from detector.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

    from detector.ingest.run import IngestSummary
    from detector.scan import ScanSummary

#: Rows shown before a table is cut; JSON is never cut.
MOST_ROWS = 20


def ingest_report(summary: IngestSummary, output: OutputFormat) -> None:
    """What became of each input file."""
    if output is OutputFormat.json:
        print_json(_ingest(summary))
        return
    _ingest_tables(summary)


def scan_report(summary: ScanSummary, output: OutputFormat, exit_code: int) -> None:
    """What a run came to: files, nights, alerts, and what is inactive."""
    if output is OutputFormat.json:
        print_json(_scan(summary, exit_code))
        return
    from rich.table import Table

    out = console()
    _ingest_tables(summary.ingest)
    nights = Table(title="Nights scanned", title_justify="left", caption=_cut(len(summary.nights)))
    for name in ("night", "events", "findings", "alerts", "in queue", "seconds"):
        nights.add_column(name, justify="left" if name == "night" else "right")
    for night in summary.nights[-MOST_ROWS:]:
        nights.add_row(
            night.night.isoformat(),
            f"{night.events:,}",
            f"{night.findings:,}",
            f"{len(night.alerts.raised):,}",
            f"{night.alerts.in_budget:,}",
            f"{sum(night.stage_seconds.values()):.1f}",
        )
    if summary.nights:
        out.print(nights)
        out.print(f"Model: {printable(summary.nights[-1].model_status)}")
    else:
        out.print("No night had anything new to scan.")
    for refusal in summary.rules.refusals:
        say(f"rule refused: {printable(str(refusal))}")
    out.print("See the queue with `detector alerts list`.")


def status_report(report: Mapping[str, Any], said: Sequence[str], output: OutputFormat) -> None:
    """Where things stand."""
    if output is OutputFormat.json:
        print_json(report)
        return
    from rich.table import Table

    out = console()
    totals, nights = report["totals"], report["nights"]
    out.print(f"Home {printable(report['home'])}, database {report['database']}")
    out.print(
        f"{totals['files']:,} files: {totals['lines']:,} lines = {totals['events']:,} events"
        f" + {totals['duplicates']:,} duplicates + {totals['rejects']:,} rejects"
    )
    sources = Table(title="Sources", title_justify="left")
    for name in ("source", "files", "events", "latest event"):
        sources.add_column(name, justify="right" if name in ("files", "events") else "left")
    for source in report["sources"]:
        sources.add_row(
            source["source_name"], f"{source['files']:,}", f"{source['events']:,}", source["latest_event_time"] or "-"
        )
    if report["sources"]:
        out.print(sources)
    out.print(f"{nights['scanned']:,} nights scanned, {len(nights['due']):,} due")
    if report["model"]:
        out.print(f"Model: {printable(report['model'].get('status', ''))}")
    if report["rules"]:
        rules = report["rules"]
        out.print(f"Rules: {rules['active']} active, {rules['inactive']} inactive, {rules['failed']} refused")
    if report["reference"].get("tables"):
        out.print(_reference(report["reference"]["tables"]))
    for night, explained in list(report["explained"].items())[-1:]:
        by = ", ".join(f"{name} {each['share']:.1%}" for name, each in explained["by"].items())
        out.print(
            f"Night of {night}: {explained['share']:.1%} of {explained['lookups']:,} look-ups of a record are explained"
            f" ({by})"
        )
    if report["samples"]["nights"]:
        out.print(_samples(report["samples"]))
    for line in said:
        out.print(f"! {printable(line)}")


def _samples(samples: Mapping[str, Any]) -> str:
    """What the blind samples tell of what is missed."""
    head = (
        f"Blind samples: {samples['drawn']:,} drawn from {samples['unflagged_actor_nights']:,} actor-nights that were"
        f" not in the queue ({samples['nights']:,} nights), {samples['decided']:,} decided,"
        f" {samples['confirmed']:,} confirmed."
    )
    if samples["missed"] is None:
        return f"{head} Nothing can be said of what is missed before one is decided."
    rate, missed = samples["per_1000"], samples["missed"]
    return (
        f"{head} Estimated misuse among these: {rate['value']:,g} in 1,000 (95 % interval {rate['low']:,g} to"
        f" {rate['high']:,g}), {missed['value']:,.0f} missed ({missed['low']:,.0f} to {missed['high']:,.0f})."
    )


def _reference(tables: Sequence[Mapping[str, Any]]) -> Table:
    from rich.table import Table

    shown = Table(title="Reference tables of the last scan", title_justify="left")
    for name in ("table", "rows", "duplicates", "rejects", "why rejected"):
        shown.add_column(name, justify="right" if name in ("rows", "duplicates", "rejects") else "left")
    for table in tables:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in table["reject_reasons"].items())
        shown.add_row(
            table["table"], f"{table['rows']:,}", f"{table['duplicates']:,}", f"{table['rejects']:,}", reasons
        )
    return shown


def _cut(rows: int) -> str | None:
    return f"the last {MOST_ROWS} of {rows:,}; all with --format json" if rows > MOST_ROWS else None


def _ingest_tables(summary: IngestSummary) -> None:
    from rich.table import Table

    out = console()
    table = Table(
        title="Files read: lines = events + duplicates + rejects",
        title_justify="left",
        caption=_cut(len(summary.files)),
    )
    for name in ("file", "source", "lines", "events", "duplicates", "rejects"):
        number = name not in ("file", "source")
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    shown = summary.files[-MOST_ROWS:]
    for file in shown:
        counts = (file.lines, file.events, file.duplicates, file.rejects)
        table.add_row(_short(file.source_file), file.source_name, *(f"{count:,}" for count in counts))
    if summary.files:
        out.print(table)
    for file in shown:
        if file.rejects:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(file.reject_reasons.items()))
            out.print(f"rejected of {_short(file.source_file)}: {reasons}")
    if summary.skipped:
        out.print(f"{len(summary.skipped):,} files were known already: nothing changed.")
    for notice in summary.notices:
        say(f"note: {printable(notice)}")
    for path, why in summary.not_recognised:
        say(f"not read: {printable(str(path))}: {printable(why)}")


def _short(source_file: str) -> str:
    """The file and its folder: what tells it from its neighbours."""
    return printable("/".join(source_file.split("/")[-2:]))


def _ingest(summary: IngestSummary) -> dict[str, Any]:
    return {
        "files": [
            {
                "source_file": file.source_file,
                "source_name": file.source_name,
                "lines": file.lines,
                "events": file.events,
                "duplicates": file.duplicates,
                "rejects": file.rejects,
                "reject_reasons": dict(file.reject_reasons),
            }
            for file in summary.files
        ],
        "notices": list(summary.notices),
        "skipped": [str(path) for path in summary.skipped],
        "not_recognised": [{"source_file": str(path), "why": why} for path, why in summary.not_recognised],
    }


def _scan(summary: ScanSummary, exit_code: int) -> dict[str, Any]:
    from detector.scan import reference_summary

    return _ingest(summary.ingest) | {
        "nights": [
            {
                "night": night.night.isoformat(),
                "events": night.events,
                "findings": night.findings,
                "alerts_raised": [alert.alert_id for alert in night.alerts.raised],
                "alerts_in_budget": night.alerts.in_budget,
                "model_version": night.model_version,
                "model_status": night.model_status,
                "stage_seconds": dict(night.stage_seconds),
            }
            for night in summary.nights
        ],
        "rules_refused": [str(refusal) for refusal in summary.rules.refusals],
        "rules_inactive": [
            {"rule_id": rule.rule_id, "title": rule.title, "why": rule.reason} for rule in summary.inactive
        ],
        "reference": reference_summary(summary.reference),
        "stage_seconds": dict(summary.stage_seconds),
        "exit_code": exit_code,
    }
