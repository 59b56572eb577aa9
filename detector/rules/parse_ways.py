"""Temporal conditions in words (`a and b and not c`) as the ways in which they can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError

from detector.rules.document import Document
from detector.rules.names import nearest
from detector.rules.pack import Together

_AT = ("correlation", "condition")
#: Every way costs expressions; a condition with more of them wants to be several rules.
MOST_WAYS = 64

_Way = tuple[frozenset[str], frozenset[str]]


def all_of(rules: int) -> tuple[Together, ...]:
    """All rules must occur."""
    return (Together(tuple(range(rules))),)


def names_of(condition: str) -> list[str]:
    """The rules named, in order of appearance; none if it cannot be read."""
    try:
        return SigmaExtendedCorrelationCondition(condition).get_referenced_rules()
    except (SigmaError, RecursionError):
        return []


def parse_ways(document: Document, condition: str, rules: Sequence[str], *, ordered: bool) -> tuple[Together, ...]:
    """Raises RuleError for a condition that cannot be read, names other rules than `rules`, or can never hold."""
    try:
        tree = SigmaExtendedCorrelationCondition(condition).parsed
    except (SigmaError, RecursionError):
        raise document.error(
            f"the condition {condition!r} cannot be read",
            *_AT,
            hint="Names of rules (letters, digits and _) with `and`, `or`, `not` and brackets.",
        ) from None
    _same_names(document, names_of(condition), rules)
    ways = _ways(document, tree, negated=False)
    possible = [(all_, none) for all_, none in ways if not all_ & none]
    # a window ends at an event of one of the rules: not all of them can be missing
    if not any(all_ or len(none) < len(set(rules)) for all_, none in possible):
        raise document.error(
            "no window meets this condition: each ends with an event of one of the rules",
            *_AT,
            hint="Mostly an `and` that should be an `or`, or a `not` too many.",
        )
    places = {name: [index for index, rule in enumerate(rules) if rule == name] for name in rules}
    found = [
        Together(
            tuple(sorted(index for name in all_ for index in places[name][: None if ordered else 1])),
            tuple(sorted(places[name][0] for name in none)),
        )
        for all_, none in possible
    ]
    return tuple(dict.fromkeys(found))


def _same_names(document: Document, named: Sequence[str], rules: Sequence[str]) -> None:
    for name in named:
        if name not in rules:
            raise document.error(f"the condition names {name!r}, `rules` does not", *_AT, hint=nearest(name, rules))
    for name in rules:
        if name not in named:
            raise document.error(
                f"the condition does not name {name!r}", *_AT, hint="Name every one of `rules`, or take it out there."
            )


def _ways(document: Document, node: Any, *, negated: bool) -> list[_Way]:
    """Alternatives of (all of these, none of those)."""
    if isinstance(node, SigmaRuleReference):
        name = frozenset({node.reference})
        return [(frozenset(), name) if negated else (name, frozenset())]
    if isinstance(node, CorrelationConditionNOT):
        return _ways(document, node.args[0], negated=not negated)
    parts = [_ways(document, arg, negated=negated) for arg in node.args]
    either = isinstance(node, CorrelationConditionAND if negated else CorrelationConditionOR)
    found: dict[_Way, None] = {}
    if either:
        found = dict.fromkeys(way for part in parts for way in part)
    else:
        found = {(frozenset(), frozenset()): None}
        for part in parts:
            found = dict.fromkeys((all_ | more, none | other) for all_, none in found for more, other in part)
            _few(document, len(found))
    _few(document, len(found))
    return list(found)


def _few(document: Document, ways: int) -> None:
    if ways > MOST_WAYS:
        raise document.error(
            f"the condition can hold in more than {MOST_WAYS} ways", *_AT, hint="Split it into several rules."
        )
