"""What a rule's finding says to a reviewer: how many look-ups, of which records, when, and the numbers that made it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from detector.records import Usual
from detector.rules.evidence import Evidence
from detector.rules.names import feature_names
from detector.rules.pack import Correlation, Detection
from detector.rules.run import Plan

_BRACES = re.compile(r"\{([^{}]*)\}")
#: Records named in a sentence; more are counted.
_MOST_RECORDS = 3


def named_features(rule: Detection | Correlation, plan: Plan) -> tuple[str, ...]:
    """The features that a rule, or the rules it builds on, compare or its explanation names; sorted."""
    fields = set(rule.fields) | set(_BRACES.findall(rule.about.own.explanation))
    if isinstance(rule, Correlation):
        fields |= {name for base in plan.below(rule) for name in base.fields}
    return tuple(sorted(fields & feature_names()))


def usual(
    features: Sequence[str], events: Evidence, known: Mapping[str, tuple[float | None, float | None]]
) -> tuple[Usual, ...]:
    """The strangest value of each feature among the events, with its sentence; a flag that is down says nothing.

    `known`: feature -> what is usual for the actor and for the peers.
    """
    from detector.features.catalogue import FEATURES
    from detector.features.explain import sentence

    found = []
    for name in features:
        values = [float(value) for value in events.column(name) if value is not None] if name in events else []
        if not values:
            continue
        value = min(values) if FEATURES[name].direction == "low" else max(values)
        if FEATURES[name].unit == "0 or 1" and value == 0:
            continue  # its sentence says what it is, and would be untrue
        own, peers = known.get(name, (None, None))
        found.append(Usual(name, value, own, peers, sentence(name, value, own, peers)))
    return tuple(found)


def explanation(
    rule: Detection | Correlation, events: Evidence, everybody: Evidence, values: Sequence[Usual], *, most: int
) -> str:
    """The rule's own sentence with its numbers filled in, or one made of the title; then the features' sentences."""
    facts = {
        "count": _plural(len(events), "look-up"),
        "records": _records(events),
        "days": _plural(len({events.local(index).date() for index in range(len(events))}), "day"),
        "first": _moment(events.local(0)),
        "last": _moment(events.local(-1)),
        "who": _plural(len(set(everybody.column("actor_id"))), "person", "people"),
    }
    from detector.features.explain import in_words, usual_in_words

    numbers = {item.feature: in_words(item.feature, item.value) for item in values}
    template = rule.about.own.explanation
    if template:
        said = _BRACES.sub(lambda match: facts.get(match[1]) or numbers.get(match[1]) or "an unknown number", template)
    else:
        said = f"{rule.about.title}: {facts['count']} of {facts['records']}, {_when(facts)}."
    in_template = set(_BRACES.findall(template))
    told = [item for item in values if item.feature in in_template]
    # Of one number it is clear what the usual ones are of; of several each is told again, with its own.
    beside = [usual_in_words(item.feature, item.own, item.peers) for item in told]
    if len(told) > 1:
        beside = [_sentence(item.sentence) for item, words in zip(told, beside, strict=True) if words]
    rest = (_sentence(item.sentence) for item in values if item.feature not in in_template)
    said = " ".join(filter(None, [said, *beside, *rest]))
    if len(events) > most:
        earlier = not events.matches.in_night[events.positions].all()
        which = f"{most} of {len(events)} look-ups are attached"
        said += f" {which}, this night's before earlier ones." if earlier else f" The first {which}."
    return said


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _records(events: Evidence) -> str:
    if "record_id" not in events:
        return "unnamed records"
    distinct = list(dict.fromkeys(record for record in events.column("record_id") if record))
    if not distinct:
        return "no particular record"
    if len(distinct) <= _MOST_RECORDS:
        return ("record " if len(distinct) == 1 else "records ") + ", ".join(map(str, distinct))
    return f"{len(distinct):,} different records"


def _moment(local: datetime) -> str:
    return f"{local:%H:%M} on {local.day} {local:%B %Y}"


def _when(facts: dict[str, str]) -> str:
    if facts["first"] == facts["last"]:
        return f"at {facts['first']}"
    return f"between {facts['first']} and {facts['last']}"
