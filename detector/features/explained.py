"""What speaks for a look-up: the kinds of explanation, one bit each, and the words for them.

Which of them holds for an event is worked out in linked.py and kept as one number, `explained_by`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import ibis.expr.types as ir
import pyarrow as pa

from detector.engine import arrow
from detector.features.engine import bind_arrow
from detector.records import Reason


@dataclass(frozen=True)
class Explanation:
    """`sentence` is for a reviewer, about the actor, with {case} or {incident} for its name; `counts` says whether it
    makes a look-up explained.

    What does not count is worth knowing all the same.
    """

    name: str
    sentence: str
    counts: bool = True


#: The first that holds is the best explanation, roughly in the order of strength. Bits are their places: append only.
KINDS: Final = (
    Explanation("case_staff", "the actor is on case {case}, which holds this record"),
    Explanation("incident", "the actor, or the actor's unit, had incident {incident} with this record within 48 hours"),
    Explanation("dispatch", "the actor was on incident {incident} at the time, which names no record"),
    Explanation("hand_over", "the actor was on case {case}, which holds this record, until less than 28 days before"),
    Explanation("team_case", "a colleague of the actor's unit is on case {case}, which holds this record"),
    Explanation("unit_case", "case {case} of the actor's unit holds this record"),
    Explanation("cited_case", "the actor is on case {case}, which is cited but does not list this record"),
    Explanation("cited_unit_case", "case {case}, which is cited, is the actor's unit's and lists no records at all"),
    Explanation("spawned", "another query fired this one by itself"),
    Explanation("requested", "it was keyed by somebody else on the actor's behalf", counts=False),
    Explanation("incident_elsewhere", "another unit had an incident with this record within 48 hours", counts=False),
    Explanation("cited_incident", "incident {incident}, which is cited, is about this record, within 48 hours"),
    Explanation(
        "cited_own_incident",
        "the actor was on incident {incident} at the time, which is cited but does not list this record",
    ),
    Explanation(
        "colleague",
        "a colleague of the actor's unit, whom something explains, looked at this record in the 48 hours before",
    ),
)
BITS: Final = {kind.name: 1 << place for place, kind in enumerate(KINDS)}
#: An event is explained when any of these bits is set.
COUNTING: Final = sum(BITS[kind.name] for kind in KINDS if kind.counts)
#: The tables without which nothing can be called unexplained: each covers what the others leave open.
NEEDS: Final = frozenset({"case_records", "case_staff", "incidents"})


def reasons(explained_by: int | None, case: str | None = None, incident: str | None = None) -> tuple[Reason, ...]:
    """What a reviewer reads for a look-up; nothing where it is not known or nothing explains it.

    Strongest first, and of what names a case only the strongest, since `case` is the one behind that; so of incidents.
    """
    names = {"{case}": case or "(without a name)", "{incident}": incident or "(without a name)"}
    said: list[Reason] = []
    named: set[str] = set()
    for kind in KINDS:
        if not (explained_by or 0) & BITS[kind.name]:
            continue
        place = next((each for each in names if each in kind.sentence), "")
        if place not in named:
            said.append(Reason(kind.sentence.replace(place, names.get(place, "")), kind.counts))
        named |= {place} - {""}
    return tuple(said)


@dataclass(frozen=True)
class Judged:
    """`reasons`: what speaks for each of some look-ups; one that had not to be explained, or is not of this night, is
    not there. `explained` are the ids of those that something explains."""

    reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    explained: frozenset[str] = frozenset()


def judged(con: Any, features: ir.Table, event_ids: Iterable[str]) -> Judged:
    """These look-ups of a night's features. An id that two sources share has what speaks for either."""
    ids = pa.table({"event_id": pa.array(sorted(set(event_ids)), pa.string())})
    forget = bind_arrow(con, "asked_for", ids)
    told = features.filter(features.unexplained.notnull() | (features.explained_by > 0))
    wanted = told.semi_join(con.table("asked_for"), "event_id").order_by("event_id", "source_name")
    columns = ("event_id", "unexplained", "explained_by", "explained_case", "explained_incident")
    rows = arrow(con, wanted.select(*columns)).to_pylist()
    forget()
    found: dict[str, tuple[Reason, ...]] = {}
    explained = set()
    for row in rows:
        event, unexplained, *known = (row[name] for name in columns)
        found[event] = tuple(dict.fromkeys((*found.get(event, ()), *reasons(*known))))
        if unexplained == 0:
            explained.add(event)
    return Judged(found, frozenset(explained))


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
