"""What a rule's finding says to a reviewer: how many look-ups, of which records, when, and the numbers that made it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pandas as pd

from detector.records import Usual
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
        for base in plan.detections:
            if base.about.key in rule.rules:
                fields |= base.fields
    return tuple(sorted(fields & feature_names()))


def usual(features: Sequence[str], events: pd.DataFrame) -> tuple[Usual, ...]:
    """The strangest value of each feature among the events, with its sentence."""
    from detector.features.catalogue import FEATURES
    from detector.features.explain import sentence

    found = []
    for name in features:
        if name not in events or events[name].notna().sum() == 0:
            continue
        values = events[name].astype("float64")
        value = float(values.min() if FEATURES[name].direction == "low" else values.max())
        found.append(Usual(name, value, None, None, sentence(name, value, None, None)))
    return tuple(found)


def explanation(
    rule: Detection | Correlation, events: pd.DataFrame, everybody: pd.DataFrame, values: Sequence[Usual], *, most: int
) -> str:
    """The rule's own sentence with its numbers filled in, or one made of the title; then the features' sentences."""
    facts = {
        "count": _plural(len(events), "look-up"),
        "records": _records(events),
        "days": _plural(events["local"].dt.date.nunique(), "day"),
        "first": _moment(events["local"].iloc[0]),
        "last": _moment(events["local"].iloc[-1]),
        "who": _plural(everybody["actor_id"].nunique(), "person", "people"),
    }
    numbers = {item.feature: number(item.value) for item in values}
    template = rule.about.own.explanation
    if template:
        said = _BRACES.sub(lambda match: facts.get(match[1]) or numbers.get(match[1]) or "an unknown number", template)
    else:
        said = f"{rule.about.title}: {facts['count']} of {facts['records']}, {_when(facts)}."
    in_template = set(_BRACES.findall(template))
    said = " ".join([said, *(_sentence(item.sentence) for item in values if item.feature not in in_template)])
    if len(events) > most:
        said += f" The first {most} of {len(events)} look-ups are attached."
    return said


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def number(value: float) -> str:
    """As few digits as say it: 5, 5.3, 1,200."""
    if not math.isfinite(value):
        return "an unknown number"
    if value == round(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _records(events: pd.DataFrame) -> str:
    if "record_id" not in events:
        return "unnamed records"
    named = events["record_id"].replace("", None).dropna()
    distinct = list(dict.fromkeys(named))
    if not distinct:
        return "no particular record"
    if len(distinct) <= _MOST_RECORDS:
        return ("record " if len(distinct) == 1 else "records ") + ", ".join(map(str, distinct))
    return f"{len(distinct):,} different records"


def _moment(local: pd.Timestamp) -> str:
    return f"{local:%H:%M} on {local.day} {local:%B %Y}"


def _when(facts: dict[str, str]) -> str:
    if facts["first"] == facts["last"]:
        return f"at {facts['first']}"
    return f"between {facts['first']} and {facts['last']}"
