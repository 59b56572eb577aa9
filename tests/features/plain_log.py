"""The features that need the log alone, each as a loop over all events there ever were.

Written from docs/features.md and the catalogue, not from the expressions: no profiles, no keys, no running sums.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from itertools import pairwise

from plain_events import (
    DAY,
    HOUR,
    MINUTE,
    History,
    Look,
    Plain,
    Value,
    bits,
    middle,
    probability,
    quantile,
    shrunk,
)

# --- volume ---------------------------------------------------------------------------------------------------------


def lookups(h: History, e: Look, length: timedelta) -> int:
    return sum(x.is_lookup for x in h.within(e, length) if x.actor == e.actor)


def exported_24h(h: History, e: Look) -> int:
    return sum(x.exported for x in h.within(e, DAY) if x.actor == e.actor)


class Night:
    """An actor's night with look-ups: the busiest windows that ended in it."""

    def __init__(self, h: History, events: Sequence[Look]) -> None:
        counted = [e for e in events if e.is_lookup]
        self.peers = events[-1].peers
        self.peak = {length: max(lookups(h, e, length) for e in counted) for length in (15 * MINUTE, HOUR, DAY)}
        self.exported = sum(e.exported for e in events)


def active_nights(h: History, e: Look) -> dict[str, list[Night]]:
    """Actor -> their earlier nights with look-ups, oldest first."""
    found: dict[str, list[Night]] = h.once(("active nights", e.night), lambda: _active_nights(h, e))
    return found


def _active_nights(h: History, e: Look) -> dict[str, list[Night]]:
    found: dict[str, list[Night]] = {}
    for night in sorted({x.night for x in h.past(e)}):
        for actor in sorted({x.actor for x in h.nights[night] if x.actor is not None}):
            events = [x for x in h.nights[night] if x.actor == actor]
            if any(x.is_lookup for x in events):
                found.setdefault(actor, []).append(Night(h, events))
    return found


def usual(h: History, e: Look, measure: Callable[[Sequence[Night]], float]) -> Value:
    """What is usual of own nights, of the peers' and of everybody's, each pulled toward the next."""
    nights = active_nights(h, e)
    of = {actor: measure(theirs) for actor, theirs in nights.items()}
    peers = [value for actor, value in of.items() if nights[actor][-1].peers == e.peers]
    toward = shrunk(middle(peers), len(peers), middle(of.values()), 5)
    return shrunk(of.get(e.actor or ""), len(nights.get(e.actor or "", ())), toward, 10)


def _log_peaks(nights: Sequence[Night], length: timedelta) -> list[float]:
    return [math.log(1 + night.peak[length]) for night in nights]


def _spread(values: Sequence[float]) -> float:
    return (quantile(values, 0.75) - quantile(values, 0.25)) / 1.349


def _rate_z(h: History, e: Look, length: timedelta) -> Value:
    center = usual(h, e, lambda nights: quantile(_log_peaks(nights, length), 0.5))
    spread = usual(h, e, lambda nights: _spread(_log_peaks(nights, length)))
    if e.actor is None or center is None or spread is None:
        return None
    return (math.log(1 + lookups(h, e, length)) - center) / max(spread, 0.25)


def peer_percentile(h: History, e: Look) -> Value:
    now = lookups(h, e, DAY)
    nights = [night for theirs in active_nights(h, e).values() for night in theirs]

    def share(of: Sequence[Night]) -> Value:
        fewer = sum(1.0 if night.peak[DAY] < now else 0.5 if night.peak[DAY] == now else 0.0 for night in of)
        return fewer / len(of) if of else None

    peers = [night for night in nights if night.peers == e.peers]
    found = shrunk(share(peers), len(peers), share(nights), 50)
    return None if e.actor is None or found is None else 100 * found


