"""Alerts as a file for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from detector.errors import UsageError
from detector.printable import csv_cell
from detector.triage.queue import AlertView, as_record
from detector.wholefile import write_whole

#: Columns of the CSV: the contract's names; lists are joined by a space, as ids of rules and events.
COLUMNS: Final = (
    "alert_id", "actor_id", "first_event_time", "last_event_time", "night", "score", "rank", "level", "state", "title",
    "explanation", "rule_ids", "event_ids",
)  # fmt: skip


def as_csv(alerts: Sequence[AlertView]) -> str:
    """One header and one line an alert (RFC 4180); text cells are escaped, see `printable.csv_cell`."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for alert in alerts:
        record = as_record(alert)
        record["rule_ids"] = " ".join(dict.fromkeys(finding.rule_id for finding in alert.findings))
        record["event_ids"] = " ".join(alert.event_ids)
        writer.writerow([_cell(record[name]) for name in COLUMNS])
    return buffer.getvalue()


def as_json(alerts: Sequence[AlertView]) -> str:
    """The same array as `alerts list --format json`."""
    return json.dumps([as_record(alert) for alert in alerts], indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def to_stdout(text: str) -> None:
    """As it is: no translation of line ends."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def to_file(path: Path, text: str) -> None:
    """Whole or not at all, readable by its owner only. Raises UsageError when it cannot be written."""
    try:
        write_whole(path, text.encode("utf-8"), mode=0o600)
    except OSError as exc:
        raise UsageError(f"{path} cannot be written: {exc.strerror}", hint="Choose another --output.") from None


def _cell(value: Any) -> Any:
    return csv_cell(value) if isinstance(value, str) else value
