"""Shrinkage: what little is known of one actor is pulled toward the actor's peers, and they toward everybody."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

#: Nights of own history at which own and peers weigh the same.
OWN_NIGHTS = 10
#: Members of a peer group at which the group and everybody weigh the same.
PEER_ACTORS = 5


def shrunk(own: ir.Value, weight: ir.Value, toward: ir.Value, strength: float) -> ir.FloatingValue:
    """(weight * own + strength * toward) / (weight + strength); `toward` alone without own, own alone without it.

    Efron & Morris (1975), Data analysis using Stein's estimator, JASA 70: the linear empirical-Bayes estimator, with
    the ratio of the variance within to that between actors fixed at `strength` instead of estimated each night.
    """
    n = weight.fill_null(0).cast("float64")
    both = (n * own + strength * toward) / (n + strength)
    return ibis.coalesce(both, own.cast("float64"), toward.cast("float64"))


def probability(count: ir.Value, total: ir.Value, prior: ir.Value, strength: float) -> ir.FloatingValue:
    """(count + strength * prior) / (total + strength): the mean of a Dirichlet with that prior.

    MacKay & Peto (1995), A hierarchical Dirichlet language model, Natural Language Engineering 1.
    """
    return (count.fill_null(0) + strength * prior) / (total.fill_null(0) + strength)


def bits(share: ir.FloatingValue) -> ir.FloatingValue:
    """Surprisal in bits: -log2 P (Shannon 1948)."""
    return -share.log2()
