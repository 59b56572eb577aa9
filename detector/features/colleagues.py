"""Who works at one job looks up the same people: a look-up is explained by a colleague's that something explains."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.explained import BITS, COUNTING
from detector.features.linked import LATE, bit
from detector.features.plan import Plan

#: What a colleague may have had to do with the record: anything that counts but these. One colleague's word for
#: another's would go round for ever, and a query that another fired speaks for nobody.
DIRECT = COUNTING & ~(BITS["colleague"] | BITS["spawned"])


def with_colleagues(plan: Plan, explained: ir.Table, visits: ir.Table) -> ir.Table:
    """`explained` (linked.explained_by) with the bit `colleague` set where nothing else counts, and somebody else
    of the actor's unit, whom something explains, looked at the record in the LATE before; `visits` are those of earlier
    nights."""
    known = explained.filter(explained.unit_record.notnull() & explained.actor.notnull())
    first = known.filter(bit(known, DIRECT)).group_by(key="unit_record", colleague="actor")
    tonight = plan.keep("colleagues", first.agg(colleague_us=known.us.min(), colleague_seq=known.seq.min()))
    earlier = visits.select("key", colleague="actor", colleague_us="last_us", colleague_seq=ibis.literal(0, "int64"))
    both = tonight.select(earlier.columns).union(earlier)
    t = known.filter(~bit(known, COUNTING)).select("seq", "us", "actor", "unit_record")
    t = t.inner_join(both, t.unit_record == both.key)
    looked = (t.colleague != t.actor) & (t.colleague_seq < t.seq) & (t.colleague_us >= t.us - LATE)
    found = t.filter(looked).select("seq", colleague_bit=ibis.literal(BITS["colleague"], "int64")).distinct()
    joined = explained.left_join(found, "seq").drop("seq_right")
    bits = joined.explained_by + joined.colleague_bit.fill_null(0)
    return plan.keep("explained_by_colleagues", joined.mutate(explained_by=bits).drop("colleague_bit"))
