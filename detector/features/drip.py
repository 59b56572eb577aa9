"""Week after week a little too much: unexplained look-ups against what is usual, and how usual each explanation is.

    x = (u - n p) / sqrt(n p (1 - p) + 1)       a week's n look-ups of which u are unexplained; p the peers' share
    S = max(0, S of the week before + x - 1/2)  Page (1954), Continuous inspection schemes, Biometrika 41

S is the largest sum over the latest weeks, so that windows can give it: max over j of sum of the last j weeks.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import MINUTE_US, running, total, whole
from detector.features.explained import BITS, COUNTING, KINDS
from detector.features.habits import habit_key, known_habits, with_habit
from detector.features.linked import bit
from detector.features.plan import Plan
from detector.features.shrink import probability
from detector.features.trailing import grown

#: What a week may exceed the usual by without adding up: half of the shift of one deviation that is to be found.
SLACK = 0.5
#: Look-ups of peers at which their share and everybody's weigh the same; look-ups in a unit at which its habit does.
PEER_LOOKUPS, PLACE_LOOKUPS = 200, 20
#: Stands for no explanation among the places of KINDS, which may become more: it is kept with the habits.
NOTHING = 63
#: Trailing minutes in which explained look-ups may cover an unexplained one.
COVER_MINUTES = 60


def judged(e: ir.Table) -> ir.BooleanValue:
    """Whether an event is a look-up of a record that somebody must account for. `e` as linked.explained_by."""
    return e.actor.notnull() & e.record.notnull() & (e.counted | e.spawned)


def unexplained(e: ir.Table) -> ir.IntegerValue:
    """1 where nothing explains the look-up, else 0; NULL where there is none to explain."""
    return judged(e).ifelse((~bit(e, COUNTING)).cast("int64"), ibis.null("int64"))


def best(e: ir.Table) -> ir.IntegerValue:
    """The place of the strongest explanation in KINDS; NOTHING where there is none. NULL where not counted.

    A chain of automatic queries counts once.
    """
    place: ir.Value = ibis.literal(NOTHING, "int64")
    for index in reversed(range(len(KINDS))):
        if KINDS[index].counts:
            place = bit(e, BITS[KINDS[index].name]).ifelse(ibis.literal(index, "int64"), place)
    return (judged(e) & e.counted).ifelse(place, None)


def explanation_key(place: ir.IntegerValue) -> ir.IntegerValue:
    """Explanations are few: spread as hours are, so that no two of them are likely to meet."""
    return (place + 1) * 0x0002_545F_4914_F6CD


def explanation_keys(asked: ir.Table) -> ir.Table:
    """The habit keys of `asked` (peer, context, best), the explanations of the night."""
    spread = explanation_key(asked.best)
    keys = [
        habit_key("explained", asked.context, spread),
        habit_key("explained", asked.context),
        habit_key("explained", spread),
        habit_key("explained"),
        habit_key("unexplained", asked.peer),
        habit_key("unexplained"),
    ]
    wanted = [asked.mutate(key=key).select("key") for key in keys]
    return wanted[0].union(*wanted[1:])


def drip(plan: Plan, explained: ir.Table, habits: ir.Table) -> ir.Table:
    """One row per event that is judged: seq; `cusum` and `explanation_share`, NULL without history; and in the
    COVER_MINUTES up to it `covering` explained look-ups among `around`, itself included."""
    looks = explained.filter(judged(explained))
    looks = looks.select(
        "seq", "us", "actor", "peer", "context", "counted", best=best(explained), open=unexplained(explained)
    )
    looks = plan.keep("judged", looks)
    places = plan.keep("explanations_asked", looks.select("peer", "context", "best").distinct())
    known = known_habits(plan, explanation_keys(places), habits, name="explanations_known")
    shares = plan.keep("explanation_shares", _shares(places, known))
    weeks = _weeks(plan, looks, shares, habits)
    t = looks.left_join(shares, ["peer", "context", "best"]).drop("peer_right", "context_right", "best_right")
    t = t.left_join(weeks, ["actor", "peer"]).drop("actor_right", "peer_right")
    so_far, one = running(t.actor, t.seq), t.counted.cast("int64")
    t = plan.keep("drip_running", t.mutate(sum_n=total(one, over=so_far), sum_u=total(one * t.open, over=so_far)))
    n, u, p = t.sum_n + t.this_n.fill_null(0), t.sum_u + t.this_u.fill_null(0), t.open_share
    cusum = _excess(n, u, p) - SLACK + t.carried.fill_null(0.0)
    around, open_around = (grown(t, name, "actor", COVER_MINUTES * MINUTE_US) for name in ("sum_n", "sum_u"))
    return plan.keep(
        "drip",
        t.select(
            "seq", "explanation_share", cusum=(cusum < 0).ifelse(0.0, cusum), around=around,
            covering=around - open_around,
        ),
    )  # fmt: skip


def _excess(n: ir.IntegerValue, u: ir.IntegerValue, p: ir.FloatingValue) -> ir.FloatingValue:
    """By how many standard deviations `u` of `n` look-ups exceed a share of `p`; never quite, for a few."""
    return (u - n * p) / (n * p * (1 - p) + 1).sqrt()


def _shares(places: ir.Table, known: ir.Table) -> ir.Table:
    """(peer, context, best) -> `explanation_share`: P(this explanation | unit and system), and `open_share`: of the
    peers' look-ups that nothing explained. NULL without any history."""
    spread = explanation_key(places.best)
    t = with_habit(places, known, habit_key("explained", places.context, spread), "here_n")
    t = with_habit(t, known, habit_key("explained", t.context), "all_here_n")
    t = with_habit(t, known, habit_key("explained", explanation_key(t.best)), "anywhere_n")
    t = with_habit(t, known, habit_key("explained"), "all_n")
    t = with_habit(t, known, habit_key("unexplained", t.peer), "peer_n", "peer_u")
    t = with_habit(t, known, habit_key("unexplained"), "force_n", "force_u")
    kinds = sum(kind.counts for kind in KINDS) + 1
    anywhere = (t.all_n > 0).ifelse(probability(t.anywhere_n, t.all_n, ibis.literal(1 / kinds), kinds), None)
    force = t.force_u / t.force_n.nullif(0)
    return t.select(
        "peer", "context", "best",
        explanation_share=probability(t.here_n, t.all_here_n, anywhere, PLACE_LOOKUPS),
        open_share=probability(t.peer_u, t.peer_n, force, PEER_LOOKUPS),
    )  # fmt: skip


