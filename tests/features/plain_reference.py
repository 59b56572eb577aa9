"""The features that need reference tables, each as a loop over events and rows.

Written from the catalogue and docs/reference-tables.md, not from the expressions. A table's row counts from the night
on which it begins: what begins after the night of the look-up is not there yet.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from plain_events import DAY, HOUR, MINUTE, History, Look, Value, bits, probability

from detector.context.reference import Reference

Row = Mapping[str, Any]
EVER, NEVER = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
#: A row of these is not known before the night on which it begins.
_BEGINS = {
    "cases": "opened_at", "case_staff": "assigned_from", "incidents": "started_at", "watchlist": "active_from",
    "publicity": "published_at",
}  # fmt: skip
#: In order of strength; those that make a look-up explained, then those that are told all the same.
COUNTING = ("case_staff", "incident", "dispatch", "hand_over", "team_case", "unit_case", "cited_case",
            "cited_unit_case", "spawned", "cited_incident", "cited_own_incident", "colleague")  # fmt: skip


@dataclass(frozen=True)
class World:
    """The reference tables, and what they say of one look-up."""

    reference: Reference

    @cached_property
    def tables(self) -> dict[str, list[Row]]:
        return {name: table.to_pylist() for name, table in self.reference.tables.items()}

    def rows(self, table: str, e: Look) -> list[Row]:
        begins = _BEGINS.get(table, "")
        midnight = datetime.combine(e.night + DAY, datetime.min.time(), UTC)
        return [row for row in self.tables[table] if not begins or row[begins] is None or row[begins] < midnight]

    # --- people -----------------------------------------------------------------------------------------------------

    def staff(self, who: str | None) -> list[Row]:
        return [row for row in self.tables["staff"] if who is not None and row["staff_id"] == who]

    def persons(self, who: str | None) -> set[str]:
        """Their person records, by the staff table."""
        return {row["person_record_id"] for row in self.staff(who)} - {None, ""}

    def own_records(self, who: str | None) -> set[str]:
        """The same, and what they declared to be themselves."""
        declared = {row["record_id"] for row in self.declared(who) if _kind(row) == "self"}
        return self.persons(who) | declared

    def homes(self, who: str | None) -> set[str]:
        """All they ever had."""
        return {row["home_address_id"] for row in self.staff(who)} - {None, ""}

    def surnames(self, who: str | None) -> set[str]:
        return {surname(row["surname"]) for row in self.staff(who)} - {""}

    def declared(self, who: str | None) -> list[Row]:
        return [row for row in self.tables["associations"] if who is not None and row["staff_id"] == who]

    def vets(self, e: Look) -> bool:
        name = f"{e.row['unit'] or ''} {e.row['role'] or ''}".lower()
        return any(word in name for word in self.reference.vetting)

    # --- records ----------------------------------------------------------------------------------------------------

    def record(self, record: str | None) -> Row:
        """The records table's row; one without values where it has none."""
        found = [row for row in self.tables["records"] if row["record_id"] == record and record is not None]
        return found[0] if found else dict.fromkeys(self.tables["records"][0])

    def touched(self, e: Look) -> set[str]:
        """The record, and the keeper of the vehicle that it is."""
        return {e.record, self.record(e.record)["vehicle_keeper_id"]} - {None, ""}

    def group(self, e: Look) -> tuple[str, int] | None:
        """Sex and band of age at the time."""
        row = self.record(e.record)
        sex, born = (row["sex"] or "")[:1].lower(), row["date_of_birth"]
        if sex not in ("f", "m") or born is None:
            return None
        age = (e.time - datetime.combine(born, datetime.min.time(), UTC)) / (365.25 * DAY)
        return None if age < 0 else (sex, sum(age >= start for start in (18, 35, 60)))

    # --- cases ------------------------------------------------------------------------------------------------------

    def cases_of(self, e: Look) -> dict[str, CaseOfLook]:
        """The case cited and those that hold the record."""
        if e.actor is None:
            return {}
        holding = {row["case_ref"] for row in self.tables["case_records"] if row["record_id"] == e.record}
        holding |= {row["case_ref"] for row in self.rows("cases", e) if row["case_ref"] == e.record}
        cited = set() if e.case is None else {e.case}
        return {case: CaseOfLook(self, e, case) for case in sorted(holding | cited)}

    def incidents_with(self, e: Look) -> list[Row]:
        return [row for row in self.rows("incidents", e) if row["record_id"] == e.record and e.record is not None]

    def cited_incidents(self, e: Look) -> list[Row]:
        return [row for row in self.rows("incidents", e) if row["incident_id"] == e.case and e.case is not None]

    def is_theirs(self, incident: Row, e: Look) -> bool:
        """The actor's, their unit's, or nobody's."""
        officer, unit = incident["staff_id"], self.officers_unit(incident)
        if officer is None and not unit:
            return True
        return (officer is not None and officer == e.actor) or (bool(unit) and unit == name(e.row["unit"]))

    def officers_unit(self, incident: Row) -> str:
        """The incident's unit, else that of the officer on it at the time."""
        named = name(incident["unit"])
        if named:
            return named
        started = incident["started_at"]
        then = [
            row
            for row in self.staff(incident["staff_id"])
            if (row["start_date"] or EVER) <= started + HOUR and (row["end_date"] or NEVER) > started
        ]
        return name(max(then, key=lambda row: row["start_date"] or EVER)["unit"]) if then else ""


