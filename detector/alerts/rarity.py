"""How often each rule (or the forest) speaks of an actor's peers: what a finding's weight is measured against.

Counted in nights on which an actor was active, this night and up to WINDOW nights before, without the actor's own:
somebody who goes on with something does not thereby make it usual. The rate in the unit and role is shrunk toward that
of the role, that toward the force's, and that toward the level's assumed rate (worth.ASSUMED_RATE), each the mean of a
beta prior on top of the other. A prior weighs as much as a number of nights, and at least as much as one finding: that
none of 300 constables' nights had what one in 2,000 of the force's has says nothing of constables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from detector.alerts.worth import ASSUMED_RATE
from detector.features.engine import ProfileFiles, stored_rows
from detector.features.plan import Plan, Step, bound, filled
from detector.records import Finding

#: Nights counted: four weeks have all shifts and week-days, and forget what has changed.
WINDOW: Final = 28
#: Actor-nights that weigh as much as the prior: the level's, the force's and the role's.
PRIOR_NIGHTS, FORCE_NIGHTS, ROLE_NIGHTS = 200, 50, 30
#: A rate is never taken to be lower: of an actor a century of nights, of a unit of 300 a third of a year.
LEAST_RATE: Final = 1e-5

#: Rule (or the forest), level and actor. The forest's findings of one level are counted apart from those of another.
Speaker = tuple[str, str, str]

_PLAN: Final = "rarity"
_SAID: Final = pa.schema(
    [pa.field("night", pa.date32()), *(pa.field(name, pa.string()) for name in ("rule_id", "level", "actor_id"))]
)
_PLACE: Final = ("organisation", "unit", "role")
_SEEN: Final = pa.schema(
    [pa.field("night", pa.date32()), *(pa.field(name, pa.string()) for name in ("actor_id", *_PLACE))]
)
#: With a column more than is read, so that the others are named in the query: the files have many more.
_AGE: Final = pa.field("age", pa.int32())
_SCHEMAS: Final = {
    "said": _SAID.append(_AGE), "seen": _SEEN.append(_AGE), "said_tonight": _SAID, "seen_tonight": _SEEN
}  # fmt: skip


@dataclass(frozen=True)
class Earlier:
    """The lake's files of the nights before: of findings, and of the profile table with a row an actor and night."""

    findings: Sequence[Path]
    actors: Sequence[Path]


@dataclass(frozen=True)
class Rate:
    """Of the peers' nights the share on which the same is said; `nights` of the force's were counted for it."""

    share: float
    nights: int

    @property
    def is_counted(self) -> bool:
        """Whether it says more about this force than about what was assumed."""
        return self.nights >= PRIOR_NIGHTS


def speaker(finding: Finding) -> Speaker:
    return (finding.rule_id, finding.level, finding.actor_id)


def rates(
    con: Any, night: date, findings: Sequence[Finding], actors: pa.Table, earlier: Earlier
) -> Mapping[Speaker, Rate]:
    """For each who speaks tonight of whom, how often the same is said of the actor's peers.

    `actors` are tonight's rows of the table that `earlier.actors` are files of: night, actor_id and the place of
    work; who has no row, as a masked actor, is compared with the force.
    """
    said = sorted({(finding.night, *speaker(finding)) for finding in findings})
    if not said:
        return {}
    columns = zip(*said, strict=True)
    tables: dict[str, pa.Table | ProfileFiles] = {
        "said_tonight": pa.table([pa.array(column) for column in columns], schema=_SAID),
        "seen_tonight": actors.select(_SEEN.names).cast(_SEEN),
        "said": _files(earlier.findings, night, "said"),
        "seen": _files(earlier.actors, night, "seen"),
    }
    with bound(con, _PLAN, tables, _SCHEMAS), filled(con, _steps(con.name)):
        rows = stored_rows(con, f"{_PLAN}_rates").to_pylist()
    return {
        (row["rule_id"], row["level"], row["actor_id"]): Rate(max(row["share"], LEAST_RATE), row["nights"])
        for row in rows
    }


def _files(paths: Sequence[Path], night: date, name: str) -> pa.Table | ProfileFiles:
    return ProfileFiles(tuple(paths), night, WINDOW) if paths else _SCHEMAS[name].empty_table()


@lru_cache(maxsize=4)
def _steps(engine: str) -> tuple[Step, ...]:
    plan = Plan(_PLAN, engine)
    source = {name: plan.source(name, schema) for name, schema in _SCHEMAS.items()}
    seen = _both(source, "seen", _SEEN).distinct(on=["night", "actor_id"])
    seen = plan.keep("nights", seen.mutate(**{name: seen[name].fill_null("") for name in _PLACE}))
    said = _both(source, "said", _SAID).distinct()
    said = said.left_join(seen, ["night", "actor_id"]).drop("night_right", "actor_id_right")
    said = plan.keep("said_in_place", said.mutate(**{name: said[name].fill_null("") for name in _PLACE}))

    tonight = source["said_tonight"]
    asked = tonight.left_join(source["seen_tonight"], "actor_id").drop("actor_id_right", "night_right")
    asked = asked.mutate(**{name: asked[name].fill_null("") for name in _PLACE})
    counted = asked.select("rule_id", "level", "actor_id", *_PLACE)
    groups: Mapping[str, tuple[str, ...]] = {
        "force": (),
        "role": ("organisation", "role"),
        "unit": _PLACE,
        "own": ("actor_id",),
    }
    for name, keys in groups.items():
        counted = _with(counted, _counts(said, ("rule_id", "level", *keys), f"{name}_n"))
        counted = _with(counted, _counts(seen, keys, f"{name}_nights"))
    t = plan.keep("counted", counted)
    steps = (("force", PRIOR_NIGHTS), ("role", FORCE_NIGHTS), ("unit", ROLE_NIGHTS))
    assumed = t.level.cases(*ASSUMED_RATE.items(), else_=max(ASSUMED_RATE.values()))
    share = reduce(lambda prior, step: _shrunk(t, step[0], prior, step[1]), steps, assumed)
    nights = t.force_nights - t.own_nights
    found = t.select("rule_id", "level", "actor_id", share=share, nights=nights)
    plan.keep("rates", found.order_by("rule_id", "level", "actor_id"))
    return plan.steps()


def _both(source: Mapping[str, ir.Table], name: str, schema: pa.Schema) -> ir.Table:
    return source[name].select(schema.names).union(source[f"{name}_tonight"].select(schema.names))


def _counts(table: ir.Table, keys: Sequence[str], name: str) -> ir.Table:
    return table.group_by(list(keys)).agg(**{name: table.count()}) if keys else table.agg(**{name: table.count()})


def _with(table: ir.Table, counts: ir.Table) -> ir.Table:
    """`counts` beside the rows that they count for; 0 where there are none."""
    *keys, value = counts.columns
    joined = table.left_join(counts, keys) if keys else table.cross_join(counts)
    joined = joined.drop(*(f"{key}_right" for key in keys))
    return joined.mutate(**{value: joined[value].fill_null(0)})


def _shrunk(t: ir.Table, group: str, prior: ir.Value, nights: int) -> ir.Value:
    """The rate among the others of a group, whose prior weighs `nights` or one finding, whichever is more; who changed
    groups is taken from the newest one, down to nothing."""
    zero = ibis.literal(0, "int64")
    n = ibis.greatest(t[f"{group}_n"] - t.own_n, zero)
    of = ibis.greatest(t[f"{group}_nights"] - t.own_nights, zero)
    weight = ibis.greatest(ibis.literal(float(nights)), 1.0 / prior)
    return (n + weight * prior) / (ibis.greatest(of, n) + weight)
