"""Which findings belong to one alert: one actor, one theme, nights close together.

1. A rule's finding joins the undecided alert of its actor and theme that covers this night, or whose last night is
   at most `join_days` before; never one that began later. Else it begins an alert, whose id says actor, theme, night.
2. A forest finding joins the strongest alert that a rule raised or extended for its actor this night; only without
   one is it grouped by its own theme like any other.
3. A weak (informational) finding never begins or extends an alert by itself. It is added to this night's alert of
   its actor: the one of its theme, else the strongest. Without one it remains a finding only.

A finding that is already in an alert stays there, and what a rule says anew about the same actor and night goes
where its earlier word went; so a second scan of a night moves nothing.
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
    theme: str
    first_night: date
    night: date
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Grouped:
    """An alert with findings of this night: what was added, and all that it holds now."""

    alert_id: str
    actor_id: str
    theme: str
    is_new: bool
    added: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]


@dataclass
class _Draft:
    alert_id: str
    actor_id: str
    theme: str
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
    strong = [item for item in ordered if item.level != WEAK]
    for finding in (item for item in strong if item.detector == "rule"):
        table.seat(finding, table.own_place(finding))
    by_rule = table.tonight(by_rule=True)
    for finding in (item for item in strong if item.detector != "rule"):
        table.seat(finding, table.seated(finding) or _strongest(by_rule, finding) or table.own_place(finding))
    so_far = table.tonight()
    for finding in (item for item in ordered if item.level == WEAK):
        draft = table.seated(finding) or _strongest(so_far, finding, same_theme=True) or _strongest(so_far, finding)
        if draft is not None:
            table.seat(finding, draft)
    drafts = sorted((draft for draft in table.drafts.values() if draft.added), key=lambda draft: draft.alert_id)
    return tuple(Grouped(d.alert_id, d.actor_id, d.theme, d.is_new, tuple(d.added), tuple(d.evidence)) for d in drafts)


def _strongest(tonight: Mapping[str, list[_Draft]], finding: Finding, *, same_theme: bool = False) -> _Draft | None:
    mine = [d for d in tonight.get(finding.actor_id, ()) if not same_theme or d.theme == finding.theme]
    return min(mine, key=_Draft.order) if mine else None


class _Table:
    """Who sits where while a night is grouped."""

    def __init__(
        self, held: Sequence[Held], night: date, join_days: int, seats: Mapping[Voice, str], taken: Set[str]
    ) -> None:
        self.night = night
        self.seats = seats
        self.taken = taken
        self.drafts: dict[str, _Draft] = {}
        self.joinable: dict[tuple[str, str], _Draft] = {}
        earliest = night - timedelta(days=join_days)
        for alert in sorted(held, key=lambda a: (a.night >= night, a.night, a.alert_id)):
            draft = _Draft(alert.alert_id, alert.actor_id, alert.theme, False, list(alert.evidence))
            self.drafts[alert.alert_id] = draft
            if alert.first_night <= night and alert.night >= earliest:
                self.joinable[alert.actor_id, alert.theme] = draft  # the last one is the best

    def tonight(self, *, by_rule: bool = False) -> dict[str, list[_Draft]]:
        """Actor -> alerts with evidence of this night (`by_rule`: a rule's); weak evidence does not count."""
        found: dict[str, list[_Draft]] = {}
        for draft in self.drafts.values():
            strong = (e for e in draft.evidence if e.night == self.night and e.level != WEAK)
            if any(not by_rule or e.detector == "rule" for e in strong):
                found.setdefault(draft.actor_id, []).append(draft)
        return found

    def seated(self, finding: Finding) -> _Draft | None:
        return self.drafts.get(self.seats.get(voice(finding), ""))

    def own_place(self, finding: Finding) -> _Draft:
        draft = self.seated(finding) or self.joinable.get((finding.actor_id, finding.theme))
        if draft is None:
            draft = _Draft(self._new_id(finding), finding.actor_id, finding.theme, True, [])
            self.drafts[draft.alert_id] = self.joinable[finding.actor_id, finding.theme] = draft
        return draft

    def seat(self, finding: Finding, draft: _Draft) -> None:
        if any(item.finding_id == finding.finding_id for item in draft.evidence):
            return
        draft.evidence.append(Evidence.of(finding))
        draft.added.append(finding)

    def _new_id(self, finding: Finding) -> str:
        """The id of actor, theme and night; numbered where a decided alert already has it."""
        parts: tuple[object, ...] = (finding.actor_id, finding.theme, self.night)
        alert_id, number = stable_id("A", *parts), 1
        while alert_id in self.taken:
            number += 1
            alert_id = stable_id("A", *parts, number)
        return alert_id