@dataclass(frozen=True)
class CaseOfLook:
    """What a case has to do with a look-up."""

    world: World
    e: Look
    case: str

    @cached_property
    def row(self) -> Row | None:
        found = [row for row in self.world.rows("cases", self.e) if row["case_ref"] == self.case]
        return found[0] if found else None

    @property
    def cited(self) -> bool:
        return self.case == self.e.case

    @cached_property
    def lists(self) -> bool:
        return any(row["case_ref"] == self.case for row in self.world.tables["case_records"])

    def holds(self, record: str | None) -> bool:
        listed = any(
            (row["case_ref"], row["record_id"]) == (self.case, record) for row in self.world.tables["case_records"]
        )
        return listed or (self.row is not None and record == self.case)

    @cached_property
    def held(self) -> bool:
        return self.holds(self.e.record)

    @cached_property
    def open(self) -> bool:
        """Open, or closed lately, or opened so shortly after that the feed may have been late."""
        if self.row is None:
            return True
        opened, closed = self.row["opened_at"] or EVER, self.row["closed_at"]
        return opened <= self.e.time + 2 * DAY and (closed is None or self.e.time < closed + 28 * DAY)

    @cached_property
    def closed_at(self) -> datetime | None:
        """When it closed, if that is past."""
        closed = self.row["closed_at"] if self.row else None
        return closed if closed is not None and closed <= self.e.time else None

    @cached_property
    def assignments(self) -> list[tuple[str, datetime, datetime]]:
        """Who, since when, until when."""
        return [
            (row["staff_id"], row["assigned_from"] or EVER, row["assigned_to"] or NEVER)
            for row in self.world.rows("case_staff", self.e)
            if row["case_ref"] == self.case
        ]

    @cached_property
    def own(self) -> list[tuple[datetime, datetime]]:
        return [(since, until) for who, since, until in self.assignments if who == self.e.actor]

    @cached_property
    def on(self) -> bool:
        return any(since <= self.e.time + 2 * DAY and self.e.time < until for since, until in self.own)

    @cached_property
    def left(self) -> bool:
        """Within the 28 days before."""
        return any(until <= self.e.time < until + 28 * DAY for _, until in self.own)

    @cached_property
    def ours(self) -> bool:
        return self.row is not None and name(self.row["owning_unit"]) == name(self.e.row["unit"]) != ""

    @cached_property
    def team(self) -> bool:
        """Whether the unit is on it (from its first member's coming to its last one's going), not the actor alone."""
        unit = name(self.e.row["unit"])
        members = [
            (who, max(since, row["start_date"] or EVER), min(until, row["end_date"] or NEVER))
            for who, since, until in self.assignments
            for row in self.world.staff(who)
            if name(row["unit"]) == unit != ""
        ]
        members = [member for member in members if member[1] < member[2]]
        if not {who for who, _, _ in members} - {self.e.actor}:
            return False
        since, until = min(since for _, since, _ in members), max(until for _, _, until in members)
        return since <= self.e.time + 2 * DAY and self.e.time < until

    @cached_property
    def kind(self) -> str | None:
        """The strongest explanation that it is."""
        kinds = self.kinds
        return next((kind for kind in COUNTING if kind in kinds), None)

    @cached_property
    def kinds(self) -> set[str]:
        held, cited = self.held, self.cited and not self.held
        holds = {
            "case_staff": held and self.on,
            "hand_over": held and self.left,
            "team_case": held and self.team,
            "unit_case": held and self.ours,
            "cited_case": cited and self.on,
            "cited_unit_case": cited and not self.lists and (self.ours or self.team),
        }
        return {kind for kind, holding in holds.items() if holding and self.open}


