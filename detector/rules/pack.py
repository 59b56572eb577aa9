"""Rules as they are once loaded: frozen, parsed, and known to be runnable with their full meaning."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from detector.errors import RuleError

CorrelationType = Literal[
    "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile",
    "value_median",
]  # fmt: skip
#: Types that reckon with numbers, and that an event without a number is no part of.
NUMERIC: frozenset[CorrelationType] = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
#: A bound on what is counted: operator (`gte`, `lt`, …) and number. All bounds of a condition must hold.
Bound = tuple[str, float]


@dataclass(frozen=True)
class Own:
    """The project's own keys of a rule, under `detector:`.

    `explanation` is a sentence with {count}, {records}, {days}, {first}, {last}, {who}, and {name} of any
    feature. `not_alone` rules only ever add to an alert. `reference_tables` are the tables it cannot do without.
    """

    explanation: str = ""
    risk: str = ""
    triage: str = ""
    reference_tables: tuple[str, ...] = ()
    not_alone: bool = False


@dataclass(frozen=True)
class About:
    """What a rule says of itself. `key` is unique in its pack, `rule_id` is what a reader is shown."""

    key: str
    rule_id: str
    title: str
    level: str
    file: Path
    line: int
    name: str = ""
    description: str = ""
    theme: str = "uncategorised"
    own: Own = Own()
    reported: bool = True
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """An exception to rules; `expires` is the last day on which it applies."""

    key: str
    filter_id: str
    title: str
    file: Path
    line: int
    expires: date | None = None


@dataclass(frozen=True)
class Filtered:
    """What a filter adds to a rule's condition."""

    filter: Filter
    tree: Any


@dataclass(frozen=True)
class Detection:
    """A rule on single events: its condition trees, any of which may hold, and the parts of fields they look at.

    `filters` are already in the trees; `own` are the trees without them, where there are any.
    """

    about: About
    trees: tuple[Any, ...]
    parts: Mapping[str, frozenset[Any]]
    keywords: bool
    filters: tuple[Filtered, ...] = ()
    own: tuple[Any, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.parts)


@dataclass(frozen=True)
class Base:
    """A rule that a correlation builds on: `group_by` and `values` are the fields of its events that stand for the
    correlation's own (aliases resolved). `given` are those that a base correlation groups by itself, so that its
    episodes have them; the rest are fields of the events.
    """

    key: str
    group_by: tuple[str, ...]
    values: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Together:
    """One way for a temporal condition to hold: these bases all occur (in this order, if ordered), those do not."""

    bases: tuple[int, ...]
    without: tuple[int, ...] = ()


@dataclass(frozen=True)
class Correlation:
    """A rule on several events within `timespan`.

    The condition is all of `bounds` on what is measured, or for the temporal types any of `ways`; `percentile` is
    0-100. A base may be there twice where the order matters.
    """

    about: About
    type: CorrelationType
    bases: tuple[Base, ...]
    timespan: timedelta
    group_by: tuple[str, ...]
    bounds: tuple[Bound, ...] = ()
    values: tuple[str, ...] = ()
    ways: tuple[Together, ...] = ()
    percentile: float | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The keys of the rules it builds on, each once."""
        return tuple(dict.fromkeys(base.key for base in self.bases))

    @property
    def texts(self) -> frozenset[str]:
        """Fields of events that it needs as they are written."""
        counted = () if self.type in NUMERIC else tuple(self._of_events(lambda base: base.values))
        return frozenset((*self._of_events(lambda base: base.group_by), *counted))

    @property
    def numbers(self) -> frozenset[str]:
        """Fields of events that it needs as numbers."""
        return frozenset(self._of_events(lambda base: base.values)) if self.type in NUMERIC else frozenset()

    @property
    def fields(self) -> frozenset[str]:
        return self.texts | self.numbers

    def _of_events(self, names: Callable[[Base], tuple[str, ...]]) -> Iterator[str]:
        return (name for base in self.bases for name in names(base) if name not in base.given)


@dataclass(frozen=True)
class Inactive:
    """A rule that is right, but cannot run here, and why."""

    rule_id: str
    title: str
    reason: str


@dataclass(frozen=True)
class RulePack:
    """Everything that was loaded, and what was refused and why. `notes` are for a person."""

    detections: tuple[Detection, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    refusals: tuple[RuleError, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Detection | Correlation, ...]:
        """Every rule, those included that only serve a correlation."""
        return self.detections + self.correlations

    @property
    def rules(self) -> tuple[Detection | Correlation, ...]:
        """The rules that report something: not those that only serve a correlation."""
        return tuple(rule for rule in self.all if rule.about.reported)

    @property
    def lookback(self) -> timedelta:
        """How far before a night its correlations look."""
        reach = {rule.about.key: timedelta(0) for rule in self.detections}
        for rule in in_order(self.correlations):
            reach[rule.about.key] = rule.timespan + max(reach.get(key, timedelta(0)) for key in rule.rules)
        return max(reach.values(), default=timedelta(0))

    @property
    def fields(self) -> frozenset[str]:
        """Every column or feature that any rule names."""
        return frozenset().union(*(rule.fields for rule in self.all))

    @cached_property
    def features(self) -> frozenset[str]:
        """The features among the fields that rules name."""
        from detector.rules.names import feature_names

        return self.fields & feature_names()

    def merged(self, other: RulePack) -> RulePack:
        return RulePack(
            self.detections + other.detections,
            self.correlations + other.correlations,
            self.refusals + other.refusals,
            self.notes + other.notes,
        )


def in_order(correlations: Collection[Correlation]) -> Iterator[Correlation]:
    """Every correlation after those that it builds on. They are never in a circle: such are refused."""
    waiting = {rule.about.key: rule for rule in correlations}
    while waiting:
        ready = [rule for rule in waiting.values() if not any(key in waiting for key in rule.rules)]
        for rule in ready:
            yield waiting.pop(rule.about.key)


def active_rules(
    pack: RulePack, available_columns: Collection[str], reference_tables: Collection[str]
) -> tuple[RulePack, tuple[Inactive, ...]]:
    """The rules that can run on these columns and reference tables, and those that cannot, each with the reason.

    A rule that names a feature needs the tables that the feature needs, whether it says so itself or not.
    """
    columns, tables = frozenset(available_columns), frozenset(reference_tables)
    reasons = {rule.about.key: _missing(rule, columns, tables) for rule in pack.all}
    for rule in in_order(pack.correlations):
        needed = [reasons[key] for key in rule.rules if reasons[key]]
        reasons[rule.about.key] = reasons[rule.about.key] or (needed[0] if needed else "")
    active = replace(
        pack,
        detections=tuple(rule for rule in pack.detections if not reasons[rule.about.key]),
        correlations=tuple(rule for rule in pack.correlations if not reasons[rule.about.key]),
    )
    inactive = tuple(
        Inactive(rule.about.rule_id, rule.about.title, reasons[rule.about.key])
        for rule in pack.rules
        if reasons[rule.about.key]
    )
    return active, inactive


def _missing(rule: Detection | Correlation, columns: frozenset[str], tables: frozenset[str]) -> str:
    from detector.features.catalogue import FEATURES

    by_features = {name for field in rule.fields if field in FEATURES for name in FEATURES[field].needs}
    needed = [*rule.about.own.reference_tables, *sorted(by_features - set(rule.about.own.reference_tables))]
    needed = [name for name in needed if name not in tables]
    if needed:
        return f"needs reference table {', '.join(needed)}"
    unknown = sorted(rule.fields - columns)
    return f"needs {', '.join(unknown)}" if unknown else ""
