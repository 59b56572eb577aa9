"""Counted habits: one number by key and night, for hours of the week, terminals, reasons, terms and breadth.

A kind's key is the exclusive or of the kind's constant and its parts' keys. `n` and `total` are summed over the
nights of history:

    hour, actor, hour of week      1 for an hour in which the actor was active      hours, actor    such hours
    hour, peer, hour of week       such hours of all the peers                      hours, peer     in all
    hour, hour of week             such hours of everybody                          hours           in all
    seat                           1 for an operator at a terminal                  seats, operator 1
    wording, actor, reason         look-ups with this very text                     wordings, actor look-ups with any
    term, context, term            uses of the term in this unit and system         terms, context  uses of any
    term, term                     uses of it by anybody                            terms           uses of any
    filled, context                reasons asked (n) and given (total); filled: by anybody
    results, peer, system          look-ups (n), sum of PARTS * ln(1 + result_count) (total); results, system: of all
    scope, peer, system            the same of scope_count; reference, peer: of distinct records to a case reference
    unexplained, actor             look-ups (n), of which nothing explains (total); unexplained, peer; unexplained
    explained, context, kind       look-ups whose best explanation is this; explained, kind: everybody's
    explained, context             look-ups that are judged; explained: everybody's
    subject, actor, group          people of a sex and age looked up, once a night; subjects, actor: of any
    subject, peer, group           the same of all the peers (subjects, peer), of everybody (subject, group; subjects)
    tier, peer                     look-ups of a known tier (n), sum of PARTS * tier (total); tier: everybody's
"""

from __future__ import annotations

import ibis.expr.types as ir

from detector.features.engine import constant, pair, total
from detector.features.plan import Plan

#: Logarithms are summed in whole ten-thousandths: such sums do not depend on the order of the rows.
PARTS = 10_000


def parts(value: ir.FloatingValue) -> ir.IntegerValue:
    """In whole parts of PARTS."""
    return (value * PARTS).round().cast("int64")


def habit_key(kind: str, *parts: ir.IntegerValue) -> ir.IntegerValue:
    """The key of one kind of habit."""
    return pair(constant(kind), *parts)


def hour_key(hour_of_week: ir.IntegerValue) -> ir.IntegerValue:
    """Hours are few: spread so that no two of them, XORed with any two actors' keys, are likely to meet."""
    return (hour_of_week.cast("int64") + 1) * 0x0005_DEEC_E66D_1B69


def known_habits(plan: Plan, keys: ir.Table, habits: ir.Table, *, name: str = "habits") -> ir.Table:
    """The sums `n` and `total` over earlier nights of every key in `keys` (one column `key`, may repeat).

    `name` is the step's, and differs from bench to bench.
    """
    wanted = plan.keep(f"wanted_{name}", keys.filter(keys.key.notnull()).distinct())
    old = habits.semi_join(wanted, "key")
    return plan.keep(name, old.group_by("key").agg(n=total(old.n), total=total(old.total)))


def with_habit(table: ir.Table, known: ir.Table, key: ir.IntegerValue, n: str, total: str | None = None) -> ir.Table:
    """`table` with the habit's sums as columns `n` (0 where unknown) and `total` (NULL where unknown)."""
    names = {"habit": "key", n: "n"} | ({total: "total"} if total else {})
    found = known.select(**names)
    joined = table.left_join(found, key == found.habit).drop("habit")
    return joined.mutate(**{n: joined[n].fill_null(0)})