def name(text: str | None) -> str:
    return (text or "").strip().lower()


def surname(text: str | None) -> str:
    return "".join(char for char in (text or "").lower() if char not in "'- ")


def _kind(row: Row) -> str:
    return (row["kind"] or "").lower()


def _flag(holds: bool, known: bool) -> Value:
    return 1 if holds else 0 if known else None


# --- relationship ---------------------------------------------------------------------------------------------------


def self_match(w: World, h: History, e: Look) -> Value:
    own = bool(w.touched(e) & w.own_records(e.actor)) or e.record in w.homes(e.actor)
    return _flag(own, e.actor is not None and e.record is not None and bool(w.persons(e.actor)))


def shared_address(w: World, h: History, e: Look) -> Value:
    homes, address = w.homes(e.actor), w.record(e.record)["address_id"]
    known = e.record is not None and bool(homes) and address is not None
    return _flag(bool({e.record, address} & homes), known)


def _declared(*kinds: str) -> Any:
    def tie(w: World, h: History, e: Look) -> Value:
        rows = [row for row in w.declared(e.actor) if row["record_id"] in w.touched(e)]
        wanted = [row for row in rows if (_kind(row) in kinds if kinds else _kind(row) != "self")]
        return _flag(bool(wanted), e.actor is not None and e.record is not None)

    return tie


def staff_subject(w: World, h: History, e: Look) -> Value:
    if e.actor is None or e.record is None:
        return None
    others = {row["staff_id"] for table in ("staff", "associations") for row in w.tables[table]} - {e.actor}
    return int(not w.vets(e) and any(w.touched(e) & w.own_records(other) for other in others))


def surname_rarity(w: World, h: History, e: Look) -> Value:
    theirs = surname(w.record(e.record)["surname"])
    if not theirs or not w.surnames(e.actor):
        return None
    everybody = [surname(row["surname"]) for row in w.tables["records"]]
    named = [each for each in everybody if each]
    return bits(named.count(theirs) / len(named)) if theirs in w.surnames(e.actor) else 0


# --- what explains a look-up ----------------------------------------------------------------------------------------


def explained_by(w: World, h: History, e: Look) -> set[str]:
    found = h.once(("directly", e.id), lambda: directly_explained_by(w, e))
    if found & set(COUNTING) or e.actor is None or e.record is None or e.unit is None:
        return set(found)

    def speaks(x: Look) -> bool:
        if (x.unit, x.record) != (e.unit, e.record) or x.actor in (None, e.actor) or x.time < e.time - 2 * DAY:
            return False
        return bool(h.once(("directly", x.id), lambda: directly_explained_by(w, x)) & set(COUNTING) - {"spawned"})

    colleagues = any(speaks(x) for x in (*h.earlier_nights(e, 3), *h.tonight(e)))
    return {*found, "colleague"} if colleagues else set(found)


