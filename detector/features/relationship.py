"""What the person looking is to whom they look at: themselves, family, colleagues, neighbours under one roof."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.feature import Feature
from detector.features.shrink import bits


def self_match(t: ir.Table) -> ir.Value:
    """Known to be not their own only where the staff table says which record is theirs."""
    return _flag(t, t.own, t.has_person > 0)


def shared_address(t: ir.Table) -> ir.Value:
    return _flag(t, t.shared_home, (t.has_home > 0) & (t.recorded_address == 1))


def declared_link(t: ir.Table) -> ir.Value:
    return _flag(t, t.declared, t.visit.notnull())


def family_link(t: ir.Table) -> ir.Value:
    return _flag(t, t.family, t.visit.notnull())


def partner_link(t: ir.Table) -> ir.Value:
    return _flag(t, t.partner, t.visit.notnull())


def staff_subject(t: ir.Table) -> ir.Value:
    """0 for those whose work is to look up staff (reference.vetting): for them it would say nothing."""
    return _flag(t, (t.vets == 0).fill_null(True).ifelse(t.colleague, None), t.visit.notnull())


def surname_rarity(t: ir.Table) -> ir.Value:
    """-log2 of the share of named records that bear the surname; 0 where the two differ.

    By itself it is the weakest of signals (a naive 'own name' rule hit half of one force's users): the rarer the
    name, the less it is chance.
    """
    known = (t.has_surname > 0) & (t.recorded_surname == 1)
    return known.ifelse(bits(t.name_share).fill_null(0.0), ibis.null("float64"))


def _flag(t: ir.Table, tie: ir.IntegerValue, known: ir.BooleanValue) -> ir.Value:
    """1 where the tie holds, 0 where it would be known if it did, else NULL."""
    absent = (t.visit.notnull() & known).ifelse(ibis.literal(0, "int64"), ibis.null("int64"))
    return ibis.coalesce(tie, absent)


FEATURES = (
    Feature(
        "self_match",
        "relationship",
        "0 or 1",
        "1 when the record is the actor's own: their person record, a vehicle they keep, or their home address; NULL "
        "where the staff table does not say which person record is theirs",
        "the actor's own record",
        "high",
        "ties",
        self_match,
        ("record_id",),
        frozenset({"staff"}),
    ),
    Feature(
        "surname_rarity",
        "relationship",
        "bits",
        "-log2 of the share of named records that bear the surname which the actor and the record have in common; 0 "
        "where the surnames differ, NULL where either is not known",
        "the actor's own surname, which {value} of all named records bears; usual for this actor {own}, "
        "for peers {peers}",
        "high",
        "ties",
        surname_rarity,
        ("record_id",),
        frozenset({"staff", "records"}),
        model=False,
    ),
    Feature(
        "shared_address",
        "relationship",
        "0 or 1",
        "1 when the record's address is, or ever was, the actor's home address; NULL where either is not known",
        "a record at the actor's own address, present or past",
        "high",
        "ties",
        shared_address,
        ("record_id",),
        frozenset({"staff", "records"}),
    ),
    Feature(
        "staff_subject",
        "relationship",
        "0 or 1",
        "1 when the record is another member of staff, by the staff table or their own declaration (`self`), or a "
        "vehicle they keep, and looking up staff is not the work of the actor's unit (`reference.vetting`)",
        "a record of a member of staff",
        "high",
        "ties",
        staff_subject,
        ("record_id",),
        frozenset({"staff"}),
    ),
    Feature(
        "declared_link",
        "relationship",
        "0 or 1",
        "1 when the record, or the keeper of the vehicle, is among the actor's declared associations of any kind but "
        "`self`",
        "a record of somebody the actor has declared as an associate, relative or business",
        "high",
        "ties",
        declared_link,
        ("record_id",),
        frozenset({"associations"}),
    ),
    Feature(
        "family_link",
        "relationship",
        "0 or 1",
        "as declared_link, of the kinds family, relative, parent, child and sibling alone",
        "a record of a relative of the actor",
        "high",
        "ties",
        family_link,
        ("record_id",),
        frozenset({"associations"}),
    ),
    Feature(
        "partner_link",
        "relationship",
        "0 or 1",
        "as declared_link, of the kinds partner, former_partner, spouse and former_spouse alone",
        "a record of the actor's partner or former partner",
        "high",
        "ties",
        partner_link,
        ("record_id",),
        frozenset({"associations"}),
    ),
)
