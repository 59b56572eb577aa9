"""The fixed names: event columns, enumerations, reference tables. Nothing here may change without a migration."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

ACTIONS: Final = (
    "search", "view", "create", "update", "delete", "combine", "print", "export", "disclose", "login", "other",
)  # fmt: skip
OUTCOMES: Final = ("success", "no_trace", "denied", "error")
LEVELS: Final = ("informational", "low", "medium", "high", "critical")
VERDICTS: Final = ("true_positive", "benign_positive", "false_positive", "duplicate", "insufficient")
ALERT_STATES: Final = ("open", "under_review", "awaiting_approval", "referred", "closed")

TIMESTAMP: Final = pa.timestamp("us", tz="UTC")

#: Columns that every source must give.
REQUIRED: Final = ("event_time", "system", "action", "operator_id")

#: Columns the detector itself fills in: where the row came from, down to the line of the raw file.
#: `source_sha256` is the SHA-256 of the whole raw file as it lay on disk.
PROVENANCE: Final = ("source_name", "source_file", "source_line", "source_sha256", "ingested_at")

#: Columns that are computed, so that no source can set them.
DERIVED: Final = ("actor_id",)

#: One access event. In a string column NULL means that the source has no such value (the column is absent)
#: and '' that the person left it blank. Numbers cannot be blank: there NULL is both, and the Parquet file's
#: metadata key `present_columns` tells them apart.
EVENT_SCHEMA: Final = pa.schema(
    [
        pa.field("event_id", pa.string(), nullable=False),
        pa.field("event_time", TIMESTAMP, nullable=False),
        pa.field("utc_offset_minutes", pa.int16()),
        pa.field("system", pa.string(), nullable=False),
        pa.field("action", pa.string(), nullable=False),
        pa.field("transaction_code", pa.string()),
        pa.field("operator_id", pa.string(), nullable=False),
        pa.field("requester_id", pa.string()),
        pa.field("actor_id", pa.string(), nullable=False),
        pa.field("organisation", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("role", pa.string()),
        pa.field("terminal_id", pa.string()),
        pa.field("source_ip", pa.string()),
        pa.field("session_id", pa.string()),
        pa.field("purpose_code", pa.string()),
        pa.field("reason_text", pa.string()),
        pa.field("case_ref", pa.string()),
        pa.field("record_type", pa.string()),
        pa.field("record_id", pa.string()),
        pa.field("query_text", pa.string()),
        pa.field("result_count", pa.int64()),
        pa.field("scope_count", pa.int64()),
        pa.field("export_count", pa.int64()),
        pa.field("recipient", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("parent_id", pa.string()),
        pa.field("is_automatic", pa.bool_()),
        pa.field("source_name", pa.string(), nullable=False),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("source_sha256", pa.string(), nullable=False),
        pa.field("ingested_at", TIMESTAMP, nullable=False),
    ]
)

#: Columns that a source mapping may fill.
MAPPABLE: Final = tuple(n for n in EVENT_SCHEMA.names if n not in PROVENANCE and n not in DERIVED)

REJECT_SCHEMA: Final = pa.schema(
    [
        pa.field("source_name", pa.string(), nullable=False),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("source_sha256", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),  # a short code of a bounded set: see ingest.batch.REASONS
        pa.field("detail", pa.string(), nullable=False),  # what is wrong with this very line
        pa.field("raw", pa.string(), nullable=False),  # undecodable bytes as \xNN
        pa.field("ingested_at", TIMESTAMP, nullable=False),
    ]
)

#: Reference tables and their columns; all optional.
REFERENCE_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "staff": (
        "staff_id", "surname", "forename", "date_of_birth", "sex", "role", "rank", "unit", "manager_id",
        "start_date", "end_date", "home_address_id", "person_record_id",
    ),
    "shifts": ("staff_id", "shift_start", "shift_end"),
    "absences": ("staff_id", "absent_from", "absent_to", "kind"),
    "cases": ("case_ref", "case_type", "opened_at", "closed_at", "owning_unit"),
    "case_staff": ("case_ref", "staff_id", "assigned_from", "assigned_to"),
    "case_records": ("case_ref", "record_id"),
    "incidents": ("incident_id", "started_at", "ended_at", "record_id", "unit", "staff_id"),
    "records": (
        "record_id", "record_type", "surname", "sex", "date_of_birth", "address_id", "vehicle_keeper_id", "sensitivity",
    ),
    "associations": ("staff_id", "record_id", "kind"),
    "watchlist": ("record_id", "kind", "active_from", "active_to"),
    "publicity": ("record_id", "published_at"),
}  # fmt: skip

#: Findings as they lie in the lake, one row a finding.
FINDING_SCHEMA: Final = pa.schema(
    [
        pa.field("finding_id", pa.string(), nullable=False),
        pa.field("night", pa.date32(), nullable=False),
        pa.field("detector", pa.string(), nullable=False),
        pa.field("rule_id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),
        pa.field("level", pa.string(), nullable=False),
        pa.field("theme", pa.string(), nullable=False),
        pa.field("actor_id", pa.string(), nullable=False),
        pa.field("first_event_time", TIMESTAMP, nullable=False),
        pa.field("last_event_time", TIMESTAMP, nullable=False),
        pa.field("event_ids", pa.list_(pa.string()), nullable=False),
        pa.field("explanation", pa.string(), nullable=False),
        pa.field("strength", pa.float64(), nullable=False),
    ]
)
