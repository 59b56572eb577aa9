"""What a feature's value means to a reviewer: beside what is usual for this actor, and for the actor's peers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import ibis.expr.types as ir
import pandas as pd
from ibis.backends.duckdb import Backend

from detector.engine import arrow
from detector.features.catalogue import FEATURES

#: (this actor, the peers); None = not known.
OwnAndPeers = tuple[float | None, float | None]
_GROUP = ("organisation", "unit", "role")


def usual_values(
    con: Backend, actor_features: ir.Table, actor_ids: Sequence[str]
) -> Mapping[str, Mapping[str, OwnAndPeers]]:
    """Actor -> feature -> what was usual before, for the actor and for the others of the actor's unit and role.

    `actor_features` is the profile table of the nights before: medians of each actor and night. Usual is the median
    of those: over the actor's nights, and over all nights of all peers. An actor who was not seen before is
    left out.
    """
    if not actor_ids:
        return {}
    names = list(FEATURES)
    group = {name: actor_features[name].fill_null("") for name in _GROUP}
    keyed = actor_features.select(
        "night", "actor_id", *names, **{f"group_{name}": value for name, value in group.items()}
    )
    wanted = keyed.filter(keyed.actor_id.isin(list(actor_ids)))
    groups = [f"group_{name}" for name in _GROUP]
    peers = keyed.semi_join(wanted.select(groups).distinct(), groups)
    rows = arrow(con, peers).to_pandas()
    found: dict[str, Mapping[str, OwnAndPeers]] = {}
    medians = dict(list(rows.groupby(groups, sort=False)))
    for actor, own in rows[rows["actor_id"].isin(set(actor_ids))].groupby("actor_id", sort=True):
        latest = own.loc[own["night"].idxmax(), groups]
        others = medians[tuple(latest)]
        others = others[others["actor_id"] != actor]
        found[str(actor)] = {
            name: (_known(own[name].median()), _known(others[name].median() if len(others) else math.nan))
            for name in names
        }
    return found


def sentence(feature: str, value: float, own: float | None, peers: float | None) -> str:
    """The feature's sentence with the numbers filled in; what is not known is said to be."""
    template = FEATURES[feature].sentence
    if own is None and peers is None:
        template = template.partition(";")[0]
    own_words, peer_words = (in_words(feature, usual) for usual in (own, peers))
    return template.format(value=in_words(feature, value), own=own_words, peers=peer_words)


def in_words(feature: str, value: float | None) -> str:
    """A value as a reviewer would say it: 3 doublings are "8 times", 10 bits "one in 1,000", a share of 0.5 "50 %"."""
    if value is None or not math.isfinite(value):
        return "unknown"
    unit = FEATURES[feature].unit
    if unit == "doublings":
        return f"{_round(2.0 ** min(value, 60))} times"
    if unit == "bits":
        return f"one in {_round(2.0 ** min(max(value, 0.0), 60))}"
    if unit == "share":
        return f"{round(100 * value)} %"
    return _number(value)


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)


def _number(value: float) -> str:
    """As few digits as say it: 5, 5.3, 1,200."""
    if abs(value - round(value)) < 0.005 or abs(value) >= 100:
        return f"{round(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2g}"


def _round(value: float) -> str:
    """Two digits that count, the rest zeros; more would promise too much."""
    digits = max(len(str(int(abs(value)))) - 2, 0)
    return f"{round(value / 10**digits) * 10**digits:,}" if digits else _number(value)
