"""What is looked at: lists it is on, stories about it, how sensitive it is, whom it stands for."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.cases import is_on_operation
from detector.features.drip import unexplained
from detector.features.engine import HOUR_US
from detector.features.explained import NEEDS
from detector.features.feature import Feature
from detector.features.subjects import is_cold

#: Fewer subjects than this have no mix worth telling.
LEAST_SUBJECTS = 10


def watchlisted(t: ir.Table) -> ir.Value:
    return _of_record(t, t.listed)


def watchlisted_uncased(t: ir.Table) -> ir.Value:
    return unexplained(t) * t.listed


def canary_record(t: ir.Table) -> ir.Value:
    return _of_record(t, t.canary)


def organised_crime_record(t: ir.Table) -> ir.Value:
    return _of_record(t, t.organised)


def high_profile_record(t: ir.Table) -> ir.Value:
    return _of_record(t, t.profile)


def publicity_lag(t: ir.Table) -> ir.Value:
    return (unexplained(t) == 1).ifelse(t.lag_us / HOUR_US, None)


def stories_fed(t: ir.Table) -> ir.Value:
    return t.actor.notnull().ifelse(t.stories.fill_null(0), None)


def cold_record(t: ir.Table) -> ir.Value:
    return _of_record(t, is_cold(t).cast("int64"))


def sensitivity_gap(t: ir.Table) -> ir.Value:
    gap = t.subject_tier - t.usual_tier
    return is_on_operation(t).ifelse(0.0, gap)


def demographic_llr(t: ir.Table) -> ir.Value:
    """n (q log2(q / p) + (1 - q) log2((1 - q) / (1 - p))) for q > p, else 0: q is the share of people of this one's
    sex and age among the actor's n subjects, p the peers' others' share. The log-likelihood ratio of the binomial
    (Dunning 1993, Accurate methods for the statistics of surprise and coincidence, Computational Linguistics 19).

    The definition of one number for the whole mix would say of every look-up the same; this one names who stands out.
    It is about sex and age, so its fairness has to be watched, and the forest does not see it.
    """
    n, p = t.own_subjects, t.peer_share
    q = t.own_group / n.nullif(0)
    rest = (q < 1).ifelse((1 - q) * ((1 - q).nullif(0) / (1 - p)).log2(), 0.0)
    llr = n * (q * (q.nullif(0) / p).log2() + rest)
    return ((n >= LEAST_SUBJECTS) & p.notnull()).ifelse((q > p).ifelse(llr, 0.0), None)


def address_sweep(t: ir.Table) -> ir.Value:
    return t.sweep


def own_case_view(t: ir.Table) -> ir.Value:
    return (t.actor.notnull() & (t.record.notnull() | t.case.notnull()) & (t.has_person > 0)).ifelse(
        t.about_actor.fill_null(0), None
    )


def _of_record(t: ir.Table, value: ir.Value) -> ir.Value:
    return t.record.notnull().ifelse(value, ibis.null("int64"))


FEATURES = (
    Feature(
        "watchlisted",
        "subject",
        "0 or 1",
        "1 when the record is on a watch-list of any kind but `canary` at the time",
        "a record on a watch-list",
        "high",
        "subjects",
        watchlisted,
        ("record_id",),
        frozenset({"watchlist"}),
    ),
    Feature(
        "watchlisted_uncased",
        "subject",
        "0 or 1",
        "1 when the record is on a watch-list and the look-up is unexplained",
        "a record on a watch-list, and no case or incident explains the look-up",
        "high",
        "subjects",
        watchlisted_uncased,
        ("record_id", "case_ref"),
        NEEDS | {"watchlist"},
    ),
    Feature(
        "canary_record",
        "subject",
        "0 or 1",
        "1 when the record is a canary: made up, and of no use to anybody's work",
        "a record that nobody has reason to look at",
        "high",
        "subjects",
        canary_record,
        ("record_id",),
        frozenset({"watchlist"}),
    ),
    Feature(
        "organised_crime_record",
        "subject",
        "0 or 1",
        "1 when the record is on a list of organised crime at the time",
        "a record on the list of organised crime",
        "high",
        "subjects",
        organised_crime_record,
        ("record_id",),
        frozenset({"watchlist"}),
    ),
    Feature(
        "high_profile_record",
        "subject",
        "0 or 1",
        "1 when the record is on a list of vip, high-profile or protected people at the time",
        "a record of somebody in the public eye or under protection",
        "high",
        "subjects",
        high_profile_record,
        ("record_id",),
        frozenset({"watchlist"}),
    ),
    Feature(
        "publicity_lag",
        "subject",
        "hours",
        "hours from the nearest publication about the record (within 14 days) to an unexplained look-up, negative "
        "before it; NULL where there is none or the look-up is explained",
        "{value} hours after something was published about this record; usual for this actor {own}, for peers {peers}",
        "both",
        "subjects",
        publicity_lag,
        ("record_id",),
        NEEDS | {"publicity"},
    ),
    Feature(
        "stories_fed",
        "subject",
        "stories",
        "published records (of the last 180 days, one a day) that the actor looked at on one of the seven nights "
        "before publication without being on a case that holds them",
        "{value} published stories about records that the actor had looked at in the week before; usual for this "
        "actor {own}, for peers {peers}",
        "high",
        "subjects",
        stories_fed,
        ("record_id",),
        frozenset({"publicity", "case_records", "case_staff"}),
    ),
    Feature(
        "cold_record",
        "subject",
        "0 or 1",
        "1 when no incident with the record has begun, and no case that holds it has been open, within 365 days; a "
        "case that is opened later the same night counts",
        "a record with which nothing has happened for a year",
        "high",
        "subjects",
        cold_record,
        ("record_id",),
        frozenset({"incidents", "cases", "case_records"}),
    ),
    Feature(
        "sensitivity_gap",
        "subject",
        "tiers",
        "the record's tier above the mean tier that the actor's peers look up, shrunk to everybody's; 0 for those who "
        "have a case or incident with the record; NULL without history",
        "a record {value} tiers above what peers usually look up; usual for this actor {own}, for peers {peers}",
        "high",
        "subjects",
        sensitivity_gap,
        ("record_id",),
        frozenset({"records"}),
    ),
    Feature(
        "demographic_llr",
        "subject",
        "bits",
        "log-likelihood ratio of how often people of this one's sex and age (under 18, 35, 60, above) are among the "
        "actor's subjects, against the peers' others; 0 where less often, NULL below ten subjects or without history",
        "so many people of this sex and age as come by chance {value} times; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "subjects",
        demographic_llr,
        ("record_id",),
        frozenset({"records"}),
        model=False,
    ),
    Feature(
        "address_sweep",
        "subject",
        "records",
        "different records of the same address that the actor looked at in the 30 minutes up to this one (of this "
        "night); NULL where the address is not known",
        "{value} records of one address within 30 minutes; usual for this actor {own}, for peers {peers}",
        "high",
        "subjects",
        address_sweep,
        ("record_id",),
        frozenset({"records"}),
    ),
    Feature(
        "own_case_view",
        "subject",
        "0 or 1",
        "1 when the case cited, or one that holds the record, also holds the actor's own person record; 0 for a look "
        "at that record alone",
        "a case that the actor is part of themselves",
        "high",
        "subjects",
        own_case_view,
        ("record_id", "case_ref"),
        frozenset({"staff", "case_records"}),
    ),
)
