"""Rules as they are once loaded: frozen, parsed, and known to be runnable with their full meaning."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from detector.errors import RuleError

CorrelationType = Literal["event_count", "value_count", "temporal"]
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
class Detection:
    """A rule on single events: its condition trees, any of which may hold, and the parts of fields they look at."""

    about: About
    trees: tuple[Any, ...]
    parts: Mapping[str, frozenset[Any]]
    keywords: bool

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.parts)


@dataclass(frozen=True)
class Correlation:
    """A rule on several events within `timespan`; `rules` are the keys of the detections it builds on."""

    about: About
    type: CorrelationType
    rules: tuple[str, ...]
    timespan: timedelta
    group_by: tuple[str, ...]
    bounds: tuple[Bound, ...]
    values: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.group_by) | frozenset(self.values)


@dataclass(frozen=True)
class Inactive:
    """A rule that is right, but cannot run here, and why."""

    rule_id: str
    title: str
    reason: str


@dataclass(frozen=True)
class RulePack:
    """Everything that was loaded, and what was refused and why."""

    detections: tuple[Detection, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    refusals: tuple[RuleError, ...] = ()

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
        return max((rule.timespan for rule in self.correlations), default=timedelta(0))

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
        )


def active_rules(
    pack: RulePack, available_columns: Collection[str], reference_tables: Collection[str]
) -> tuple[RulePack, tuple[Inactive, ...]]:
    """The rules that can run on these columns and reference tables, and those that cannot, each with the reason.

    A rule that names a feature needs the tables that the feature needs, whether it says so itself or not.
    """
    columns, tables = frozenset(available_columns), frozenset(reference_tables)
    reasons = {rule.about.key: _missing(rule, columns, tables) for rule in pack.all}
    for rule in pack.correlations:
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