def _weeks(plan: Plan, looks: ir.Table, shares: ir.Table, habits: ir.Table) -> ir.Table:
    """(actor, peer) -> `this_n` and `this_u` of the last six days, and `carried`, S of the weeks before those."""
    people = looks.select("actor", "peer").distinct()
    people = people.mutate(key=habit_key("unexplained", people.actor))
    old = habits.semi_join(people, "key")
    weekly = old.group_by("key", week=whole(old.age, 7)).agg(n=total(old.n), u=total(old.total))
    open_share = shares.group_by("peer").agg(open_share=shares.open_share.max())
    t = people.inner_join(weekly, "key").inner_join(open_share, "peer")
    t = plan.keep("weeks", t.select("actor", "peer", "week", "n", "u", excess=_excess(t.n, t.u, t.open_share)))
    past = t.filter(t.week > 0)
    summed = past.excess.sum().over(
        ibis.window(preceding=None, following=0, group_by=["actor", "peer"], order_by="week")
    )
    # Weeks without a look-up use up their slack too: the sum over the last j weeks has j of them.
    past = past.mutate(sum_of_last=summed - SLACK * past.week)
    carried = past.group_by("actor", "peer").agg(most=past.sum_of_last.max())
    carried = carried.select("actor", "peer", carried=(carried.most < 0).ifelse(0.0, carried.most))
    now = t.filter(t.week == 0).select("actor", "peer", this_n="n", this_u="u")
    joined = people.select("actor", "peer").left_join(carried, ["actor", "peer"]).drop("actor_right", "peer_right")
    return plan.keep("drip_weeks", joined.left_join(now, ["actor", "peer"]).drop("actor_right", "peer_right"))
