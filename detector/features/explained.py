"""What speaks for a look-up: the kinds of explanation, one bit each, and the words for them.

Which of them holds for an event is worked out in linked.py and kept as one number, `explained_by`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import ibis.expr.types as ir

from detector.engine import arrow


@dataclass(frozen=True)
class Explanation:
    """`sentence` is for a reviewer, about the actor; `counts` says whether it makes a look-up explained.

    What does not count is worth knowing all the same.
    """

    name: str
    sentence: str
    counts: bool = True


#: The order is that of strength: the first that holds is the best explanation. Bits are their places: append only.
KINDS: Final = (
    Explanation("case_staff", "the actor is on a case that holds this record"),
    Explanation("incident", "the actor, or the actor's unit, had an incident with this record within 48 hours"),
    Explanation("dispatch", "the actor was on an incident at the time, which names no record"),
    Explanation("hand_over", "the actor was on a case that holds this record until less than 28 days before"),
    Explanation("team_case", "a colleague of the actor's unit is on a case that holds this record"),
    Explanation("unit_case", "a case of the actor's unit holds this record"),
    Explanation("cited_case", "the actor is on the case cited, which does not list this record"),
    Explanation("cited_unit_case", "the case cited, of the actor's unit, lists no records at all"),
    Explanation("spawned", "another query fired this one by itself"),
    Explanation("requested", "it was keyed by somebody else on the actor's behalf", counts=False),
    Explanation("incident_elsewhere", "another unit had an incident with this record within 48 hours", counts=False),
)
BITS: Final = {kind.name: 1 << place for place, kind in enumerate(KINDS)}
#: An event is explained when any of these bits is set.
COUNTING: Final = sum(BITS[kind.name] for kind in KINDS if kind.counts)
#: The tables without which nothing can be called unexplained: each covers what the others leave open.
NEEDS: Final = frozenset({"case_records", "case_staff", "incidents"})


def kinds_in(explained_by: int) -> tuple[str, ...]:
    """The names of the explanations in a number, strongest first."""
    return tuple(name for name, bit in BITS.items() if explained_by & bit)


def sentences(explained_by: int | None) -> tuple[str, ...]:
    """What a reviewer reads for an event, strongest first; nothing where it is not known or nothing explains it."""
    return tuple(KINDS[place].sentence for place in range(len(KINDS)) if (explained_by or 0) & 1 << place)


@dataclass(frozen=True)
class Explained:
    """How many look-ups of a night had to be explained, how many were, and by what (one may be by several)."""

    lookups: int
    explained: int
    by: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "lookups": self.lookups,
            "explained": self.explained,
            "share": round(self.explained / self.lookups, 4) if self.lookups else None,
            "by": {name: {"lookups": n, "share": round(n / self.lookups, 4)} for name, n in self.by.items() if n},
        }


def explained_counts(con: Any, features: ir.Table) -> Explained | None:
    """Of a night's features; None where nothing could be judged, because a table is missing."""
    judged = features.filter(features.unexplained.notnull())
    holds = {name: ((judged.explained_by & bit) != 0).cast("int64").sum() for name, bit in BITS.items()}
    counted = judged.agg(lookups=judged.count(), unexplained=judged.unexplained.sum().cast("int64"), **holds)
    (row,) = arrow(con, counted).to_pylist()
    if not row["lookups"]:
        return None
    by = {name: int(row[name] or 0) for name in BITS}
    return Explained(row["lookups"], row["lookups"] - int(row["unexplained"]), by)
