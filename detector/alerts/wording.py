"""What an alert says: its title and its explanation, made of the findings' own sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from detector.alerts.evidence import Evidence, strongest_first

#: Sources that get a sentence of their own; the rest are counted.
MAX_SENTENCES: Final = 12
TITLE_LENGTH: Final = 200


def title(evidence: Sequence[Evidence]) -> str:
    """The strongest finding's title, and how many other signals there are."""
    leading = min(evidence, key=strongest_first)
    others = len({item.source for item in evidence}) - 1
    suffix = f" (and {others} more signal{'s' if others > 1 else ''})" if others else ""
    return leading.title[: TITLE_LENGTH - len(suffix)] + suffix


def explanation(evidence: Sequence[Evidence]) -> str:
    """The findings' sentences, strongest first; of a source that spoke on several nights the newest night's."""
    sources: dict[tuple[str, str], list[Evidence]] = {}
    for item in sorted(evidence, key=strongest_first):
        sources.setdefault(item.source, []).append(item)
    sentences: list[str] = []
    for items in list(sources.values())[:MAX_SENTENCES]:
        newest = max(item.night for item in items)
        said = [closed(item.explanation) for item in items if item.night == newest]
        sentences.extend(dict.fromkeys(said))
        earlier = len({item.night for item in items}) - 1
        if earlier:
            sentences.append(f"Also on {earlier} earlier night{'s' if earlier > 1 else ''}.")
    left = len(sources) - MAX_SENTENCES
    if left > 0:
        sentences.append(f"And {left} weaker signal{'s' if left > 1 else ''}.")
    return " ".join(sentences)


def closed(text: str) -> str:
    """The text as a sentence that another may follow."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", "\u2026")) else f"{text}."