def directly_explained_by(w: World, e: Look) -> set[str]:
    """By what the tables say of the look-up itself."""
    found: set[str] = set()
    for case in w.cases_of(e).values():
        found |= case.kinds
    for row in w.incidents_with(e):
        begins, ends = row["started_at"], row["ended_at"] or row["started_at"]
        if not begins - 2 * DAY <= e.time <= ends + 2 * DAY:
            continue
        if not w.is_theirs(row, e):
            found.add("incident_elsewhere")
        elif e.actor is not None:
            found.add("incident")
    if "incident" in found:
        found.discard("incident_elsewhere")
    for row in w.rows("incidents", e):
        theirs = row["record_id"] is None and row["staff_id"] is not None and row["staff_id"] == e.actor
        if theirs and _is_running(row, e):
            found.add("dispatch")
    cited = w.cited_incidents(e) if e.actor is not None else []
    about = {row["record_id"] for row in cited} - {None}
    for row in cited:
        begins, ends = row["started_at"], row["ended_at"] or row["started_at"]
        if row["record_id"] is not None and row["record_id"] == e.record:
            found |= {"cited_incident"} if begins - 2 * DAY <= e.time <= ends + 2 * DAY else set()
        elif row["staff_id"] == e.actor and about and e.record not in about and _is_running(row, e):
            found.add("cited_own_incident")
    if e.spawned:
        found.add("spawned")
    if e.on_behalf:
        found.add("requested")
    return found


def _is_running(incident: Row, e: Look) -> bool:
    ends = (incident["ended_at"] or incident["started_at"] + 2 * HOUR) + HOUR
    begins: datetime = incident["started_at"] - 15 * MINUTE
    return bool(begins <= e.time <= ends)


def unexplained(w: World, h: History, e: Look) -> Value:
    if e.actor is None or e.record is None or not (e.is_lookup or e.spawned):
        return None
    found: int = h.once(("unexplained", e.id), lambda: int(not explained_by(w, h, e) & set(COUNTING)))
    return found


def best(w: World, h: History, e: Look) -> str | None:
    """The strongest explanation of a look-up that counts, or '' for none; None where there is nothing to explain."""
    if not e.is_lookup or unexplained(w, h, e) is None:
        return None
    found = h.once(("explained", e.id), lambda: explained_by(w, h, e))
    return next((kind for kind in COUNTING if kind in found), "")


def explanation_surprisal(w: World, h: History, e: Look) -> Value:
    mine = best(w, h, e)
    past = [(x.context, best(w, h, x)) for x in h.past(e)]
    past = [(context, kind) for context, kind in past if kind is not None]
    if mine is None or not past:
        return None
    kinds = len(COUNTING) + 1
    anywhere = probability(sum(kind == mine for _, kind in past), len(past), 1 / kinds, kinds)
    here = [kind for context, kind in past if context == e.context]
    return bits(probability(here.count(mine), len(here), anywhere, 20))


def closed_days(w: World, h: History, e: Look) -> Value:
    cases = w.cases_of(e).values()
    asked = [case for case in cases if (case.cited if e.case is not None else case.held) and case.row is not None]
    if any(case.closed_at is None for case in asked):
        return 0
    closed = [case.closed_at for case in asked if case.closed_at is not None]
    return (e.time - max(closed)) / DAY if closed else None


def _cited(w: World, e: Look) -> CaseOfLook | None:
    return w.cases_of(e).get(e.case or "")


def reference_unknown(w: World, h: History, e: Look) -> Value:
    case = _cited(w, e)
    return None if case is None else int(case.row is None and not w.cited_incidents(e))


def reference_mismatch(w: World, h: History, e: Look) -> Value:
    case = _cited(w, e)
    if case is None:
        return None
    about = any(row["record_id"] == e.record is not None or w.is_theirs(row, e) for row in w.cited_incidents(e))
    return int(not (case.held or case.on or case.left or case.ours or case.team or about))


def reference_unlinked(w: World, h: History, e: Look) -> Value:
    case = _cited(w, e)
    return None if case is None or e.record is None or not case.lists else int(not case.held)


