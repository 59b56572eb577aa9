"""What there is: read, scanned, trained, inactive, late, damaged. One dictionary, for people and machines alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Max, Sum

from detector.home import Home
from detector.ingest.lake import verify_lake
from detector.ledger.models import IngestedFile, Night, Run
from detector.night import nights_due
from detector.triage.services import misses


def status(home: Home, *, now: datetime, verify: bool = False) -> dict[str, Any]:
    """Everything about a home directory whose database is open; times as ISO 8601 UTC.

    `verify` also reads every file of the lake and compares it with its SHA-256; without it only names and sizes are.
    """
    last = Run.objects.filter(command="scan").first()
    summary = last.summary if last else {}
    return {
        "home": str(home.root),
        "database": connection.vendor,
        "now": _iso(now),
        "files": _files(),
        "totals": _totals(),
        "sources": _sources(now),
        "nights": _nights(),
        "model": summary.get("model", {}),
        "rules": summary.get("rules", {}),
        "reference": summary.get("reference", {}),
        "explained": summary.get("explained", {}),
        "samples": misses().as_json(),
        "not_recognised": summary.get("not_recognised", []),
        "last_scan": _run(last),
        "damage": list(verify_lake(home, contents=verify)),
    }


def _files() -> list[dict[str, Any]]:
    return [
        {
            "source_file": file.source_file,
            "source_name": file.source_name,
            "lines": file.lines,
            "events": file.events,
            "duplicates": file.duplicates,
            "rejects": file.rejects,
            "reject_reasons": file.reject_reasons,
            "first_event_time": _iso(file.first_event_time),
            "last_event_time": _iso(file.last_event_time),
            "ingested_at": _iso(file.ingested_at),
            "sha256": file.sha256,
        }
        for file in IngestedFile.objects.filter(state=IngestedFile.DONE).order_by("id")
    ]


def _totals() -> dict[str, int]:
    columns = ("lines", "events", "duplicates", "rejects")
    sums = IngestedFile.objects.aggregate(**{name: Sum(name) for name in columns})
    return {"files": IngestedFile.objects.count()} | {name: sums[name] or 0 for name in columns}


def _sources(now: datetime) -> list[dict[str, Any]]:
    rows = IngestedFile.objects.values("source_name").annotate(
        files=Count("id"), events=Sum("events"), masked=Sum("masked"), latest=Max("last_event_time")
    )
    sources = []
    for row in rows.order_by("source_name"):
        latest = row["latest"]
        notes = []
        if row["masked"]:
            notes.append(
                f"{row['masked']} of {row['events']} events name no person (operator masked):"
                " features about a person are absent for them"
            )
        sources.append(
            {
                "source_name": row["source_name"],
                "files": row["files"],
                "events": row["events"],
                "masked": row["masked"],
                "latest_event_time": _iso(latest),
                "hours_since_latest_event": round((now - latest).total_seconds() / 3600, 1) if latest else None,
                "notes": notes,
            }
        )
    return sources


def _nights() -> dict[str, Any]:
    scanned = Night.objects.order_by("-night")
    return {
        "scanned": scanned.count(),
        "due": [night.isoformat() for night in nights_due()],
        "latest": [
            {
                "night": night.night.isoformat(),
                "events": night.events,
                "findings": night.findings,
                "alerts": night.alerts,
                "model_version": night.model_version,
                "model_status": night.model_status,
                "stage_seconds": night.stage_seconds,
            }
            for night in scanned[:7]
        ],
    }


def _run(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "state": run.state,
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
        "exit_code": run.exit_code,
        "error": run.error,
        "stage_seconds": run.stage_seconds,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def sentences(report: dict[str, Any]) -> Sequence[str]:
    """What somebody should know or do, worst first; empty when all is well."""
    said = [f"DAMAGED: {line}" for line in report["damage"]]
    last = report["last_scan"]
    if last is None:
        said.append("Nothing has been scanned yet: run `detector scan PATH`.")
    elif last["state"] == "failed":
        said.append(f"The last scan failed: {last['error']}")
    if report["nights"]["due"]:
        due = report["nights"]["due"]
        said.append(f"{len(due)} nights wait to be scanned, the first {due[0]}.")
    said += [f"Rule refused: {line}" for line in report["rules"].get("refused", [])]
    said += [f"Rule inactive: {line}" for line in report["rules"].get("inactive_because", [])]
    said += [line for table in report["reference"].get("tables", []) for line in _of_table(table)]
    said += [f"Not read: {line}" for line in report["not_recognised"]]
    said += [f"{source['source_name']}: {note}" for source in report["sources"] for note in source["notes"]]
    return said


def _of_table(table: dict[str, Any]) -> list[str]:
    """What is wrong with a reference table's rows: how many, for which reasons, and the first of them."""
    said = []
    if table["rejects"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in table["reject_reasons"].items())
        first = table["rejected_rows"][0]
        said.append(
            f"Reference table {table['table']}: {table['rejects']:,} rows not used ({reasons}); the first is"
            f" {table['file']}:{first['line']}: {first['detail']}"
        )
    said += [
        f"Reference table {table['table']}: {count:,} rows with a {column} that cannot be read; it counts as not given"
        for column, count in table["emptied"].items()
    ]
    return said
