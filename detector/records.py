"""The few things that stages hand to each other: findings, counts, summaries. Frozen, and without behaviour."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Detector = Literal["rule", "forest"]


@dataclass(frozen=True)
class Usual:
    """One feature of one finding, beside what is usual: for this actor before, and for the actor's peers."""

    feature: str
    value: float
    own: float | None
    peers: float | None
    sentence: str


@dataclass(frozen=True)
class Reason:
    """Something that speaks for a look-up, in words about the actor; `counts`: it alone explains the look-up."""

    sentence: str
    counts: bool


@dataclass(frozen=True)
class Finding:
    """One rule or model hit: who, which events, why in plain words.

    `strength` is 0-100: what it adds to its alert's score (alerts/weigh.py). As a stage hands it over it is the
    forest's own score, and of a rule 0.
    `theme` is the misuse family (a rule's tag `misuse.<family>`) or, for the forest, `unusual_pattern`.
    `event_ids` are in time order. Where only some of the events are kept, `all_events` is the fingerprint of all.
    `reasons` has for each of `event_ids` what speaks for it, None where that is not judged; it is empty without the
    tables that say so.
    """

    detector: Detector
    rule_id: str
    title: str
    level: str
    theme: str
    actor_id: str
    night: date
    first_event_time: datetime
    last_event_time: datetime
    event_ids: tuple[str, ...]
    explanation: str
    strength: float
    usual: tuple[Usual, ...] = ()
    all_events: str = ""
    reasons: tuple[tuple[Reason, ...] | None, ...] = ()
    finding_id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "finding_id",
            # The night too: an episode over midnight, cut to its first events, is another finding on each night.
            stable_id("F", self.detector, self.rule_id, self.actor_id, self.night.isoformat(), *self._events()),
        )

    def _events(self) -> list[str]:
        return [*sorted(self.event_ids), *([self.all_events] if self.all_events else [])]


@dataclass(frozen=True)
class FileCounts:
    """What became of one input file's lines; `lines == events + duplicates + rejects`, always."""

    source_file: str
    source_name: str
    lines: int
    events: int
    duplicates: int
    rejects: int
    reject_reasons: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.lines != self.events + self.duplicates + self.rejects:
            raise ValueError(f"lines do not add up: {self!r}")


def stable_id(prefix: str, *parts: object) -> str:
    """A short id that is the same for the same parts on every machine: prefix-16 hex digits of SHA-256."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"))
    return f"{prefix}-{digest.hexdigest()[:16]}"


def fingerprint(parts: Iterable[str]) -> str:
    """SHA-256 over the sorted parts: equal for equal sets, whatever their order."""
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()