def reference_posthoc(w: World, h: History, e: Look) -> Value:
    case = _cited(w, e)
    if case is None:
        return None
    began = [row["started_at"] for row in w.cited_incidents(e)] if case.row is None else [case.row["opened_at"] or EVER]
    return max((max(began) - e.time) / HOUR, 0) if began else None


def revisit_gap(w: World, h: History, e: Look) -> Value:
    held = [case for case in w.cases_of(e).values() if case.held]
    if any(case.on for case in held):
        return 0
    ends = [
        min(until, e.time, case.closed_at or NEVER) for case in held for since, until in case.own if since <= e.time
    ]
    ends += [
        min(row["ended_at"] or row["started_at"], e.time)
        for row in w.incidents_with(e)
        if row["started_at"] <= e.time and row["staff_id"] == e.actor and e.actor is not None
    ]
    return (e.time - max(ends)) / DAY if ends else None


def drip_cusum(w: World, h: History, e: Look) -> Value:
    """Page's recursion, week by week; weeks are counted back from this night."""
    if best(w, h, e) is None:
        return None
    past = [x for x in h.past(e) if best(w, h, x) is not None]
    if not past:
        return None

    def unexplained_of(looks: Sequence[Look]) -> int:
        return sum(int(unexplained(w, h, x) or 0) for x in looks)

    peers = [x for x in past if x.peers == e.peers]
    p = probability(unexplained_of(peers), len(peers), unexplained_of(past) / len(past), 200) or 0.0
    tonight = [x for x in h.tonight(e) if best(w, h, x) is not None]
    own: dict[int, list[Look]] = {}
    for x in (*past, *tonight):
        if x.actor == e.actor:
            own.setdefault((e.night - x.night).days // 7, []).append(x)
    cusum = 0.0
    for week in range(max(own), -1, -1):
        n = len(own.get(week, ()))
        excess = (unexplained_of(own.get(week, ())) - n * p) / math.sqrt(n * p * (1 - p) + 1)
        cusum = max(0.0, cusum + excess - 0.5)
    return cusum


def cover_ratio(w: World, h: History, e: Look) -> Value:
    if unexplained(w, h, e) != 1:
        return None
    around = [x for x in h.tonight(e) if x.actor == e.actor and x.time > e.time - HOUR and best(w, h, x) is not None]
    return sum(unexplained(w, h, x) == 0 for x in around) / len(around) if len(around) > 1 else None


def onbehalf_gap(w: World, h: History, e: Look) -> Value:
    return None if e.on_behalf is None else unexplained(w, h, e) if e.on_behalf else 0


def plate_chain(w: World, h: History, e: Look) -> Value:
    if e.actor is None or e.record is None or unexplained(w, h, e) is None:
        return None
    plates = [
        x
        for x in h.tonight(e)[:-1]
        if x.actor == e.actor and x.time > e.time - 30 * MINUTE and unexplained(w, h, x) == 1
    ]
    kept = any(w.record(x.record)["vehicle_keeper_id"] == e.record for x in plates)
    return int(kept and unexplained(w, h, e) == 1)


# --- subject --------------------------------------------------------------------------------------------------------


def _listed(w: World, e: Look) -> set[str]:
    """The kinds of the lists that the record is on at the time."""
    return {
        _kind(row)
        for row in w.rows("watchlist", e)
        if row["record_id"] == e.record
        and (row["active_from"] or EVER) <= e.time
        and e.time < (row["active_to"] or NEVER)
    }


def watchlisted(w: World, h: History, e: Look) -> Value:
    return None if e.record is None else int(bool(_listed(w, e) - {"canary"}))


def watchlisted_uncased(w: World, h: History, e: Look) -> Value:
    found = unexplained(w, h, e)
    return None if found is None else found * (watchlisted(w, h, e) or 0)


def _on_list(*kinds: str) -> Any:
    return lambda w, h, e: None if e.record is None else int(bool(_listed(w, e) & set(kinds)))


def publicity_lag(w: World, h: History, e: Look) -> Value:
    if unexplained(w, h, e) != 1:
        return None
    lags = [(e.time - row["published_at"]) / HOUR for row in w.rows("publicity", e) if row["record_id"] == e.record]
    lags = [lag for lag in lags if abs(lag) <= 14 * 24]
    return min(lags, key=lambda lag: (abs(lag), lag < 0)) if lags else None


def stories_fed(w: World, h: History, e: Look) -> Value:
    if e.actor is None:
        return None
    stories = {(row["record_id"], row["published_at"].date()) for row in w.rows("publicity", e)}
    team = {row["case_ref"] for row in w.rows("case_staff", e) if row["staff_id"] == e.actor}
    held = {row["record_id"] for row in w.tables["case_records"] if row["case_ref"] in team}
    fed = 0
    for record, day in stories:
        before = {(day - x.night).days for x in h.earlier_nights(e, h.novelty_days) if _same(x, e.actor, record)}
        fed += 0 <= (e.night - day).days <= 180 and record not in held and any(1 <= days <= 7 for days in before)
    return fed


def _same(x: Look, actor: str, record: str) -> bool:
    return (x.actor, x.record) == (actor, record)


def cold_record(w: World, h: History, e: Look) -> Value:
    if e.record is None:
        return None
    stirred = [
        min(row["ended_at"] or row["started_at"], e.time) for row in w.incidents_with(e) if row["started_at"] <= e.time
    ]
    for row in w.rows("cases", e):
        holds = row["case_ref"] == e.record or any(
            (each["case_ref"], each["record_id"]) == (row["case_ref"], e.record) for each in w.tables["case_records"]
        )
        if holds:
            stirred.append(min(row["closed_at"] or NEVER, e.time))
    return int(not stirred or e.time - max(stirred) > timedelta(days=365))


def sensitivity_gap(w: World, h: History, e: Look) -> Value:
    if e.record is None:
        return None
    if explained_by(w, h, e) & {"case_staff", "hand_over", "incident"}:
        return 0
    past = [(x.peers, w.record(x.record)["sensitivity"]) for x in h.past(e) if x.is_lookup]
    past = [(peers, tier) for peers, tier in past if tier is not None]
    tier = w.record(e.record)["sensitivity"]
    if tier is None or not past:
        return None
    here = [tier for peers, tier in past if peers == e.peers]
    everybody = sum(tier for _, tier in past) / len(past)
    return float(tier - (sum(here) + 20 * everybody) / (len(here) + 20))


def demographic_llr(w: World, h: History, e: Look) -> Value:
    mine = w.group(e)
    if e.actor is None or mine is None:
        return None
    seen = {(x.night, x.actor, x.peers, x.record, w.group(x)) for x in h.past(e) if x.actor is not None}
    past = [(actor, peers, group) for _, actor, peers, _, group in seen if group is not None]
    own = Counter(group for actor, _, group in past if actor == e.actor)
    tonight: dict[str | None, tuple[str, int] | None] = {}
    for x in h.tonight(e):  # once a night, with the age at the first look
        if x.actor == e.actor and w.group(x) is not None:
            tonight.setdefault(x.record, w.group(x))
    n_past, mine_past = own.total(), own[mine]
    own.update(group for group in tonight.values() if group is not None)
    if own.total() < 10 or not past:
        return None
    peers = [group for _, theirs, group in past if theirs == e.peers]
    everybody = probability(sum(group == mine for _, _, group in past), len(past), 1 / 8, 8)
    others, of_mine = max(len(peers) - n_past, 0), max(peers.count(mine) - mine_past, 0)
    p = probability(of_mine, others, everybody, 50) or 0.0
    n, q = own.total(), own[mine] / own.total()
    if q <= p:
        return 0
    return n * (q * math.log2(q / p) + ((1 - q) * math.log2((1 - q) / (1 - p)) if q < 1 else 0))


def address_sweep(w: World, h: History, e: Look) -> Value:
    address = w.record(e.record)["address_id"]
    if e.actor is None or address is None:
        return None
    around = [x for x in h.tonight(e) if x.actor == e.actor and x.time > e.time - 30 * MINUTE]
    return len({x.record for x in around if w.record(x.record)["address_id"] == address})


def own_case_view(w: World, h: History, e: Look) -> Value:
    persons = w.persons(e.actor)
    if e.actor is None or (e.record is None and e.case is None) or not persons:
        return None
    read = [case for case in w.cases_of(e).values() if case.cited or e.record not in persons]
    return int(any(case.holds(person) for case in read for person in persons))


# --- duty -----------------------------------------------------------------------------------------------------------


def off_shift_minutes(w: World, h: History, e: Look) -> Value:
    if e.actor is None:
        return None
    shifts = [row for row in w.tables["shifts"] if row["staff_id"] == e.actor]
    off = [max(row["shift_start"] - e.time, e.time - row["shift_end"], timedelta()) for row in shifts]
    near = [each for each in off if each <= 3 * DAY]
    return min(near) / MINUTE if near else None


def _absences(w: World, e: Look) -> list[Row]:
    return [
        row
        for row in w.tables["absences"]
        if row["staff_id"] == e.actor
        and (row["absent_from"] or EVER) <= e.time
        and e.time < (row["absent_to"] or NEVER)
    ]


def _last_day(w: World, e: Look) -> datetime | None:
    ends = [row["end_date"] for row in w.staff(e.actor)]
    return None if None in ends or not ends else max(ends)


def absent_or_left(w: World, h: History, e: Look) -> Value:
    if not w.staff(e.actor):
        return None
    last = _last_day(w, e)
    return int(bool(_absences(w, e)) or (last is not None and e.time >= last))


def suspended(w: World, h: History, e: Look) -> Value:
    return None if e.actor is None else int(any("suspen" in _kind(row) for row in _absences(w, e)))


def days_to_leaving(w: World, h: History, e: Look) -> Value:
    last = _last_day(w, e)
    return None if last is None or not last - 28 * DAY <= e.time < last else (last - e.time) / DAY


_OF_WORLD: dict[str, Any] = {
    "self_match": self_match,
    "surname_rarity": surname_rarity,
    "shared_address": shared_address,
    "staff_subject": staff_subject,
    "declared_link": _declared(),
    "family_link": _declared("family", "relative", "parent", "child", "sibling"),
    "partner_link": _declared("partner", "former_partner", "spouse", "former_spouse"),
    "unexplained": unexplained,
    "explanation_surprisal": explanation_surprisal,
    "closed_days": closed_days,
    "reference_unknown": reference_unknown,
    "reference_mismatch": reference_mismatch,
    "reference_unlinked": reference_unlinked,
    "reference_posthoc": reference_posthoc,
    "revisit_gap": revisit_gap,
    "drip_cusum": drip_cusum,
    "cover_ratio": cover_ratio,
    "onbehalf_gap": onbehalf_gap,
    "plate_chain": plate_chain,
    "watchlisted": watchlisted,
    "watchlisted_uncased": watchlisted_uncased,
    "canary_record": _on_list("canary"),
    "organised_crime_record": _on_list("organised_crime"),
    "high_profile_record": _on_list("vip", "high_profile", "protected"),
    "publicity_lag": publicity_lag,
    "stories_fed": stories_fed,
    "cold_record": cold_record,
    "sensitivity_gap": sensitivity_gap,
    "demographic_llr": demographic_llr,
    "address_sweep": address_sweep,
    "own_case_view": own_case_view,
    "off_shift_minutes": off_shift_minutes,
    "absent_or_left": absent_or_left,
    "suspended": suspended,
    "days_to_leaving": days_to_leaving,
}


def of_reference(reference: Reference) -> dict[str, Any]:
    """Name -> feature, as in OF_THE_LOG, with these tables."""
    world = World(reference)
    return {name: partial(plain, world) for name, plain in _OF_WORLD.items()}
