"""What people type as their reason: templates, the habits of their unit, slips of the finger, and blanks."""

from __future__ import annotations

from typing import Final

import numpy as np

from detector.simulate.casework import CASE_TYPES
from detector.simulate.chance import Bools, Floats, Ints, Rng, happens, heavy, scramble, whole

#: The first contexts are the case types, in their order.
_CASES: Final = {
    kind: (
        f"{kind} investigation",
        f"{kind} enquiries",
        f"{kind}, suspect",
        f"{kind}, witness",
        f"{kind} - victim",
        f"re {kind}",
        f"{kind} case file",
        f"{kind} ID check",
    )
    for kind in CASE_TYPES
}
_OTHERS: Final = {
    "stop": (
        "stop check",
        "vehicle stop",
        "no insurance marker",
        "RTC driver",
        "insecure vehicle",
        "manner of driving",
        "stop and search",
        "documents",
        "seat belt",
        "traffic stop",
    ),
    "call": (
        "domestic, attending",
        "shoplifter detained",
        "concern for safety",
        "fight outside pub",
        "arrest enquiry",
        "missing person",
        "burglary in progress",
        "name check at scene",
        "noise complaint",
        "attending call",
    ),
    "custody": ("custody record", "detained person", "risk assessment", "PIC check", "bail check"),
    "anpr": ("stolen vehicle", "ANPR hit", "missing person", "hit and run", "robbery vehicle", "marker check", "BOLO"),
    "intelligence": (
        "intelligence research",
        "intel check",
        "subject profile",
        "5x5 research",
        "tasking",
        "daily brief",
    ),
    "network": ("network chart", "phone attribution", "association research", "financial links", "analysis"),
    "vetting": ("vetting", "vetting renewal", "recruitment vetting", "aftercare", "change of circumstances"),
    "collision": ("collision report", "RTC insurer request", "keeper enquiry", "collision exchange of details"),
    "disclosure": ("disclosure review", "unused material", "CPS request", "file build", "redaction"),
    "quality": ("data quality", "duplicate nominal", "merge", "address correction", "audit correction"),
    "licensing": ("certificate renewal", "licence check", "continuous monitoring", "home visit", "grant"),
    "offender": ("weekly recheck", "home visit", "licence conditions", "SHPO monitoring", "MAPPA review"),
    "witness": ("witness contact", "trial date", "special measures", "victim update"),
    "training": ("training", "log-in test", "course", "system test"),
    "press": ("press enquiry", "media appeal", "press line"),
    "headquarters": ("file request", "HR enquiry", "complaint", "insurance claim", "FOI"),
    "appeal": ("appeal review", "case review", "retrial", "CCRC request"),
    "generic": ("investigation", "enquiry", "police purposes", "intel", "check", "ongoing enq", "as requested", "misc"),
    "witness_description": ("witness description, partial plate", "description search", "partial name", "M.O. search"),
}
TEMPLATES: Final = {**_CASES, **_OTHERS}
CONTEXT: Final = {name: number for number, name in enumerate(TEMPLATES)}
_COUNTS: Final = np.array([len(texts) for texts in TEMPLATES.values()])
_STARTS: Final = np.cumsum(_COUNTS) - _COUNTS
_VARIANTS: Final = 8


def texts() -> list[str]:
    """The text of every code; code 0 is the blank."""
    return ["", *(text for templates in TEMPLATES.values() for template in templates for text in _variants(template))]


def code_of(context: str, template: int) -> int:
    """The code of a template in its plain writing."""
    return int(1 + (_STARTS[CONTEXT[context]] + template) * _VARIANTS)


def write(
    rng: Rng, context: Ints, unit: Ints, blanks: Floats, slips: Floats, day: int, *, may_be_blank: Bools | bool = True
) -> Ints:
    """A code for each look-up. A unit has a template it likes, and likes another from some day on."""
    size = len(context)
    counts = _COUNTS[context]
    since = whole(scramble(unit, 11) % np.uint64(200))  # many units change within a run, many never do
    liked = whole(scramble(unit * 64 + context + np.where(day > since, 1 << 40, 0), 13) % counts.astype(np.uint64))
    template = (liked + heavy(rng, counts, 1.8)) % counts
    style = np.array([0, 1, 1, 2])[whole(scramble(unit, 17) % np.uint64(4))]
    style = np.where(happens(rng, 0.8, size), style, whole(rng.random(size) * 3))
    slip = happens(rng, slips, size)
    variant = np.where(slip, 3 + whole(rng.random(size) * (_VARIANTS - 3)), style)
    habit = whole(scramble(unit, 19) % np.uint64(5))  # two units in five insist on a reason
    blank = happens(rng, blanks * np.array([0.0, 0.0, 0.6, 1.0, 2.5])[habit], size) & may_be_blank
    return np.where(blank, 0, 1 + (_STARTS[context] + template) * _VARIANTS + variant)


def _variants(text: str) -> tuple[str, ...]:
    """Plain, lower case, capitals, and what fingers make of it."""
    at = len(text) // 2
    swapped = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
    words = text.split()
    return (
        text,
        text.lower(),
        text.upper(),
        swapped,
        text[:at] + text[at] + text[at:],
        text[: at + 1],
        " ".join(word[:4] for word in words),
        f"{text} .",
    )