def burst_15m(h: History, e: Look) -> Value:
    most = usual(h, e, lambda nights: quantile([night.peak[15 * MINUTE] for night in nights], 0.99))
    return None if e.actor is None or most is None else lookups(h, e, 15 * MINUTE) / max(most, 1)


def export_excess(h: History, e: Look) -> Value:
    mean = usual(h, e, lambda nights: sum(night.exported for night in nights) / len(nights))
    return None if e.actor is None or mean is None else math.log2((1 + exported_24h(h, e)) / (1 + mean))


def _of_actor(count: Plain) -> Plain:
    return lambda h, e: None if e.actor is None else count(h, e)


# --- timing ---------------------------------------------------------------------------------------------------------


def hour_surprisal(h: History, e: Look) -> Value:
    """An hour counts once a night, however many look-ups it saw."""
    active = {(x.night, x.actor, x.peers, x.hour_of_week) for x in h.past(e) if x.is_lookup and x.actor is not None}
    if e.actor is None or not active:
        return None

    def there(member: Callable[[str | None, object], bool]) -> tuple[int, int]:
        hours = [hour for _, actor, peers, hour in active if member(actor, peers)]
        return hours.count(e.hour_of_week), len(hours)

    everybody = probability(*there(lambda actor, peers: True), 1 / 168, 168)
    peers = probability(*there(lambda actor, peers: peers == e.peers), everybody, 40)
    return bits(probability(*there(lambda actor, peers: actor == e.actor), peers, 40))


def _own_lookups(h: History, e: Look) -> list[Look]:
    """Up to and including `e`, within the history."""
    return [x for x in (*h.past(e), *h.tonight(e)) if x.is_lookup and x.actor == e.actor]


def streak_days(h: History, e: Look) -> Value:
    if e.actor is None or not e.is_lookup:
        return None
    first = last = None
    for x in _own_lookups(h, e):
        day = x.local.date()
        if last is None or first is None or day > last + DAY:
            first = last = day
        last = max(last, day)
    assert first is not None
    assert last is not None
    return (last - first).days + 1


def span_hours(h: History, e: Look) -> Value:
    if e.actor is None or not e.is_lookup:
        return None
    start = e.time
    for x in reversed(_own_lookups(h, e)[:-1]):
        if start - x.time >= 6 * HOUR:
            break
        start = x.time
    return (e.time - start) / HOUR


def idle_days(h: History, e: Look) -> Value:
    if e.actor is None or not e.is_lookup:
        return None
    before = _own_lookups(h, e)[:-1]
    return (e.time - before[-1].time) / DAY if before else None


# --- novelty, repetition --------------------------------------------------------------------------------------------


def _is_new(h: History, e: Look, same: Callable[[Look], bool]) -> Value:
    if not h.earlier_nights(e, h.novelty_days):
        return None
    before = [*h.earlier_nights(e, h.novelty_days), *h.tonight(e)[:-1]]
    return 0 if any(same(x) for x in before) else 1


def record_new_to_actor(h: History, e: Look) -> Value:
    if e.actor is None or e.record is None:
        return None
    return _is_new(h, e, lambda x: (x.actor, x.record) == (e.actor, e.record))


def record_new_to_unit(h: History, e: Look) -> Value:
    if e.unit is None or e.record is None:
        return None
    return _is_new(h, e, lambda x: (x.unit, x.record) == (e.unit, e.record))


def record_new_to_force(h: History, e: Look) -> Value:
    return None if e.record is None else _is_new(h, e, lambda x: x.record == e.record)


def _days_before(h: History, e: Look) -> list[int]:
    """How many days ago the actor touched the record, on earlier nights; furthest first."""
    touched = {x.night for x in h.earlier_nights(e, h.novelty_days) if (x.actor, x.record) == (e.actor, e.record)}
    return sorted(((e.night - night).days for night in touched), reverse=True)


