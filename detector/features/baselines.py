"""What is usual for an actor: volumes of earlier nights, own, of the peers and of everybody."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import total
from detector.features.plan import Plan
from detector.features.shrink import OWN_NIGHTS, PEER_ACTORS, shrunk

#: The quartiles' distance over this is a robust standard deviation (of a normal distribution: 2 * 0.6745).
IQR_PER_SIGMA = 1.349
#: Spread (of ln(1 + look-ups)) below which a night's volume is never called steady: counts of a few are noisy.
LEAST_SPREAD = 0.25
MEASURES = ("median_24h", "spread_24h", "median_1h", "spread_1h", "burst", "exports")


def actor_baselines(plan: Plan, days: ir.Table) -> ir.Table:
    """One row per actor seen within `days` (actor_days of earlier nights).

    Own measures `own_*` over the nights on which the actor was active, the state in which the last of them left the
    actor, and how many nights that were.
    """
    own = days.group_by("actor").agg(
        own_nights=days.count(),
        own_peer=days.peer.argmin(days.age),
        **{f"own_{name}": value for name, value in _measures(days).items()},
        **{name: days[name].max() for name in ("last_us", "block_start_us", "last_day", "streak_start")},
    )
    return plan.keep("actors", own)


def usual_volumes(actors: ir.Table, people: ir.Table) -> ir.Table:
    """The shrunk measures of each of `people` (actor, peer): `usual_*`, one row each.

    The peers' value is the median over the peers' own values. NULL where there is no history at all.
    """
    peers = actors.group_by(peer="own_peer").agg(
        peer_actors=actors.count(), **{f"peer_{name}": actors[f"own_{name}"].median() for name in MEASURES}
    )
    everybody = actors.agg(**{f"all_{name}": actors[f"own_{name}"].median() for name in MEASURES})
    joined = people.left_join(actors.drop("own_peer"), "actor").drop("actor_right")
    joined = joined.left_join(peers, "peer").drop("peer_right").cross_join(everybody)
    usual = {}
    for name in MEASURES:
        toward = shrunk(joined[f"peer_{name}"], joined.peer_actors, joined[f"all_{name}"], PEER_ACTORS)
        usual[f"usual_{name}"] = shrunk(joined[f"own_{name}"], joined.own_nights, toward, OWN_NIGHTS)
    return joined.select("actor", "peer", "own_nights", **usual)


def peer_ranks(plan: Plan, days: ir.Table, values: ir.Table) -> ir.Table:
    """For each (peer, lookups) of `values`: the share of earlier actor-nights whose busiest 24 hours had fewer.

    Ties count half. The peers' share is shrunk toward everybody's (`rank`, 0-1); NULL without any history.
    """
    everybody = ibis.literal(0, "int64")
    counts = days.group_by("peer", value=days.peak_24h.cast("int64")).agg(n=days.count())
    asked = values.select("peer", value=values.lookups.cast("int64"), n=ibis.literal(0, "int64")).distinct()
    both = counts.union(asked)
    both = both.union(both.mutate(peer=everybody)).group_by("peer", "value").agg(n=lambda t: total(t.n))
    window = ibis.window(preceding=None, following=0, group_by=both.peer, order_by=both.value)
    ranked = both.select(
        "peer",
        "value",
        below=total(both.n, over=window) - both.n / 2,
        nights=total(both.n, over=ibis.window(group_by=both.peer)),
    )
    ranked = plan.keep("ranked", ranked)
    peers = ranked.filter(ranked.peer != everybody)
    all_ = ranked.filter(ranked.peer == everybody).select("value", all_below="below", all_nights="nights")
    joined = peers.inner_join(all_, "value")
    prior = joined.all_below / joined.all_nights.nullif(0)
    own = joined.below / joined.nights.nullif(0)
    return joined.select("peer", lookups="value", rank=shrunk(own, joined.nights, prior, OWN_NIGHTS * PEER_ACTORS))


def _measures(days: ir.Table) -> dict[str, ir.Value]:
    day, hour = (days.peak_24h + 1).ln(), (days.peak_1h + 1).ln()
    return {
        "median_24h": day.quantile(0.5),
        "spread_24h": (day.quantile(0.75) - day.quantile(0.25)) / IQR_PER_SIGMA,
        "median_1h": hour.quantile(0.5),
        "spread_1h": (hour.quantile(0.75) - hour.quantile(0.25)) / IQR_PER_SIGMA,
        "burst": days.peak_15m.cast("float64").quantile(0.99),
        "exports": days.exported.mean(),
    }
