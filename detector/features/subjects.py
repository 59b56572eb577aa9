"""Whom and what is looked at: lists it is on, stories about it, its tier, whose address it shares."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from detector.features.engine import DAY_US, MINUTE_US, microseconds, pair, running, stable_hash, total, whole
from detector.features.habits import PARTS, habit_key, known_habits, with_habit
from detector.features.keyed import key_of, person_key
from detector.features.known import Known, since_us, until_us
from detector.features.linked import COLD
from detector.features.plan import Plan
from detector.features.shrink import probability

#: Lists by their kind in the watch-list table.
CANARY, ORGANISED = ("canary",), ("organised_crime",)
PROFILE = ("vip", "high_profile", "protected")
#: A publication nearer than this, before or after the look-up, may be why.
STORY_DAYS = 14
#: Trailing days in which stories are counted, and days before each in which a look-up may have fed it.
STORIES_DAYS, FED_DAYS = 180, 7
#: Records of one address, and vehicles whose keeper is next, within so many minutes.
SWEEP_MINUTES = 30
#: Years of age at which a band begins.
BANDS = (0, 18, 35, 60)
_YEAR_US = int(365.25 * DAY_US)
#: Subjects (or look-ups) of the peers at which their mix and everybody's weigh the same.
PEER_SUBJECTS, PEER_TIERS = 50, 20


def of_records(plan: Plan, looks: ir.Table, known: Known) -> ir.Table:
    """One row per event with a record: seq, what the records table has of it, and the lists and stories it is in."""
    r = known.records
    t = looks.filter(looks.record.notnull()).select("seq", "us", "record")
    t = t.left_join(r.select("record", "sex", "born", "tier", "address"), "record").drop("record_right")
    lists = _lists(looks, _asked(known, "watchlist"))
    t = t.left_join(lists, "seq").drop("seq_right")
    t = t.left_join(_stories(looks, _asked(known, "publicity")), "seq").drop("seq_right")
    return plan.keep(
        "of_records",
        t.select(
            "seq", "lag_us",
            **{name: t[name].fill_null(0) for name in ("listed", "canary", "organised", "profile")},
            subject_tier="tier",
            subject_address="address",
            subject_group=_group(t),
        ),
    )  # fmt: skip


def stories_fed(plan: Plan, looks: ir.Table, known: Known, actor_records: ir.Table) -> ir.Table:
    """actor -> `stories`: published records that the actor touched on one of the FED_DAYS nights before publication,
    off the case, among those published within the STORIES_DAYS before the night."""
    p = known.source["publicity"]
    p = p.select(record=key_of("record", p.record_id), age=p.age, us=microseconds(p.published_at))
    p = p.filter((p.age >= 0) & (p.age <= STORIES_DAYS))
    p = plan.keep("stories", p.group_by("record", "age").agg(us=p.us.min()))
    actors = looks.filter(looks.actor.notnull()).select("actor").distinct()
    asked = actors.cross_join(p)
    asked = asked.mutate(key=pair(asked.actor, asked.record))
    touched = actor_records.select("key", touched_age="age")
    fed = asked.inner_join(touched.filter(touched.touched_age <= STORIES_DAYS + FED_DAYS), "key")
    fed = fed.filter((fed.touched_age > fed.age) & (fed.touched_age <= fed.age + FED_DAYS))
    fed = plan.keep("fed", fed.select("actor", "record", "age").distinct())
    held = known.source["case_records"]
    held = plan.keep("stories_cases", held.semi_join(known.source["publicity"], "record_id"))
    staff = known.source["case_staff"].semi_join(held, "case_ref")
    team = held.select("case_ref", "record_id").inner_join(staff.select("case_ref", "staff_id"), "case_ref")
    team = team.select(actor=person_key(team.staff_id), record=key_of("record", team.record_id)).distinct()
    off_team = fed.anti_join(team, ["actor", "record"])
    return plan.keep("stories_fed", off_team.group_by("actor").agg(stories=off_team.count()))


def mixes(plan: Plan, looks: ir.Table, subjects: ir.Table, habits: ir.Table) -> ir.Table:
    """seq -> the people of this one's sex and age among the actor's subjects so far: `own_group` of `own_subjects`;
    `peer_share`, their share among the peers' others; and `usual_tier`, the peers' mean. NULL without history."""
    t = looks.select("seq", "actor", "peer", "visit").inner_join(subjects, "seq")
    t = plan.keep("subjects_asked", t.select("seq", "actor", "peer", "visit", group="subject_group"))
    grouped = t.filter(t.group.notnull() & t.actor.notnull())
    first = grouped.group_by("visit").agg(first_seq=grouped.seq.min()).select("first_seq")
    marked = grouped.left_join(first, grouped.seq == first.first_seq)
    new = marked.first_seq.notnull().cast("int64")
    so_far = marked.select(
        "seq",
        now_group=total(new, over=running([marked.actor, marked.group], marked.seq)),
        now_subjects=total(new, over=running(marked.actor, marked.seq)),
    )
    so_far = plan.keep("subjects_so_far", so_far)
    asked = plan.keep("mixes_asked", t.select("actor", "peer", "group").distinct())
    pairs = [(kind, who) for who in ("actor", "peer") for kind in ("subject", "subjects")]
    keys = [_mix_key(asked, kind, who) for kind, who in (*pairs, ("subject", ""), ("subjects", ""))]
    keys += [habit_key("tier", asked.peer), habit_key("tier")]
    wanted = [asked.mutate(key=key).select("key") for key in keys]
    known = known_habits(plan, wanted[0].union(*wanted[1:]), habits, name="subjects_known")
    shares = plan.keep("mixes", _shares(asked, known))
    tiers = plan.keep("tiers", _tiers(asked.select("peer").distinct(), known))
    joined = t.left_join(shares, ["actor", "peer", "group"]).drop("actor_right", "peer_right", "group_right")
    # By the peers alone: a masked actor, and a record that is no person, have a tier all the same.
    joined = joined.left_join(tiers, "peer").drop("peer_right")
    joined = joined.left_join(so_far, "seq").drop("seq_right")
    return plan.keep(
        "subjects_mixed",
        joined.select(
            "seq", "peer_share", "usual_tier",
            own_group=joined.now_group + joined.old_group,
            own_subjects=joined.now_subjects + joined.old_subjects,
        ),
    )  # fmt: skip


def sweeps(plan: Plan, looks: ir.Table, subjects: ir.Table) -> ir.Table:
    """seq -> `sweep`: different records of this address that the actor looked at in the SWEEP_MINUTES up to it."""
    t = looks.select("seq", "us", "actor", "record").inner_join(subjects, "seq")
    t = t.filter(t.subject_address.notnull() & t.actor.notnull())
    t = plan.keep("addressed", t.select("seq", "us", "actor", "record", address="subject_address"))
    other = t.view().rename(other_seq="seq", other_us="us", other_record="record")
    both = t.inner_join(other, ["actor", "address"])
    both = both.filter((both.other_seq <= both.seq) & (both.other_us > both.us - SWEEP_MINUTES * MINUTE_US))
    return plan.keep("sweeps", both.group_by("seq").agg(sweep=both.other_record.nunique()))


def plate_chains(plan: Plan, explained: ir.Table, known: Known, open_: ir.BooleanValue) -> ir.Table:
    """seq -> chain = 1 for a look-up of the keeper of a vehicle that the actor looked up, unexplained, just before."""
    kept = known.records.filter(known.records.keeper.notnull()).select("record", "keeper")
    plates = (
        explained.filter(open_).select("actor", "record", plate_us="us", plate_seq="seq").inner_join(kept, "record")
    )
    plates = plates.filter(plates.actor.notnull()).select("actor", "plate_us", "plate_seq", record="keeper")
    t = explained.select("seq", "us", "actor", "record").inner_join(plates, ["actor", "record"])
    t = t.filter((t.plate_seq < t.seq) & (t.plate_us > t.us - SWEEP_MINUTES * MINUTE_US))
    return plan.keep("plate_chains", t.group_by("seq").agg(chain=ibis.literal(1, "int64")))


def contacts(plan: Plan, looks: ir.Table, known: Known) -> ir.Table:
    """record -> `case_until`, when the last of the cases that hold it closed or will close."""
    held = looks.filter(looks.record.notnull()).select("record").distinct().inner_join(known.case_records, "record")
    t = held.inner_join(known.cases.select("case", "since", "until"), "case")
    return plan.keep("contacts", t.group_by("record").agg(case_until=t.until.max()))


def is_cold(t: ir.Table) -> ir.BooleanValue:
    """Whether nothing has happened to the record for COLD: no incident begun, no case open."""
    # Not least(case_until, us): that would make now of NULL.
    stirred = ibis.greatest(t.stirred_us, (t.case_until > t.us).ifelse(t.us, t.case_until))
    return stirred.isnull() | (t.us - stirred > COLD)


def _mix_key(asked: ir.Table, kind: str, who: str) -> ir.IntegerValue:
    """`subject` of the group, `subjects` of any; of an `actor`, a `peer` group, or everybody ('')."""
    return habit_key(kind, *([asked[who]] if who else []), *([asked.group] if kind == "subject" else []))


def _shares(asked: ir.Table, known: ir.Table) -> ir.Table:
    t = asked
    for who, name in (("actor", "old"), ("peer", "peer"), ("", "all")):
        t = with_habit(t, known, _mix_key(t, "subject", who), f"{name}_group")
        t = with_habit(t, known, _mix_key(t, "subjects", who), f"{name}_subjects")
    groups = 2 * len(BANDS)
    everybody = (t.all_subjects > 0).ifelse(
        probability(t.all_group, t.all_subjects, ibis.literal(1 / groups), groups), None
    )
    others, others_all = t.peer_group - t.old_group, t.peer_subjects - t.old_subjects
    return t.select(
        "actor", "peer", "group", "old_group", "old_subjects",
        peer_share=probability(
            (others < 0).ifelse(0, others), (others_all < 0).ifelse(0, others_all), everybody, PEER_SUBJECTS
        ),
    )  # fmt: skip


def _tiers(peers: ir.Table, known: ir.Table) -> ir.Table:
    """peer -> `usual_tier`, the mean of the tiers that they look up; NULL without history."""
    t = with_habit(peers, known, habit_key("tier", peers.peer), "tier_n", "tier_sum")
    t = with_habit(t, known, habit_key("tier"), "all_tier_n", "all_tier_sum")
    everybody = t.all_tier_sum / t.all_tier_n.nullif(0)
    usual = (t.tier_sum.fill_null(0) + PEER_TIERS * everybody) / (t.tier_n + PEER_TIERS) / PARTS
    return t.select("peer", usual_tier=usual)


def _asked(known: Known, table: str) -> ir.Table:
    """The rows of a table about tonight's records."""
    whole = known.source[table]
    return whole.semi_join(known.asked, whole.record_id == known.asked.id)


