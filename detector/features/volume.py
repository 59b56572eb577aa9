"""How many look-ups, against the actor's own nights and the peers'."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.baselines import LEAST_SPREAD
from detector.features.feature import Feature


def lookups_15m(t: ir.Table) -> ir.Value:
    return _of_actor(t, t.lookups_15m)


def lookups_1h(t: ir.Table) -> ir.Value:
    return _of_actor(t, t.lookups_1h)


def lookups_24h(t: ir.Table) -> ir.Value:
    return _of_actor(t, t.lookups_24h)


def rate_z(t: ir.Table) -> ir.Value:
    """Robust z: (ln(1 + x) - median) / spread over the nights' busiest 24 hours.

    Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers, with the quartiles' distance / 1.349 as spread,
    both shrunk (shrink.shrunk). The logarithm makes twice as many as usual equally strange for the busy and the idle.
    """
    return _z(t, t.lookups_24h, t.usual_median_24h, t.usual_spread_24h)


def hour_rate_z(t: ir.Table) -> ir.Value:
    """As rate_z, over the nights' busiest hours."""
    return _z(t, t.lookups_1h, t.usual_median_1h, t.usual_spread_1h)


def peer_percentile(t: ir.Table) -> ir.Value:
    return _of_actor(t, 100 * t["rank"])


def burst_15m(t: ir.Table) -> ir.Value:
    """Ratio to the 99th percentile of the nights' busiest quarters of an hour, shrunk; at least one look-up."""
    # Not greatest(usual, 1): that would make 1 of NULL.
    return _of_actor(t, t.lookups_15m / (t.usual_burst < 1).ifelse(1.0, t.usual_burst))


def _of_actor(t: ir.Table, value: ir.Value) -> ir.Value:
    return t.actor.notnull().ifelse(value, None)


def _z(t: ir.Table, count: ir.Value, median: ir.Value, spread: ir.Value) -> ir.Value:
    return _of_actor(t, ((count + 1).ln() - median) / ibis.greatest(spread, ibis.literal(LEAST_SPREAD)))


FEATURES = (
    Feature(
        "lookups_15m",
        "volume",
        "look-ups",
        "look-ups by the actor in the 15 minutes up to and including this one",
        "{value} look-ups in 15 minutes; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        lookups_15m,
    ),
    Feature(
        "lookups_1h",
        "volume",
        "look-ups",
        "look-ups by the actor in the hour up to and including this one; a chain of automatic queries counts once",
        "{value} look-ups in one hour; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        lookups_1h,
    ),
    Feature(
        "lookups_24h",
        "volume",
        "look-ups",
        "look-ups by the actor in the 24 hours up to and including this one",
        "{value} look-ups in 24 hours; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        lookups_24h,
    ),
    Feature(
        "rate_z",
        "volume",
        "standard deviations",
        "look-ups in 24 hours against the busiest 24 hours of each of the actor's own nights: robust z of ln(1 + x), "
        "median and spread shrunk toward the peers' and everybody's",
        "look-ups in 24 hours {value} standard deviations above the usual peak; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "volumes",
        rate_z,
    ),
    Feature(
        "hour_rate_z",
        "volume",
        "standard deviations",
        "as rate_z, for one hour against the busiest hour of each of the actor's own nights",
        "look-ups in one hour {value} standard deviations above the usual peak; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "volumes",
        hour_rate_z,
    ),
    Feature(
        "peer_percentile",
        "volume",
        "percent",
        "share of the peers' earlier actor-nights (role and unit) whose busiest 24 hours had fewer look-ups, ties "
        "half, shrunk toward everybody's share",
        "more look-ups in 24 hours than on {value} % of peers' nights; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        peer_percentile,
    ),
    Feature(
        "burst_15m",
        "volume",
        "times",
        "look-ups in 15 minutes over the 99th percentile of the busiest 15 minutes of the actor's own nights, shrunk",
        "look-ups in 15 minutes {value} times the actor's own peak; usual for this actor {own}, for peers {peers}",
        "high",
        "volumes",
        burst_15m,
    ),
)