def revisit_days(h: History, e: Look) -> Value:
    if e.actor is None or e.record is None:
        return None
    if any((x.actor, x.record) == (e.actor, e.record) for x in h.tonight(e)[:-1]):
        return 0
    days = _days_before(h, e)
    return days[-1] if days else None


def repeat_days(h: History, e: Look) -> Value:
    if e.actor is None or e.record is None:
        return None
    return 1 + sum(days <= 180 for days in _days_before(h, e))


def recheck_regularity(h: History, e: Look) -> Value:
    if e.actor is None or e.record is None:
        return None
    touched = sorted({x.night for x in h.so_far(e) if (x.actor, x.record) == (e.actor, e.record)})
    gaps = [
        (later - earlier).days
        for earlier, later in pairwise(touched)
        if (later - earlier).days <= h.novelty_days and (e.night - later).days <= 180
    ]
    if len(gaps) < 3 or (e.night - touched[-2]).days > h.novelty_days:
        return None
    mean = sum(gaps) / len(gaps)
    return math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) / mean


def crowd(h: History, e: Look) -> Value:
    if e.record is None:
        return None
    now = {x.actor for x in h.within(e, 3 * DAY) if x.record == e.record} - {None}
    month = [x for x in h.earlier_nights(e, 30) if (e.night - x.night).days > 3]
    seen = {(x.night, x.actor) for x in month if x.record == e.record and x.actor is not None}
    nights = len({x.night for x in month})
    return len(now) / (1 + 3 * len(seen) / max(nights, 1))


# --- purpose --------------------------------------------------------------------------------------------------------


def reason_missing(h: History, e: Look) -> Value:
    if e.reason is None:
        return None
    asked = [x for x in h.past(e) if x.is_lookup and x.reason is not None]
    if e.reason:
        return 0
    if not asked:
        return None
    here = [x for x in asked if x.context == e.context]
    everybody = sum(x.reason != "" for x in asked) / len(asked)
    return probability(sum(x.reason != "" for x in here), len(here), everybody, 20)


def reason_duplication(h: History, e: Look) -> Value:
    if e.actor is None or not e.reason:
        return None
    given = [x.reason for x in (*h.past(e), *h.tonight(e)) if x.actor == e.actor and x.reason]
    return given.count(e.reason) / len(given) if len(given) >= 5 else None


def _terms(reason: str) -> list[str]:
    """Words between spaces, punctuation and symbols; any number is one word."""
    spaced = "".join(" " if unicodedata.category(char)[0] in "PS" else char for char in reason)
    plain, number = "", False
    for char in spaced:
        digit = char in "0123456789"
        plain += "" if digit and number else "0" if digit else char
        number = digit
    return plain.split()


def reason_surprisal(h: History, e: Look) -> Value:
    words = _terms(e.reason or "")
    force: Counter[str] = Counter()
    here: Counter[str] = Counter()
    for x in h.past(e):
        force.update(_terms(x.reason or ""))
        if x.context == e.context:
            here.update(_terms(x.reason or ""))
    if not words or not force:
        return None
    found = []
    for word in words:
        everybody = probability(force[word], force.total(), 1 / 5000, 50)
        found.append(bits(probability(here[word], here.total(), everybody, 50)) or 0.0)
    return sum(found) / len(found)


def reference_records(h: History, e: Look) -> Value:
    if e.case is None or e.record is None:
        return None
    under = [*h.earlier_nights(e, 30), *h.tonight(e)]
    return len({x.record for x in under if x.case == e.case} - {None})


def _norm(here: Sequence[float], everywhere: Sequence[float]) -> Value:
    """The mean of ln(1 + x), pulled toward everybody's."""
    if not everywhere:
        return None
    everybody = sum(everywhere) / len(everywhere)
    return (sum(here) + 20 * everybody) / (len(here) + 20)


