"""All features, by name. To add one: docs/adding-a-feature.md."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from detector.features import (
    breadth,
    cases,
    duty,
    novelty,
    purpose,
    relationship,
    repetition,
    session,
    subject,
    timing,
    volume,
)
from detector.features.feature import Direction, Feature

__all__ = ["FEATURES", "MODEL_FEATURES", "Direction", "Feature", "computable"]

_FAMILIES = (volume, timing, novelty, repetition, purpose, breadth, session, relationship, cases, subject, duty)

#: Every feature, in the order of the columns.
FEATURES: Mapping[str, Feature] = MappingProxyType(
    {feature.name: feature for family in _FAMILIES for feature in family.FEATURES}
)

#: Those that the forest sees.
MODEL_FEATURES: Mapping[str, Feature] = MappingProxyType({n: f for n, f in FEATURES.items() if f.model})


def computable(reference_tables: Collection[str]) -> Mapping[str, Feature]:
    """The features that can be worked out with these reference tables; the others are NULL throughout."""
    there = frozenset(reference_tables)
    return {name: feature for name, feature in FEATURES.items() if feature.needs <= there}
