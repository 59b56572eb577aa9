"""How much was asked for, and how much was taken away."""

from __future__ import annotations

import math

import ibis.expr.types as ir

from detector.features.feature import Feature


def breadth(t: ir.Table) -> ir.Value:
    """log2 of (1 + result_count) over the peers' geometric mean of it in this system; see norms.py."""
    return _log_ratio(t.result_count, t.usual_results)


def scope_breadth(t: ir.Table) -> ir.Value:
    """The same of scope_count: networks, cameras or databases searched."""
    return _log_ratio(t.scope_count, t.usual_scope)


def export_excess(t: ir.Table) -> ir.Value:
    """log2 of (1 + items exported in 24 h) over (1 + the mean of the actor's nights, shrunk)."""
    excess = ((1 + t.exported_24h) / (1 + t.usual_exports)).log2()
    return t.actor.notnull().ifelse(excess, None)


def _log_ratio(count: ir.Value, usual: ir.Value) -> ir.Value:
    # Not greatest(count, 0): that would make 0 of NULL.
    return (((count < 0).ifelse(0, count) + 1).ln() - usual) / math.log(2)


FEATURES = (
    Feature(
        "breadth",
        "breadth",
        "doublings",
        "how many doublings the number of records returned lies above the usual one of the peers in this system",
        "{value} the records that peers usually get here; usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        breadth,
        ("result_count",),
    ),
    Feature(
        "scope_breadth",
        "breadth",
        "doublings",
        "how many doublings the number of networks, cameras or databases searched lies above the peers' usual one",
        "a search over {value} the usual scope of peers here; usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        scope_breadth,
        ("scope_count",),
    ),
    Feature(
        "export_excess",
        "breadth",
        "doublings",
        "how many doublings the items printed, exported or disclosed in 24 hours lie above the actor's nightly mean, "
        "shrunk to the peers'",
        "{value} the usual number of items printed or exported in 24 hours; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "volumes",
        export_excess,
    ),
)
