"""What speaks for the look-ups of an alert, and for how many of them nothing does, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from detector.records import Finding, Reason

#: Reasons that are told; the others are counted.
MAX_REASONS: Final = 4
#: Look-up -> what speaks for it; nothing at all is a word against it. One that is not judged is not there.
Reasons = Mapping[str, tuple[Reason, ...]]


def with_reasons(findings: Iterable[Finding], known: Reasons) -> list[Finding]:
    """The findings with what speaks for each of their events."""
    return [
        replace(item, reasons=tuple(known.get(event) for event in item.event_ids))
        if any(event in known for event in item.event_ids)
        else item
        for item in findings
    ]


def speaks_for(known: Reasons) -> tuple[str, ...]:
    """Sentences: what explains so many of the look-ups, what else is known of them, what nothing explains.

    Each reason with its number of look-ups, those of most look-ups first. Empty where none was judged.
    """
    if not known:
        return ()
    held: dict[Reason, int] = {}
    for reasons in known.values():
        for reason in reasons:
            held[reason] = held.get(reason, 0) + 1
    ordered = sorted(held, key=lambda reason: (-held[reason], reason.sentence))
    explaining = [_told(reason, held[reason], len(known)) for reason in ordered if reason.counts]
    beside = [_told(reason, held[reason], len(known)) for reason in ordered if not reason.counts]
    explained = sum(any(reason.counts for reason in reasons) for reasons in known.values())
    said = []
    if explaining:
        said.append(f"For the access: {_listed(explaining)}.")
    if beside:
        said.append(f"Known, but no explanation by itself: {_listed(beside)}.")
    if explained < len(known):
        said.append(_against(len(known) - explained, len(known)))
    return tuple(said)


def _told(reason: Reason, number: int, all_: int) -> str:
    if all_ == 1:
        return reason.sentence
    which = f"all {all_:,} look-ups" if number == all_ else f"{number:,} of {all_:,} look-ups"
    return f"{reason.sentence} ({which})"


def _listed(told: list[str]) -> str:
    left = len(told) - MAX_REASONS
    return "; ".join([*told[:MAX_REASONS], *([f"and {left} more"] if left > 0 else [])])


def _against(open_: int, all_: int) -> str:
    what = "no case, incident or hand-over that is known explains"
    if all_ == 1:
        return f"Against it: {what} the look-up."
    return f"Against it: {what} {'any' if open_ == all_ else f'{open_:,}'} of the {all_:,} look-ups."