def _lists(looks: ir.Table, w: ir.Table) -> ir.Table:
    """seq -> 1 for each sort of list that the record is on at the time."""
    kind = w.kind.lower().fill_null("")
    w = w.select(
        record=key_of("record", w.record_id),
        since=since_us(w.active_from),
        until=until_us(w.active_to),
        canary=kind.isin(CANARY).cast("int64"),
        organised=kind.isin(ORGANISED).cast("int64"),
        profile=kind.isin(PROFILE).cast("int64"),
    )
    t = looks.select("seq", "us", "record").inner_join(w, "record")
    t = t.filter((t.since <= t.us) & (t.us < t.until))
    listed = (1 - t.canary).max()
    return t.group_by("seq").agg(
        listed=listed, canary=t.canary.max(), organised=t.organised.max(), profile=t.profile.max()
    )


def _stories(looks: ir.Table, p: ir.Table) -> ir.Table:
    """seq -> `lag_us`, from the nearest publication about the record to the look-up; negative before it."""
    p = p.select(record=key_of("record", p.record_id), published_us=microseconds(p.published_at))
    t = looks.select("seq", "us", "record").inner_join(p, "record")
    t = t.mutate(lag_us=t.us - t.published_us)
    t = t.filter(t.lag_us.abs() <= STORY_DAYS * DAY_US)
    return t.group_by("seq").agg(lag_us=t.lag_us.argmin(t.lag_us.abs() * 2 + (t.lag_us < 0).cast("int64")))


def _group(t: ir.Table) -> ir.IntegerValue:
    """The key of the person's sex and band of age at the time; NULL where either is not known."""
    age_us = t.us - t.born.cast("int64") * DAY_US
    age = (age_us >= 0).ifelse(whole(age_us, _YEAR_US), None)
    band = sum(((age >= start).cast("int64") for start in BANDS[1:]), (age * 0))
    return t.sex.isin(("f", "m")).ifelse(stable_hash("group", t.sex, band.cast("string")), None)