def reference_reuse(h: History, e: Look) -> Value:
    records = reference_records(h, e)
    if records is None:
        return None
    most: dict[tuple[object, ...], float] = {}
    for x in h.past(e):
        found = h.once(("reference", x.id), partial(reference_records, h, x))
        if found is not None:
            key = (x.night, x.peers, x.case)
            most[key] = max(most.get(key, 0), found)
    logs = {key: math.log(1 + records) for key, records in most.items()}
    norm = _norm([value for (_, peers, _), value in logs.items() if peers == e.peers], list(logs.values()))
    return None if norm is None else (1 + records) / math.exp(norm)


# --- breadth --------------------------------------------------------------------------------------------------------


def _breadth(column: str) -> Plain:
    def doublings(h: History, e: Look) -> Value:
        if e.row[column] is None:
            return None
        same = [x for x in h.past(e) if x.row[column] is not None and x.row["system"] == e.row["system"]]
        everybody = [math.log(1 + max(x.row[column], 0)) for x in same]
        norm = _norm([log for log, x in zip(everybody, same, strict=True) if x.peers == e.peers], everybody)
        return None if norm is None else (math.log(1 + max(e.row[column], 0)) - norm) / math.log(2)

    return doublings


# --- session --------------------------------------------------------------------------------------------------------


def session_conflict(h: History, e: Look) -> Value:
    if e.operator is None or e.terminal is None:
        return None
    others = [x for x in h.so_far(e) if x.operator == e.operator and x.terminal not in (None, e.terminal)]
    return int(any(e.time - x.time <= 10 * MINUTE for x in others))


def new_terminal(h: History, e: Look) -> Value:
    if e.operator is None or e.terminal is None:
        return None
    seats = {x.terminal for x in h.past(e) if x.operator == e.operator and x.terminal is not None}
    tonight = [x.terminal for x in h.tonight(e)[:-1] if x.operator == e.operator]
    return int(e.terminal not in seats and e.terminal not in tonight) if seats else None


def onbehalf_share(h: History, e: Look) -> Value:
    if e.operator is None or e.on_behalf is None:
        return None
    looks = [x for x in h.within(e, DAY) if x.operator == e.operator and x.is_lookup]
    asked = [x.on_behalf for x in looks if x.on_behalf is not None]
    return sum(asked) / len(asked) if asked else None


def failed_24h(h: History, e: Look) -> Value:
    if e.actor is None or e.failed is None:
        return None
    return sum(bool(x.failed) for x in h.within(e, DAY) if x.actor == e.actor)


OF_THE_LOG: dict[str, Plain] = {
    "lookups_15m": _of_actor(lambda h, e: lookups(h, e, 15 * MINUTE)),
    "lookups_1h": _of_actor(lambda h, e: lookups(h, e, HOUR)),
    "lookups_24h": _of_actor(lambda h, e: lookups(h, e, DAY)),
    "rate_z": lambda h, e: _rate_z(h, e, DAY),
    "hour_rate_z": lambda h, e: _rate_z(h, e, HOUR),
    "peer_percentile": peer_percentile,
    "burst_15m": burst_15m,
    "hour_surprisal": hour_surprisal,
    "streak_days": streak_days,
    "span_hours": span_hours,
    "idle_days": idle_days,
    "record_new_to_actor": record_new_to_actor,
    "record_new_to_unit": record_new_to_unit,
    "record_new_to_force": record_new_to_force,
    "revisit_days": revisit_days,
    "repeat_days": repeat_days,
    "recheck_regularity": recheck_regularity,
    "crowd": crowd,
    "reason_missing": reason_missing,
    "reason_duplication": reason_duplication,
    "reason_surprisal": reason_surprisal,
    "reference_records": reference_records,
    "reference_reuse": reference_reuse,
    "breadth": _breadth("result_count"),
    "scope_breadth": _breadth("scope_count"),
    "export_excess": export_excess,
    "session_conflict": session_conflict,
    "new_terminal": new_terminal,
    "onbehalf_share": onbehalf_share,
    "failed_24h": failed_24h,
}
