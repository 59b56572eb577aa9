"""A night's findings get their strength: what each adds to what is known of its actor's strangest look-up.

Signals that meet on one look-up say more than as many about a hundred different ones, of which somebody busy has some
every night. So an actor's findings are weighed (worth.py) around the look-up on which most weight meets: first those
that have it among their events, the heaviest first, then the others; the second adds half its weight, the third a
quarter, since rules that see the same thing do not err independently. A look-up that a case or an incident explains
carries less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

from detector.alerts.rarity import Rate, Speaker, speaker
from detector.alerts.wording import closed
from detector.alerts.worth import strength, weight
from detector.records import Finding

#: What each further finding keeps of its weight.
NEXT: Final = 0.5
#: Nats taken off where something explains the look-up: with tables that have holes and cases wide enough to hide
#: behind, about one misuse in ten is explained, and about nine in ten of all look-ups are.
EXPLAINED_NATS: Final = 2.0


@dataclass(frozen=True)
class _Weighed:
    finding: Finding
    nats: float

    def order(self) -> tuple[float, float, str]:
        return (-self.nats, self.finding.first_event_time.timestamp(), self.finding.finding_id)


def weigh(
    findings: Iterable[Finding],
    rates: Mapping[Speaker, Rate],
    explained: Set[str] = frozenset(),
    shift: Callable[[Finding], float] | None = None,
) -> list[Finding]:
    """The findings of one night with their strength, and with a sentence on how often the same is said of peers.

    `explained` are ids of look-ups that something explains; `shift` gives the nats by which decisions have taught to
    take a finding for more or for less. Order is kept. Raises KeyError for a finding without rate.
    """
    given = list(findings)
    by_actor: dict[str, list[_Weighed]] = defaultdict(list)
    for finding in given:
        nats = weight(finding.level, rates[speaker(finding)].share)
        if shift is not None and nats > 0:  # what is usual here stays worth nothing
            nats = max(nats + shift(finding), 0.0)
        by_actor[finding.actor_id].append(_Weighed(finding, nats))
    adds = {key: nats for items in by_actor.values() for key, nats in _adds(items, explained).items()}
    return [
        replace(
            finding,
            strength=strength(adds[finding.finding_id]),
            explanation=_with_rate(finding, rates[speaker(finding)]),
        )
        for finding in given
    ]


def _with_rate(finding: Finding, rate: Rate) -> str:
    """The forest's findings say nothing of how rare they are: see `detector.triage.sampling`."""
    said = () if finding.detector == "forest" else how_often(rate)
    return " ".join((closed(finding.explanation), *said))


def how_often(rate: Rate) -> tuple[str, ...]:
    """What a reviewer should know of a signal before believing it: a sentence, or none before it was counted."""
    if not rate.is_counted:
        return ()
    if rate.share >= 0.5:
        return ("Of comparable colleagues this is so on most nights.",)
    # Rarer than one in the nights that were counted is what was assumed, and not what was seen.
    if rate.share * rate.nights < 1:
        return (f"Of comparable colleagues this is so on less than one night in {_about(rate.nights)}.",)
    return (f"Of comparable colleagues this is so on about one night in {_about(1.0 / rate.share)}.",)


def _about(number: float) -> str:
    """Two digits that count: more would promise too much."""
    digits = 10 ** max(len(str(int(number))) - 2, 0)
    return f"{round(number / digits) * digits:,}"


def _adds(items: Sequence[_Weighed], explained: Set[str]) -> dict[str, float]:
    """Finding -> nats that it adds to its actor's night."""
    peak, carried = _peak(items, explained)
    ordered = sorted(items, key=lambda item: (peak not in item.finding.event_ids, item.order()))
    # A second finding of one rule says the same again, of other look-ups: after all that says something else.
    first: dict[tuple[str, str], str] = {}
    for item in ordered:
        first.setdefault((item.finding.detector, item.finding.rule_id), item.finding.finding_id)
    once = set(first.values())
    ordered.sort(key=lambda item: item.finding.finding_id not in once)
    adds = {item.finding.finding_id: item.nats * NEXT**place for place, item in enumerate(ordered)}
    return {key: nats * carried for key, nats in adds.items()}


def _peak(items: Sequence[_Weighed], explained: Set[str]) -> tuple[str, float]:
    """The look-up on which most weight meets, and the share of it that is left where something explains it."""
    met: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for item in items:
        source = (item.finding.detector, item.finding.rule_id)
        for event in item.finding.event_ids:
            met[event][source] = max(met[event].get(source, 0.0), item.nats)
    totals = {event: _damped(weights.values()) for event, weights in met.items()}
    left = {event: max(nats - EXPLAINED_NATS * (event in explained), 0.0) for event, nats in totals.items()}
    peak = min(left, key=lambda event: (-left[event], event))
    return peak, left[peak] / totals[peak] if totals[peak] else 0.0


def _damped(weights: Iterable[float]) -> float:
    return sum(nats * NEXT**place for place, nats in enumerate(sorted(weights, reverse=True)))
