"""What each unit does on an ordinary turn of duty: a function a unit, with the legitimate twins of misuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from making.dice import Dice
from making.force import DAYS, FIRST_DAY, Case, Force, Person, duty
from making.log import Log, at

STOP_REASONS = (
    "stop check",
    "vehicle stop A46",
    "no insurance marker",
    "RTC driver",
    "insecure vehicle",
    "manner of driving",
)
CALL_REASONS = (
    "domestic, attending",
    "shoplifter detained",
    "concern for safety",
    "fight outside pub",
    "arrest enquiry",
)
ALPR_REASONS = (
    "stolen vehicle",
    "missing person",
    "burglary suspect vehicle",
    "hit and run",
    "robbery - see log",
    "BOLO",
)
#: What careless and hostile fingers leave in a free text; every reader must carry it through unharmed.
ODD_REASONS = (
    '=HYPERLINK("http://example.invalid","see log")',
    "<script>alert(1)</script> stop check",
    'witness said "blue van", see log',
    "stop check,\nsecond line typed by mistake",
    "contrôle routier, chauffeur étranger",
    "\u202estop check\u202c",
)


class Turn:
    """One person's turn of duty, and the moments in it."""

    def __init__(self, log: Log, dice: Dice, force: Force, person: Person, span: tuple[datetime, datetime]) -> None:
        self.log, self.dice, self.force, self.person = log, dice, force, person
        self.start, self.minutes = span[0], int((span[1] - span[0]).total_seconds() / 60)

    def moment(self) -> datetime:
        return self.start + timedelta(minutes=self.dice.between(4, self.minutes - 25), seconds=self.dice.between(0, 59))

    def case(self, unit: str) -> Case:
        """Two or three cases keep a detective busy at a time."""
        cases = self.force.cases_of(unit)
        mine = int(self.person.staff_id[2:]) + (self.start.date() - FIRST_DAY).days // 7
        return cases[(mine + self.dice.between(0, 2)) % len(cases)]

    def incident(self) -> str:
        return f"INC-{self.start:%m%d}-{self.dice.between(1, 240):04d}"


def check_plate(turn: Turn, when: datetime, plate: str, reason: str, case_ref: str, feed: str = "pnc") -> None:
    """A vehicle check; the system looks up the keeper by itself, two in three times."""
    none = turn.dice.chance(0.12)
    first = turn.log.add(
        feed, when, turn.person, "search", transaction_code="VE", reason_text=reason, case_ref=case_ref,
        purpose_code="04", record_type="vehicle", record_id=None if none else f"VEH-{plate.replace(' ', '')}",
        query_text=plate, result_count=0 if none else 1, outcome="no_trace" if none else "success",
    )  # fmt: skip
    if not none and turn.dice.chance(0.66):
        turn.log.add(
            feed, when + timedelta(seconds=1), turn.person, "search", transaction_code="NE", reason_text=reason,
            case_ref=case_ref, purpose_code="04", record_type="person", record_id=keeper(turn.force, plate),
            result_count=1, outcome="success", parent_id=first.event_id, is_automatic=True,
        )  # fmt: skip


def keeper(force: Force, plate: str) -> str:
    return force.persons[(force.plates.index(plate) * 7) % len(force.persons)]


def check_person(turn: Turn, when: datetime, person: str, reason: str, case_ref: str | None, **more: object) -> None:
    none = turn.dice.chance(0.15)
    fields: dict[str, object] = {
        "transaction_code": "NE", "purpose_code": "02", "reason_text": reason, "case_ref": case_ref,
        "record_type": "person", "record_id": None if none else person, "query_text": f"{person[4:]}/*",
        "result_count": 0 if none else turn.dice.between(1, 4), "outcome": "no_trace" if none else "success", **more,
    }  # fmt: skip
    turn.log.add("pnc", when, turn.person, "search", **fields)


def response(turn: Turn) -> None:
    for _ in range(turn.dice.between(2, 4)):
        when, incident, stop = turn.moment(), turn.incident(), turn.dice.chance(0.55)
        reason = turn.dice.one(STOP_REASONS if stop else CALL_REASONS)
        if turn.dice.chance(0.004):
            reason = turn.dice.one(ODD_REASONS)
        if stop:
            check_plate(turn, when, turn.dice.one(turn.force.plates), reason, incident)
        for i in range(turn.dice.between(1, 2)):
            later = when + timedelta(minutes=2 + 3 * i, seconds=turn.dice.between(0, 90))
            check_person(turn, later, turn.dice.one(turn.force.persons), reason, incident)


