"""All features, by name. To add one: docs/adding-a-feature.md."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from detector.features import breadth, novelty, purpose, repetition, session, timing, volume
from detector.features.feature import Direction, Feature

__all__ = ["FEATURES", "MODEL_FEATURES", "Direction", "Feature"]

_FAMILIES = (volume, timing, novelty, repetition, purpose, breadth, session)

#: Every feature, in the order of the columns.
FEATURES: Mapping[str, Feature] = MappingProxyType(
    {feature.name: feature for family in _FAMILIES for feature in family.FEATURES}
)

#: Those that the forest sees.
MODEL_FEATURES: Mapping[str, Feature] = MappingProxyType({n: f for n, f in FEATURES.items() if f.model})
