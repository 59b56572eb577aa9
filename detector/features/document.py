"""The catalogue as it stands in docs/features.md."""

from __future__ import annotations

from detector.features.catalogue import FEATURES
from detector.features.feature import Feature

_STRANGE = {"high": "high values", "low": "low values", "both": "high and low values"}


def catalogue_page() -> str:
    """Markdown: one table a family, in the order of the catalogue."""
    families: dict[str, list[Feature]] = {}
    for feature in FEATURES.values():
        families.setdefault(feature.family, []).append(feature)
    return "\n\n".join(_family(name, members) for name, members in families.items())


def _family(name: str, members: list[Feature]) -> str:
    columns = "| feature | unit | definition | strange | reads | model |\n|---|---|---|---|---|---|"
    return "\n".join([f"### {name.capitalize()}\n\n{columns}", *(_row(feature) for feature in members)])


def _row(feature: Feature) -> str:
    reads = ", ".join(f"`{name}`" for name in (*feature.columns, *sorted(feature.needs))) or "-"
    definition = feature.definition.replace("|", "\\|")
    cells = (
        f"`{feature.name}`",
        feature.unit,
        definition,
        _STRANGE[feature.direction],
        reads,
        "yes" if feature.model else "no",
    )
    return f"| {' | '.join(cells)} |"
