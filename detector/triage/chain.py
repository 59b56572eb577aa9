"""The decisions' hash chain: each row carries the SHA-256 of itself and of the hash of the row before.

An edited, removed, inserted or reordered row no longer fits; a cut tail no longer fits the head. Whoever can rewrite
the whole database can also recompute the whole chain: copy the head's hash elsewhere now and then to be safe from that.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from detector.errors import StateError
from detector.triage.models import ChainHead, Decision

GENESIS: Final = "0" * 64
HEAD_ID: Final = 1


@dataclass(frozen=True)
class ChainReport:
    """How many decisions were read, and what does not fit, in plain words; none when the chain is whole."""

    rows: int
    faults: tuple[str, ...]


def link_hash(row: Decision) -> str:
    """SHA-256, hex, over the row as JSON (sorted keys, ASCII, UTC to the microsecond), `prev_hash` included."""
    fields = {
        "sequence": row.sequence,
        "alert_id": row.alert_id,
        "verdict": row.verdict,
        "reason": row.reason,
        "note": row.note,
        "decided_by": row.decided_by,
        "decided_at": _instant(row.decided_at),
        "from_state": row.from_state,
        "to_state": row.to_state,
        "prev_hash": row.prev_hash,
    }
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def append(rows: list[Decision]) -> None:
    """Number, link and insert new decisions, in order. Must run inside the transaction that changes the alerts.

    Raises StateError when the chain has lost its head.
    """
    head = ChainHead.objects.select_for_update().filter(pk=HEAD_ID).first()
    if head is None:
        raise StateError("the decisions' chain has lost its head", hint="Restore the database from a backup.")
    for row in rows:
        row.sequence = head.sequence + 1
        row.prev_hash = head.hash
        row.hash = link_hash(row)
        head.sequence, head.hash = row.sequence, row.hash
    Decision.objects.bulk_create(rows)
    head.save(update_fields=["sequence", "hash"])


def verify_chain() -> ChainReport:
    """Read every decision in order and name each that was changed, removed, added aside or moved."""
    faults: list[str] = []
    before, expected, rows = GENESIS, 1, 0
    for row in Decision.objects.order_by("sequence").iterator(chunk_size=2000):
        rows += 1
        if row.sequence != expected:
            faults.append(f"decision {expected} is missing: the next is {row.sequence}")
        if row.prev_hash != before:
            faults.append(f"decision {row.sequence} does not follow the one before it")
        if row.hash != link_hash(row):
            faults.append(f"decision {row.sequence} (alert {row.alert_id}) was changed")
        before, expected = row.hash, row.sequence + 1
    head = ChainHead.objects.filter(pk=HEAD_ID).first()
    if head is None:
        faults.append("the chain has lost its head")
    elif (head.sequence, head.hash) != (expected - 1, before):
        faults.append(f"the chain ends at decision {expected - 1}, its head says {head.sequence}")
    return ChainReport(rows, tuple(faults))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