def control_room(turn: Turn) -> None:
    for _ in range(turn.dice.between(5, 9)):
        when, incident = turn.moment(), turn.incident()
        reason = turn.dice.one(CALL_REASONS)
        check_person(turn, when, turn.dice.one(turn.force.persons), reason, incident, purpose_code="01")


def neighbourhood(turn: Turn) -> None:
    case = turn.case("Neighbourhood")
    for _ in range(turn.dice.between(2, 4)):
        subject = turn.dice.one(case.people) if turn.dice.chance(0.7) else turn.dice.one(turn.force.persons)
        check_person(turn, turn.moment(), subject, f"{case.offence} enquiries", case.case_ref)


def bureau(turn: Turn) -> None:
    """Keys for others all day, over the radio: the requester accounts for it."""
    patrols = turn.force.unit("Response") + turn.force.unit("Neighbourhood") + turn.force.unit("Proactive team")
    others = [p for p in patrols if duty(p, turn.start.date())]
    for _ in range(turn.dice.between(14, 20)):
        asks = turn.dice.one(others)
        vehicle = turn.dice.chance(0.5)
        turn.log.add(
            "bureau", turn.moment(), turn.person, "search", transaction_code="VE" if vehicle else "NE",
            requester_id=asks.staff_id, reason_text=turn.dice.one(STOP_REASONS),
            case_ref=turn.incident(),
            query_text=turn.dice.one(turn.force.plates) if vehicle else turn.dice.one(turn.force.persons),
        )  # fmt: skip


def _crime_file(turn: Turn, unit: str, visits: int) -> None:
    """Opens a case, reads its people, writes it up, prints now and then."""
    for _ in range(visits):
        when, case = turn.moment(), turn.case(unit)
        same = {"case_ref": case.case_ref, "reason_text": f"{case.offence} investigation", "purpose_code": "INV"}
        turn.log.add(
            "cris", when, turn.person, "view", record_type="crime", record_id=case.case_ref, result_count=1,
            outcome="success", **same,
        )  # fmt: skip
        for i, person in enumerate(turn.dice.some(case.people, turn.dice.between(1, 3))):
            then = when + timedelta(minutes=3 * i + 2, seconds=turn.dice.between(0, 50))
            turn.log.add(
                "cris", then, turn.person, "view", record_type="person", record_id=person, outcome="success", **same
            )
        ending = turn.dice.between(1, 10)
        if ending <= 3:
            action, count = ("update", None) if ending < 3 else ("print", turn.dice.between(1, 6))
            turn.log.add(
                "cris", when + timedelta(minutes=15), turn.person, action, record_type="crime", record_id=case.case_ref,
                export_count=count, outcome="success", **same,
            )  # fmt: skip


def murder_room(turn: Turn) -> None:
    _crime_file(turn, "Murder room", turn.dice.between(3, 5))


def domestic_abuse(turn: Turn) -> None:
    """Looks at the same few people again and again: the legitimate twin of stalking."""
    _crime_file(turn, "Domestic abuse unit", turn.dice.between(2, 3))
    if turn.dice.chance(0.5):
        case = turn.case("Domestic abuse unit")
        _custody_view(turn, turn.moment(), case.people[0], "bail condition recheck", case.case_ref)


def _custody_view(turn: Turn, when: datetime, person: str, reason: str, case_ref: str, action: str = "view") -> None:
    turn.log.add(
        "custody", when, turn.person, action, record_type="custody", record_id=f"CUS-{person[4:]}", reason_text=reason,
        case_ref=case_ref, outcome="success", source_ip=f"10.20.4.{10 + int(turn.person.staff_id[2:]) % 60}",
    )  # fmt: skip


def custody(turn: Turn) -> None:
    for _ in range(turn.dice.between(3, 6)):
        when, person, ref = (
            turn.moment(),
            turn.dice.one(turn.force.persons),
            f"CR-{turn.start:%m%d}-{turn.dice.digits(3)}",
        )
        _custody_view(turn, when, person, "detention log", ref, "create")
        _custody_view(turn, when + timedelta(minutes=turn.dice.between(5, 20)), person, "detention review", ref)


def proactive(turn: Turn) -> None:
    case = turn.case("Proactive team")
    for _ in range(turn.dice.between(2, 4)):
        check_person(turn, turn.moment(), turn.dice.one(case.people), f"op KESTREL {case.offence}", case.case_ref)
    check_plate(turn, turn.moment(), turn.dice.one(case.plates), "op KESTREL subject vehicle", case.case_ref)
    _intelligence(turn, case, turn.dice.between(1, 2))


