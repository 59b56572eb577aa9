"""Every feature in plain Python, by name, over the random events and the tables of random_events.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from plain_events import History, Plain, Value
from plain_log import OF_THE_LOG
from plain_reference import of_reference
from random_events import SETTINGS, WORLD

PLAIN: Final[Mapping[str, Plain]] = {**OF_THE_LOG, **of_reference(WORLD)}


def history(rows: Iterable[Mapping[str, Any]], kind: type[History] = History) -> History:
    return kind.of(rows, SETTINGS.history_days, SETTINGS.novelty_days)


def plain_values(h: History, night: date | None = None) -> dict[str, dict[str, Value]]:
    """Event id -> feature -> value; of all events, or those of a night."""
    looks = h.looks if night is None else h.nights[night]
    return {e.id: {name: plain(h, e) for name, plain in PLAIN.items()} for e in looks}
