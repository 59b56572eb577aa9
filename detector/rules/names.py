"""The names a rule of the project may use, and the nearest known one to a name that is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from detector.schema import EVENT_SCHEMA


def feature_names() -> frozenset[str]:
    """The features of the catalogue."""
    from detector.features.catalogue import FEATURES

    return frozenset(FEATURES)


def known_fields() -> frozenset[str]:
    """Columns of an event and features of the catalogue."""
    return frozenset(EVENT_SCHEMA.names) | feature_names()


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean x?`, or the first few known names where none is near."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known here: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}."
