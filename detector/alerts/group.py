"""Which findings belong to one alert: one actor, nights close together.

1. A finding joins the undecided alert of its actor that covers this night, or whose last night is at most `join_days`
   before; never one that began later. Else it begins an alert, whose id says actor and night.
2. A weak (informational) finding never begins or extends an alert by itself. It is added to the alert that its actor
   has this night through others. Without one it remains a finding only.

A reviewer decides about a person's look-ups, and signals of different kinds about the same ones belong together. A
finding that is already in an alert stays there, and what a rule says anew about the same actor and night goes where
its earlier word went; so a second scan of a night moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, timedelta

from detector.alerts.evidence import Evidence
from detector.alerts.score import level, score
from detector.alerts.worth import WEAK, level_rank
from detector.records import Finding, stable_id

#: Detector, rule and actor: what can speak about one person in one night.
Voice = tuple[str, str, str]


@dataclass(frozen=True)
class Held:
    """An undecided alert as it was before: its nights and the findings it holds."""

    alert_id: str
    actor_id: str
    first_night: date
    night: date
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Grouped:
    """An alert with findings of this night: what was added, and all that it holds now."""

    alert_id: str
    actor_id: str
    is_new: bool
    added: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]


@dataclass
class _Draft:
    alert_id: str
    actor_id: str
    is_new: bool
    evidence: list[Evidence]
    added: list[Finding] = field(default_factory=list)

    def order(self) -> tuple[float, int, float, str]:
        first = min(item.first_event_time for item in self.evidence)
        return (-score(self.evidence), -level_rank(level(self.evidence)), first.timestamp(), self.alert_id)


def voice(finding: Finding) -> Voice:
    return (finding.detector, finding.rule_id, finding.actor_id)


def group(
    findings: Iterable[Finding],
    held: Sequence[Held],
    *,
    night: date,
    join_days: int,
    seats: Mapping[Voice, str] | None = None,
    taken: Set[str] = frozenset(),
) -> tuple[Grouped, ...]:
    """The alerts of `night`, in order of id; findings that joined none are in none.

    `held`: undecided alerts from before. `seats`: the held alert where this night's word of a voice already is.
    `taken`: ids of decided alerts, which a new one may not have.
    """
    table = _Table(held, night, join_days, dict(seats or {}), taken)
    ordered = sorted({item.finding_id: item for item in findings}.values(), key=lambda item: item.finding_id)
    for finding in (item for item in ordered if item.level != WEAK):
        table.seat(finding, table.place(finding))
    so_far = table.tonight()
    for finding in (item for item in ordered if item.level == WEAK):
        draft = table.seated(finding) or so_far.get(finding.actor_id)
        if draft is not None:
            table.seat(finding, draft)
    drafts = sorted((draft for draft in table.drafts.values() if draft.added), key=lambda draft: draft.alert_id)
    return tuple(Grouped(d.alert_id, d.actor_id, d.is_new, tuple(d.added), tuple(d.evidence)) for d in drafts)


class _Table:
    """Who sits where while a night is grouped."""

    def __init__(
        self, held: Sequence[Held], night: date, join_days: int, seats: Mapping[Voice, str], taken: Set[str]
    ) -> None:
        self.night = night
        self.seats = seats
        self.taken = taken
        self.drafts: dict[str, _Draft] = {}
        self.joinable: dict[str, _Draft] = {}
        earliest = night - timedelta(days=join_days)
        for alert in sorted(held, key=lambda a: (a.night >= night, a.night, a.alert_id)):
            draft = _Draft(alert.alert_id, alert.actor_id, False, list(alert.evidence))
            self.drafts[alert.alert_id] = draft
            if alert.first_night <= night and alert.night >= earliest:
                self.joinable[alert.actor_id] = draft  # the last one is the best

    def tonight(self) -> dict[str, _Draft]:
        """Actor -> the strongest alert with evidence of this night; weak evidence does not count."""
        found: dict[str, list[_Draft]] = {}
        for draft in self.drafts.values():
            if any(item.night == self.night and item.level != WEAK for item in draft.evidence):
                found.setdefault(draft.actor_id, []).append(draft)
        return {actor: min(drafts, key=_Draft.order) for actor, drafts in found.items()}

    def seated(self, finding: Finding) -> _Draft | None:
        return self.drafts.get(self.seats.get(voice(finding), ""))

    def place(self, finding: Finding) -> _Draft:
        draft = self.seated(finding) or self.joinable.get(finding.actor_id)
        if draft is None:
            draft = _Draft(self._new_id(finding.actor_id), finding.actor_id, True, [])
            self.drafts[draft.alert_id] = self.joinable[finding.actor_id] = draft
        return draft

    def seat(self, finding: Finding, draft: _Draft) -> None:
        if any(item.finding_id == finding.finding_id for item in draft.evidence):
            return
        draft.evidence.append(Evidence.of(finding))
        draft.added.append(finding)

    def _new_id(self, actor_id: str) -> str:
        """The id of actor and night; numbered where a decided alert already has it."""
        alert_id, number = stable_id("A", actor_id, self.night), 1
        while alert_id in self.taken:
            number += 1
            alert_id = stable_id("A", actor_id, self.night, number)
        return alert_id
