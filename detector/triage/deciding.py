"""A reviewer's verdict: the alert's new state and the decision's row, in one transaction, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from detector.errors import UsageError
from detector.schema import VERDICTS
from detector.triage.chain import append
from detector.triage.models import Alert, Decision
from detector.triage.queue import unknown
from detector.triage.transitions import CLOSED, after

MAX_REASON: Final = 100
MAX_NOTE: Final = 10_000
MAX_IDS: Final = 10_000


@dataclass(frozen=True)
class Decided:
    alert_id: str
    verdict: str
    from_state: str
    to_state: str


def decide(
    alert_ids: Sequence[str],
    verdict: str,
    *,
    reason: str,
    note: str = "",
    who: str,
    now: datetime,
    seen: Mapping[str, str] | None = None,
) -> tuple[Decided, ...]:
    """Give one verdict to one or many alerts, all or none; in the order given, repeats dropped.

    `reason` is a code (see `transitions.REASONS`) or a few words, `who` the reviewer, `now` aware UTC. `seen` maps an
    id to the state that the reviewer saw. Raises UsageError for an unknown id or verdict, a verdict that may not be
    given in the alert's state, and an alert that somebody changed meanwhile.
    """
    ids = list(dict.fromkeys(alert_ids))
    _check(ids, verdict, reason, note, who)
    with transaction.atomic():
        states = dict(Alert.objects.filter(pk__in=ids).values_list("alert_id", "state"))
        missing = [alert_id for alert_id in ids if alert_id not in states]
        if missing:
            raise unknown(missing)
        done = [_move(alert_id, states[alert_id], verdict, now, seen or {}) for alert_id in ids]
        append(
            [
                Decision(
                    alert_id=item.alert_id,
                    verdict=verdict,
                    reason=reason.strip(),
                    note=note.strip(),
                    decided_by=who.strip(),
                    decided_at=now,
                    from_state=item.from_state,
                    to_state=item.to_state,
                )
                for item in done
            ]
        )
    return tuple(done)


def _move(alert_id: str, state: str, verdict: str, now: datetime, seen: Mapping[str, str]) -> Decided:
    """Change the state, provided that it is still the one the decision is about (compare and set)."""
    if seen.get(alert_id, state) != state:
        raise UsageError(
            f"alert {alert_id} is {state} by now, not {seen[alert_id]}: somebody changed it meanwhile",
            hint="Read it again, then decide.",
        )
    to_state = after(state, verdict)
    if to_state is None:
        raise UsageError(
            f"alert {alert_id} is {state}: {verdict} cannot be given there",
            hint=f"`detector alerts show {alert_id}` shows what was decided. Nothing was changed.",
        )
    closed_at = now if to_state == CLOSED else None
    changed = Alert.objects.filter(pk=alert_id, state=state).update(state=to_state, closed_at=closed_at, updated_at=now)
    if not changed:
        raise UsageError(f"alert {alert_id} was changed by somebody else just now", hint="Read it again, then decide.")
    return Decided(alert_id, verdict, state, to_state)


def _check(ids: Sequence[str], verdict: str, reason: str, note: str, who: str) -> None:
    if verdict not in VERDICTS:
        raise UsageError(f"{verdict!r} is no verdict", hint=f"Verdicts: {', '.join(VERDICTS)}.")
    if not ids or len(ids) > MAX_IDS:
        raise UsageError(f"name 1 to {MAX_IDS:,} alerts")
    for name, text, most in (("reason", reason, MAX_REASON), ("name of the reviewer", who, 200)):
        if not text.strip():
            raise UsageError(f"a decision needs a {name}")
        if len(text) > most:
            raise UsageError(f"the {name} is longer than {most} characters")
    if len(note) > MAX_NOTE:
        raise UsageError(f"the note is longer than {MAX_NOTE:,} characters")
    for text in (reason, note, who, *ids):
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise UsageError("the decision has characters that are no text", hint="Check the terminal's encoding.")
