"""What people write as their reason: how rare its terms are where they work, and how often it is left blank."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import stable_hash
from detector.features.habits import PARTS, habit_key, parts, with_habit
from detector.features.plan import Plan
from detector.features.shrink import bits, probability

#: Words assumed to be possible, and how many words of practice weigh as much as that assumption.
VOCABULARY = 5_000
PRACTICE = 50
#: Reasons of history at which a unit's habit of giving one weighs as much as everybody's.
FILLED = 20


def texts(tonight: ir.Table) -> ir.Table:
    """The distinct reasons of the night by unit and system: context, wording, reason."""
    given = tonight.filter(tonight.reason != "")
    return given.group_by("context", "wording").agg(reason=given.reason.max(), uses=given.count())


def terms(plan: Plan, written: ir.Table) -> ir.Table:
    """One row per term of each text: context, wording, uses, term (key). Digits are all one: numbers are no words."""
    plain = written.reason.re_replace(r"[0-9]+", "0").re_split(r"[\s\p{P}\p{S}]+")
    split = written.select("context", "wording", "uses", word=plain.unnest())
    split = split.filter(split.word != "")
    return plan.keep("terms", split.select("context", "wording", "uses", term=stable_hash("term", split.word)))


def term_keys(spelled: ir.Table) -> ir.Table:
    """The habit keys of the terms."""
    own = spelled.select(key=habit_key("term", spelled.context, spelled.term)).distinct()
    return own.union(spelled.select(key=habit_key("term", spelled.term)).distinct())


def context_keys(contexts: ir.Table) -> ir.Table:
    """The habit keys of the units and systems of the night, and of everybody."""
    keys = contexts.select(key=habit_key("terms", contexts.context))
    keys = keys.union(contexts.select(key=habit_key("filled", contexts.context)))
    return keys.union(
        contexts.agg(n=contexts.count()).select(key=habit_key("terms")),
        contexts.agg(n=contexts.count()).select(key=habit_key("filled")),
    )


def surprisals(plan: Plan, spelled: ir.Table, known: ir.Table) -> ir.Table:
    """wording -> `reason_bits`: the mean of -log2 P(term | unit and system) over its terms; NULL without history."""
    t = with_habit(spelled, known, habit_key("term", spelled.context, spelled.term), "own")
    t = with_habit(t, known, habit_key("terms", t.context), "all_own")
    t = with_habit(t, known, habit_key("term", t.term), "force")
    t = with_habit(t, known, habit_key("terms"), "all_force")
    force = (t.all_force > 0).ifelse(probability(t.force, t.all_force, ibis.literal(1 / VOCABULARY), PRACTICE), None)
    t = t.mutate(term_bits=parts(bits(probability(t.own, t.all_own, force, PRACTICE))))
    return plan.keep("surprisals", t.group_by("wording").agg(reason_bits=t.term_bits.mean() / PARTS))


def fill_shares(plan: Plan, contexts: ir.Table, known: ir.Table) -> ir.Table:
    """context -> `fill_share`: how large a share of reasons asked for is given there; NULL without any history."""
    t = with_habit(contexts, known, habit_key("filled", contexts.context), "asked", "given")
    t = with_habit(t, known, habit_key("filled"), "all_asked", "all_given")
    force = t.all_given / t.all_asked.nullif(0)
    share = probability(t.given, t.asked, force, FILLED)
    return plan.keep("filled", t.select("context", fill_share=share))


def repeated(plan: Plan, tonight: ir.Table, known: ir.Table) -> ir.Table:
    """seq -> `wording_n` and `wordings_n`: the actor's reasons so far with this very text, and with any."""
    given = tonight.filter((tonight.reason != "") & tonight.actor.notnull())
    asked = given.select("actor", "actor_reason").distinct()
    asked = with_habit(asked, known, habit_key("wording", asked.actor_reason), "old_same")
    asked = with_habit(asked, known, habit_key("wordings", asked.actor), "old_any").drop("actor")
    now = given.select(
        "seq",
        "actor_reason",
        same=given.count().over(ibis.window(preceding=None, following=0, group_by="actor_reason", order_by="seq")),
        any=given.count().over(ibis.window(preceding=None, following=0, group_by="actor", order_by="seq")),
    )
    joined = now.inner_join(asked, "actor_reason")
    return plan.keep(
        "repeated",
        joined.select("seq", wording_n=joined.same + joined.old_same, wordings_n=joined["any"] + joined.old_any),
    )
