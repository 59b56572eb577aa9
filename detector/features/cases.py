"""Whether anything explains a look-up, and whether what is cited for it is true."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features import drip
from detector.features.engine import DAY_US, HOUR_US
from detector.features.explained import BITS, NEEDS
from detector.features.feature import Feature
from detector.features.linked import bit
from detector.features.shrink import bits


def unexplained(t: ir.Table) -> ir.Value:
    return drip.unexplained(t)


def explanation_surprisal(t: ir.Table) -> ir.Value:
    """-log2 P(best explanation, or none | unit and system), a hierarchical Dirichlet mean (MacKay & Peto 1995).

    Which explanations are worth something is read off the log itself, unit by unit, as explanation-based auditing
    does (Fabbri & LeFevre 2011, Explanation-based auditing, PVLDB 5): where half the look-ups go unexplained because
    feeds have holes, one more says little.
    """
    return bits(t.explanation_share)


def closed_days(t: ir.Table) -> ir.Value:
    """Of the cited case; without a citation of those that hold the record, if all are closed."""
    cited = (t.cited_open == 1).ifelse(0.0, (t.us - t.cited_closed_us) / DAY_US)
    held = (t.held_open == 1).ifelse(0.0, (t.us - t.held_closed_us) / DAY_US)
    return t.case.notnull().ifelse(cited, held)


def reference_unknown(t: ir.Table) -> ir.Value:
    """NULL without the incidents too: they are cited as cases are, and would all be called unknown."""
    return _of_citation(t, 1 - ibis.greatest(t.cited_known.fill_null(0), t.incident_us.notnull().cast("int64")))


def reference_mismatch(t: ir.Table) -> ir.Value:
    return _of_citation(t, 1 - ibis.greatest(t.cited_related.fill_null(0), t.incident_related.fill_null(0)))


def reference_unlinked(t: ir.Table) -> ir.Value:
    """NULL where the case lists no records: it cannot be told then."""
    return (t.case.notnull() & t.record.notnull() & (t.cited_lists == 1)).ifelse(1 - t.cited_held, None)


def reference_posthoc(t: ir.Table) -> ir.Value:
    late = (ibis.coalesce(t.cited_opened_us, t.incident_us) - t.us) / HOUR_US
    return (late < 0).ifelse(0.0, late)


def revisit_gap(t: ir.Table) -> ir.Value:
    """From the end of an assignment to a case that holds the record, its closing, or an incident; the last of those."""
    last = ibis.greatest(t.contact_us, t.met_us)
    return (t.on_now == 1).fill_null(False).ifelse(0.0, (t.us - last) / DAY_US)


def drip_cusum(t: ir.Table) -> ir.Value:
    return t.cusum


def cover_ratio(t: ir.Table) -> ir.Value:
    """For an unexplained look-up the share of explained ones around it; one alone in the hour says nothing."""
    return ((unexplained(t) == 1) & (t.around > 1)).ifelse(t.covering / t.around, None)


def onbehalf_gap(t: ir.Table) -> ir.Value:
    """1 for a look-up keyed for a requester whom nothing links to the record; the requester must account for it."""
    return t.on_behalf.notnull().ifelse(t.on_behalf.ifelse(unexplained(t), ibis.literal(0, "int64")), None)


def plate_chain(t: ir.Table) -> ir.Value:
    chain = t.chain.fill_null(0) * unexplained(t)
    return (t.actor.notnull() & t.record.notnull()).ifelse(chain, None)


def _of_citation(t: ir.Table, value: ir.Value) -> ir.Value:
    return (t.case.notnull() & t.actor.notnull()).ifelse(value, None)


def is_on_operation(t: ir.Table) -> ir.BooleanValue:
    """Whether the actor themselves has to do with the record: a case they are or were on, or an incident."""
    return bit(t, BITS["case_staff"] | BITS["hand_over"] | BITS["incident"])


FEATURES = (
    Feature(
        "unexplained",
        "context",
        "0 or 1",
        "1 when no case, incident, hand-over or dispatch links the actor or their unit to the record, and no other "
        "query fired this one; NULL for an event without a record",
        "no case, incident or hand-over explains it",
        "high",
        "cases",
        unexplained,
        ("record_id", "case_ref"),
        NEEDS,
    ),
    Feature(
        "explanation_surprisal",
        "context",
        "bits",
        "-log2 of the probability of this look-up's best explanation (or of none) in this unit and system, over "
        "history_days, shrunk to everybody's; NULL without history, and for what another query fired",
        "explained in a way (or not at all) that {value} look-ups is here; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "cases",
        explanation_surprisal,
        ("record_id", "case_ref"),
        NEEDS,
    ),
    Feature(
        "closed_days",
        "context",
        "days",
        "days since the cited case closed, else since the last of the cases that hold the record did; 0 while one of "
        "them is open, NULL where there is none",
        "{value} days after the case was closed; usual for this actor {own}, for peers {peers}",
        "high",
        "cases",
        closed_days,
        ("case_ref", "record_id"),
        frozenset({"cases", "case_records"}),
    ),
    Feature(
        "reference_unknown",
        "context",
        "0 or 1",
        "1 when what is cited is neither in the table of cases nor in that of incidents (as known by the end of the "
        "night); NULL where nothing is cited",
        "the case or incident cited is not known",
        "high",
        "cases",
        reference_unknown,
        ("case_ref",),
        frozenset({"cases", "incidents"}),
    ),
    Feature(
        "reference_mismatch",
        "context",
        "0 or 1",
        "1 when the cited case or incident is linked neither to the record nor to the actor or their unit, as one that "
        "no table has; NULL where none is cited",
        "the case or incident cited has to do neither with the record nor with the actor's unit",
        "high",
        "cases",
        reference_mismatch,
        ("case_ref", "record_id"),
        frozenset({"cases", "case_staff", "case_records", "incidents"}),
    ),
    Feature(
        "reference_unlinked",
        "context",
        "0 or 1",
        "1 when the cited case lists records, but not this one; NULL where none is cited or it lists none",
        "the case cited lists other records, but not this one",
        "high",
        "cases",
        reference_unlinked,
        ("case_ref", "record_id"),
        frozenset({"case_records"}),
    ),
    Feature(
        "reference_posthoc",
        "context",
        "hours",
        "hours after the look-up at which the cited case was opened, or the incident began; 0 where that was before, "
        "NULL where none is cited or it is not known",
        "what is cited began {value} hours after the look-up; usual for this actor {own}, for peers {peers}",
        "high",
        "cases",
        reference_posthoc,
        ("case_ref",),
        frozenset({"cases"}),
    ),
    Feature(
        "revisit_gap",
        "context",
        "days",
        "days since the actor last had to do with the record: a case they were on that holds it, or an incident of "
        "theirs with it; 0 while on such a case, NULL if never",
        "{value} days after the actor last had to do with this record; usual for this actor {own}, for peers {peers}",
        "high",
        "cases",
        revisit_gap,
        ("record_id",),
        frozenset({"case_staff", "case_records"}),
    ),
    Feature(
        "drip_cusum",
        "context",
        "standard deviations",
        "CUSUM of the actor's weekly unexplained look-ups against the peers' share of them, slack half a standard "
        "deviation, over history_days and up to this event; NULL without history, and for what another query fired",
        "unexplained look-ups add up to {value} standard deviations above the peers' share; usual for this actor "
        "{own}, for peers {peers}",
        "high",
        "cases",
        drip_cusum,
        ("record_id", "case_ref"),
        NEEDS,
    ),
    Feature(
        "cover_ratio",
        "context",
        "share",
        "for an unexplained look-up, the share of explained ones among the actor's look-ups of the hour up to it (of "
        "this night); NULL for an explained one and for one alone",
        "unexplained among look-ups of which {value} are explained; usual for this actor {own}, for peers {peers}",
        "high",
        "cases",
        cover_ratio,
        ("record_id", "case_ref"),
        NEEDS,
    ),
    Feature(
        "onbehalf_gap",
        "context",
        "0 or 1",
        "1 when it was keyed on behalf of somebody whom no case, incident or hand-over links to the record; 0 for any "
        "other look-up, NULL where requesters are not logged",
        "keyed for somebody whom nothing links to the record",
        "high",
        "cases",
        onbehalf_gap,
        ("requester_id", "record_id"),
        NEEDS,
    ),
    Feature(
        "plate_chain",
        "context",
        "0 or 1",
        "1 for an unexplained look-up of somebody whose vehicle the actor looked up, also unexplained, within the 30 "
        "minutes before (the same night)",
        "from a plate to its keeper, with no stop or incident recorded",
        "high",
        "cases",
        plate_chain,
        ("record_id",),
        NEEDS | {"records"},
    ),
)
