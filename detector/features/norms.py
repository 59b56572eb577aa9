"""How broad a query is where the actor works: means of ln(1 + x) of peers, shrunk to everybody's."""

from __future__ import annotations

import ibis.expr.types as ir

from detector.features.habits import PARTS, habit_key, with_habit
from detector.features.plan import Plan

#: Look-ups of peers at which their norm and everybody's weigh the same.
NORM_LOOKUPS = 20
#: Measures with a norm; `reference` by peer, the others by peer and system.
NORMS = ("results", "scope", "reference")


def norm_keys(places: ir.Table) -> ir.Table:
    """The habit keys of the norms at `places` (peer, system)."""
    keys = [places.select(key=key) for name in NORMS for key in _keys(name, places)]
    return keys[0].union(*keys[1:])


def norms(plan: Plan, places: ir.Table, known: ir.Table) -> ir.Table:
    """(peer, system) -> `usual_results`, `usual_scope`, `usual_reference`, as ln(1 + x); NULL without history."""
    t = places
    for name in NORMS:
        own, everybody = _keys(name, t)
        t = with_habit(t, known, own, f"{name}_n", f"{name}_sum")
        t = with_habit(t, known, everybody, f"{name}_all_n", f"{name}_all_sum")
    return plan.keep("norms", t.select("peer", "system", **{f"usual_{name}": _mean(t, name) for name in NORMS}))


def _keys(name: str, t: ir.Table) -> tuple[ir.IntegerValue, ir.IntegerValue]:
    if name == "reference":
        return habit_key(name, t.peer), habit_key(name)
    return habit_key(name, t.peer, t.system), habit_key(name, t.system)


def _mean(t: ir.Table, name: str) -> ir.FloatingValue:
    """The peers' mean, shrunk as shrink.shrunk does, written on sums."""
    everybody = t[f"{name}_all_sum"] / t[f"{name}_all_n"].nullif(0)
    own = t[f"{name}_sum"].fill_null(0)
    return (own + NORM_LOOKUPS * everybody) / (t[f"{name}_n"] + NORM_LOOKUPS) / PARTS
