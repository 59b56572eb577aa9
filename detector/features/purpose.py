"""The stated purpose: left out, copied, or unlike what is written where the actor works."""

from __future__ import annotations

import ibis.expr.types as ir

from detector.features.feature import Feature

#: Fewer reasons than this have no share worth telling.
LEAST_REASONS = 5


def reason_missing(t: ir.Table) -> ir.Value:
    """The unit's fill share where the reason is blank, 0 where it is given, NULL where the source has no reasons."""
    return t.reason.notnull().ifelse((t.reason == "").ifelse(t.fill_share, 0.0), None)


def reason_duplication(t: ir.Table) -> ir.Value:
    return (t.wordings_n >= LEAST_REASONS).ifelse(t.wording_n / t.wordings_n, None)


def reason_surprisal(t: ir.Table) -> ir.Value:
    return t.reason_bits


def reference_records(t: ir.Table) -> ir.Value:
    return t.reference_records


def reference_reuse(t: ir.Table) -> ir.Value:
    """(1 + records) / (1 + the peers' geometric mean); see norms.py."""
    return (1 + t.reference_records) / t.usual_reference.exp()


FEATURES = (
    Feature(
        "reason_missing",
        "purpose",
        "share",
        "for a blank reason, the share of look-ups in this unit and system that do give one; 0 where it is given; NULL "
        "where the source has no such column",
        "no reason given where it usually is ({value}); usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        reason_missing,
        ("reason_text",),
    ),
    Feature(
        "reason_duplication",
        "purpose",
        "share",
        "share of the actor's reasons so far (history_days) that are this very text; NULL below five reasons",
        "the same text as in {value} of this actor's reasons; usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        reason_duplication,
        ("reason_text",),
    ),
    Feature(
        "reason_surprisal",
        "purpose",
        "bits",
        "mean of -log2 P(term | unit and system) over the terms of the reason, shrunk to everybody's terms",
        "a reason in words as rare here as {value}; usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        reason_surprisal,
        ("reason_text",),
    ),
    Feature(
        "reference_records",
        "purpose",
        "records",
        "different records looked up by anybody under the event's case reference in 30 days, this one included",
        "{value} different records under one case reference; usual for this actor {own}, for peers {peers}",
        "high",
        "habits",
        reference_records,
        ("case_ref", "record_id"),
    ),
    Feature(
        "reference_reuse",
        "purpose",
        "times",
        "different records under the event's case reference over the usual number among peers (geometric mean)",
        "{value} times as many records under one case reference as usual; for this actor {own}, for peers {peers}",
        "high",
        "habits",
        reference_reuse,
        ("case_ref", "record_id"),
    ),
)