def _intelligence(turn: Turn, case: Case, count: int) -> None:
    for _ in range(count):
        person = turn.dice.one(case.people)
        turn.log.add(
            "intel", turn.moment(), turn.person, turn.dice.one(("search", "view", "view")), record_type="intelligence",
            record_id=f"INT-{person[4:]}", reason_text=f"{case.offence} development", case_ref=case.case_ref,
            query_text=person, result_count=turn.dice.between(1, 30), outcome="success",
            source_ip=f"10.20.9.{10 + int(turn.person.staff_id[2:]) % 60}",
        )  # fmt: skip


def intelligence(turn: Turn) -> None:
    for _ in range(turn.dice.between(2, 3)):
        _intelligence(turn, turn.dice.one(turn.force.cases), turn.dice.between(1, 2))


def anpr_desk(turn: Turn) -> None:
    for _ in range(turn.dice.between(9, 14)):
        case = turn.dice.one(turn.force.cases_of("ANPR desk"))
        _portal(turn, turn.moment(), turn.dice.one(ALPR_REASONS), case.case_ref, case.offence)
    for _ in range(turn.dice.between(2, 4)):
        case = turn.dice.one(turn.force.cases_of("ANPR desk"))
        network(turn.log, turn.person, turn.moment(), turn.dice.one(case.plates), case.offence, case.case_ref)


def _portal(turn: Turn, when: datetime, reason: str, case_ref: str, offence: str) -> None:
    turn.log.add(
        "portal", when, turn.person, "search", reason_text=reason, case_ref=case_ref, purpose_code=offence,
        scope_count=turn.dice.one((94, 94, 94, 212, 2510)),
    )  # fmt: skip


def network(
    log: Log, person: Person, when: datetime, plate: str, reason: str, case_ref: str, networks: int = 94
) -> None:
    log.add(
        "network", when, person, "search", query_text=plate, reason_text=reason, case_ref=case_ref, scope_count=networks
    )


def vetting(turn: Turn) -> None:
    for _ in range(turn.dice.between(3, 6)):
        person = turn.dice.one(turn.force.persons)
        turn.log.add(
            "cris", turn.moment(), turn.person, "search", record_type="person", record_id=person, purpose_code="VET",
            reason_text="vetting renewal", case_ref=f"VET-{turn.dice.digits(4)}", result_count=1, outcome="success",
        )  # fmt: skip


def evidence_store(turn: Turn) -> None:
    for _ in range(turn.dice.between(5, 9)):
        case = turn.dice.one(turn.force.cases)
        action = turn.dice.one(("view", "view", "view", "create"))
        footage(turn.log, turn.person, turn.moment(), action, case.case_ref, turn.dice.between(1, 5))


def footage(log: Log, person: Person, when: datetime, action: str, case_ref: str, number: int) -> None:
    log.add(
        "evidence", when, person, action, record_type="footage", record_id=f"{case_ref}/bwv-{number:02d}.mp4",
        source_ip=f"10.20.7.{10 + int(person.staff_id[2:]) % 60}",
    )  # fmt: skip


HABITS: dict[str, Callable[[Turn], None]] = {
    "Response": response,
    "Control room": control_room,
    "Custody": custody,
    "Murder room": murder_room,
    "Domestic abuse unit": domestic_abuse,
    "Proactive team": proactive,
    "Intelligence": intelligence,
    "PNC bureau": bureau,
    "ANPR desk": anpr_desk,
    "Neighbourhood": neighbourhood,
    "Vetting": vetting,
    "Evidence store": evidence_store,
}

#: Agencies that share the camera network; its organisation audit names no person.
AGENCIES = (
    "Eastmere Sheriff", "Fenwick Constabulary", "Greyhaven PD", "Hartsdown Police", "Kelby County", "Lowfold PD",
    "Marrow Bay Police", "Northmoor Police", "Oxley Marshals", "Pellworth PD",
)  # fmt: skip


def organisations(log: Log, dice: Dice, agencies: Sequence[Person], day: date) -> None:
    """What other agencies searched for on the shared camera network."""
    midnight = at((day - FIRST_DAY).days, 0)
    for agency in agencies:
        for _ in range(dice.between(0, 3)):
            when = midnight + timedelta(minutes=dice.between(300, 1380), seconds=dice.between(0, 59))
            log.add(
                "organisations",
                when,
                agency,
                "search",
                reason_text=dice.one(ALPR_REASONS),
                scope_count=dice.between(60, 95),
            )


def ordinary_days(log: Log, dice: Dice, force: Force, agencies: Sequence[Person]) -> None:
    """Five weeks of everybody's duties; one person in twelve is away on a day."""
    for number in range(DAYS):
        day = FIRST_DAY + timedelta(days=number)
        for person in force.people:
            span = duty(person, day)
            if span and not dice.chance(1 / 12):
                HABITS[person.unit](Turn(log, dice, force, person, span))
        organisations(log, dice, agencies, day)
