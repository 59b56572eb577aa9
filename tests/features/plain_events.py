"""Events as plain Python sees them: what docs/features.md says of actors, look-ups, nights and local clocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from statistics import median
from typing import Any

Value = float | None
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Look:
    """One event. A name that is masked, blank or absent is None."""

    row: Mapping[str, Any]

    @cached_property
    def id(self) -> str:
        return str(self.row["event_id"])

    @cached_property
    def place_in_time(self) -> tuple[datetime, str, str]:
        return self.time, self.id, self.row["source_name"]

    @cached_property
    def time(self) -> datetime:
        moment: datetime = self.row["event_time"]
        return moment

    @cached_property
    def night(self) -> date:
        return self.time.astimezone(UTC).date()

    @cached_property
    def local(self) -> datetime:
        return self.time + timedelta(minutes=self.row["utc_offset_minutes"] or 0)

    @cached_property
    def hour_of_week(self) -> tuple[int, int]:
        return self.local.weekday(), self.local.hour

    @cached_property
    def actor(self) -> str | None:
        return _person(self.row["actor_id"])

    @cached_property
    def operator(self) -> str | None:
        return _person(self.row["operator_id"])

    @cached_property
    def peers(self) -> tuple[str, str, str]:
        return tuple(self.row[name] or "" for name in ("organisation", "unit", "role"))  # type: ignore[return-value]

    @cached_property
    def context(self) -> tuple[str, str, str]:
        return self.peers[0], self.peers[1], self.row["system"]

    @cached_property
    def unit(self) -> tuple[str, str] | None:
        """The unit, else the organisation."""
        return self.peers[:2] if any(self.peers[:2]) else None

    @cached_property
    def spawned(self) -> bool:
        return bool(self.row["is_automatic"] or self.row["parent_id"])

    @cached_property
    def is_lookup(self) -> bool:
        """Whether it counts among look-ups."""
        return not self.spawned and self.row["action"] != "login"

    @cached_property
    def record(self) -> str | None:
        return self.row["record_id"] or None

    @cached_property
    def case(self) -> str | None:
        return self.row["case_ref"] or None

    @cached_property
    def terminal(self) -> str | None:
        return self.row["terminal_id"] or None

    @cached_property
    def reason(self) -> str | None:
        """None where the source has none, '' where it was left blank."""
        text = self.row["reason_text"]
        return None if text is None else text[:500].lower()

    @cached_property
    def on_behalf(self) -> bool | None:
        """Whether it was keyed for somebody else; None where requesters are not logged."""
        requester = self.row["requester_id"]
        return None if requester is None else requester not in ("", self.row["operator_id"])

    @cached_property
    def exported(self) -> int:
        taken = self.row["action"] in ("print", "export", "disclose")
        return max(self.row["export_count"] or 0, int(taken))

    @cached_property
    def failed(self) -> bool | None:
        outcome = self.row["outcome"]
        return None if outcome is None else outcome in ("denied", "error")


def _person(name: str) -> str | None:
    return None if name and not name.replace("*", "") else name


@dataclass(frozen=True)
class History:
    """All events ever, in order; `history_days` and `novelty_days` as in the settings."""

    looks: Sequence[Look]
    history_days: int
    novelty_days: int
    kept: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], history_days: int, novelty_days: int) -> History:
        looks = sorted((Look(row) for row in rows), key=lambda e: e.place_in_time)
        return cls(looks, history_days, novelty_days)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {e.id: place for place, e in enumerate(self.looks)}

    @cached_property
    def nights(self) -> dict[date, list[Look]]:
        found: dict[date, list[Look]] = {}
        for e in self.looks:
            found.setdefault(e.night, []).append(e)
        return found

    def so_far(self, e: Look) -> Sequence[Look]:
        """Everything up to and including `e`."""
        return self.looks[: self._place[e.id] + 1]

    def within(self, e: Look, length: timedelta) -> list[Look]:
        """(t - length, t], of which `e` is the last."""
        return [x for x in self.so_far(e) if x.time > e.time - length]

    def tonight(self, e: Look) -> list[Look]:
        """This night's up to and including `e`."""
        return [x for x in self.so_far(e) if x.night == e.night]

    def earlier_nights(self, e: Look, days: int) -> list[Look]:
        """Those of the `days` nights before this one."""
        return [x for x in self.looks if 1 <= (e.night - x.night).days <= days]

    def once(self, key: Any, work_out: Callable[[], Any]) -> Any:
        """What is the same for many events, worked out for the first of them."""
        if key not in self.kept:
            self.kept[key] = work_out()
        return self.kept[key]

    def past(self, e: Look) -> list[Look]:
        """The earlier nights that baselines are of."""
        return self.earlier_nights(e, self.history_days)


#: A feature in plain Python.
Plain = Callable[[History, Look], Value]


def shrunk(own: Value, weight: float, toward: Value, strength: float) -> Value:
    """(n * own + k * toward) / (n + k); what is not known of the two leaves the other."""
    if own is None or toward is None:
        return toward if own is None else own
    return (weight * own + strength * toward) / (weight + strength)


def probability(count: float, total: float, prior: Value, strength: float) -> Value:
    return None if prior is None else (count + strength * prior) / (total + strength)


def bits(share: Value) -> Value:
    return None if share is None else -math.log2(share)


def quantile(values: Sequence[float], share: float) -> float:
    """With the gap between two values divided evenly."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def middle(values: Iterable[float]) -> Value:
    """The median; None of nothing."""
    known = list(values)
    return median(known) if known else None
