"""Planted misuse, one function an episode, and beside it the legitimate twins that must not drown it.

Each begins in the third week or runs through all five, so that there is a usual to differ from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from making.dice import Dice
from making.force import DAYS, FIRST_DAY, Force, Person, duty
from making.habits import ALPR_REASONS, STOP_REASONS, Turn, check_person, check_plate, footage, keeper, network
from making.log import Log, at


@contextmanager
def _episode(log: Log, episode: str, scenario: str) -> Iterator[None]:
    log.episode, log.scenario = episode, scenario
    yield
    log.episode, log.scenario = "", ""


def _turn(log: Log, dice: Dice, force: Force, person: Person, day: int) -> Turn:
    start = at(day, 8)
    return Turn(log, dice, force, person, (start, start + timedelta(hours=8)))


def stalking_plate(log: Log, dice: Dice, force: Force) -> None:
    """One plate, two or three times a week for five weeks, each time with another reason."""
    person, plate = force.unit("Response")[4], force.plates[611]
    with _episode(log, "E01", "stalking_plate"):
        for day in (1, 3, 4, 7, 9, 12, 14, 15, 18, 20, 21, 23, 25, 26, 28, 30, 31, 32, 33, 34):
            for _ in range(dice.between(1, 2)):
                reason, ref = dice.one(ALPR_REASONS), f"NM/{dice.digits(5)}/26"
                network(log, person, at(day, dice.between(6, 23), dice.between(0, 59)), plate, reason, ref, 212)


def streak(log: Log, dice: Dice, force: Force) -> None:
    """Searches on nineteen days running, rest days and leave among them."""
    person = force.unit("Neighbourhood")[3]
    with _episode(log, "E02", "streak_of_days"):
        for day in range(13, 32):
            for _ in range(dice.between(2, 4)):
                when = at(day, dice.between(18, 22), dice.between(0, 59), dice.between(0, 59))
                log.add(
                    "portal", when, person, "search", reason_text=dice.one(ALPR_REASONS), case_ref="", scope_count=94
                )


def identical_reason(log: Log, dice: Dice, force: Force) -> None:
    """Every search on every network, every one 'investigation'."""
    person = force.unit("Proactive team")[2]
    with _episode(log, "E03", "identical_reason"):
        for day in range(14, DAYS):
            if duty(person, FIRST_DAY + timedelta(days=day)):
                for _ in range(dice.between(5, 7)):
                    when = at(day, dice.between(13, 20), dice.between(0, 59), dice.between(0, 59))
                    log.add(
                        "portal", when, person, "search", reason_text="investigation", case_ref="", scope_count=2510
                    )


def bulk_export(log: Log, dice: Dice, force: Force) -> None:
    """One late evening, forty people's files exported, hundreds of pages, for a case long known to the office."""
    person, case = force.unit("Domestic abuse unit")[1], force.cases_of("Domestic abuse unit")[2]
    with _episode(log, "E04", "bulk_export"):
        for i, subject in enumerate(dice.some(force.persons, 40)):
            log.add(
                "cris", at(23, 21, 5 + i, dice.between(0, 59)), person, "export", record_type="person",
                record_id=subject, reason_text="file review", case_ref=case.case_ref, purpose_code="INV",
                export_count=dice.between(20, 45), outcome="success",
            )  # fmt: skip


def burst(log: Log, dice: Dice, force: Force) -> None:
    """Sixty people in twenty minutes, an hour before the turn ends, with no incident behind them."""
    person = force.unit("Response")[8]
    turn = _turn(log, dice, force, person, 24)
    with _episode(log, "E05", "burst"):
        for i, subject in enumerate(dice.some(force.persons, 60)):
            check_person(turn, at(24, 13, 10, 20 * i), subject, "enquiries", None)


def night_herd(log: Log, dice: Dice, force: Force) -> None:
    """A well-known name is arrested; in two nights thirteen people with no part in it open the file."""
    case, subject = force.cases_of("Murder room")[0], force.cases_of("Murder room")[0].people[0]
    crowd = [p for u in ("Neighbourhood", "Custody", "Control room", "Vetting") for p in force.unit(u)[:4]][:13]
    with _episode(log, "E06", "curiosity_herd"):
        for person in crowd:
            for _ in range(dice.between(1, 2)):
                log.add(
                    "cris", at(19 + dice.between(0, 1), 22 + dice.between(0, 5), dice.between(0, 59)), person, "view",
                    record_type="person", record_id=subject, reason_text="", outcome="success",
                )  # fmt: skip
    for person in force.unit("Murder room"):  # the legitimate twin: the team itself, all day, with its case
        for hour in (9, 11, 14, 16):
            log.add(
                "cris", at(19, hour, dice.between(0, 59)), person, "view", record_type="person", record_id=subject,
                reason_text="homicide investigation", case_ref=case.case_ref, purpose_code="INV", outcome="success",
            )  # fmt: skip


def two_terminals(log: Log, dice: Dice, force: Force) -> None:
    """One log-in at two stations at once: somebody else keys under it, minutes apart, three evenings."""
    person = force.unit("Response")[11]
    elsewhere = replace(person, terminal="CUST-09")
    with _episode(log, "E07", "two_terminals"):
        for day in (22, 27, 29):
            for i in range(12):
                turn = _turn(log, dice, force, elsewhere if i % 2 else person, day)
                reason = dice.one(STOP_REASONS)
                check_person(
                    turn, at(day, 19, 5 * i, dice.between(0, 59)), dice.one(force.persons), reason, turn.incident()
                )


def case_reuse(log: Log, dice: Dice, force: Force) -> None:
    """One crime number given for thirty people who have nothing to do with it or with each other."""
    person, ref = force.unit("Neighbourhood")[0], force.cases_of("Neighbourhood")[5].case_ref
    with _episode(log, "E08", "case_reference_reuse"):
        for i, subject in enumerate(dice.some(force.persons, 30)):
            day = (15, 16, 17, 18, 21, 22, 23, 24, 25, 28)[i // 3]
            turn = _turn(log, dice, force, person, day)
            check_person(turn, turn.moment(), subject, "burglary enquiries", ref)


def private_investigator(log: Log, dice: Dice, force: Force) -> None:
    """A steady drip: two plates and their keepers at the end of every turn, never linked, never a case."""
    person = force.unit("Response")[1]
    with _episode(log, "E09", "private_investigator_drip"):
        for day in range(DAYS):
            span = duty(person, FIRST_DAY + timedelta(days=day))
            if span:
                turn = Turn(log, dice, force, person, span)
                for i, plate in enumerate(dice.some(force.plates, 2)):
                    when = span[1] - timedelta(minutes=14 - 6 * i)
                    check_plate(turn, when, plate, "vehicle check", "")
                    check_person(turn, when + timedelta(minutes=2), keeper(force, plate), "vehicle check", "")


def former_partner(log: Log, dice: Dice, force: Force) -> None:
    """The same person's file and custody record over five weeks, evenings and weekends, no case."""
    person, subject = force.unit("Evidence store")[1], force.persons[977]
    with _episode(log, "E10", "former_partner"):
        for day in (2, 5, 6, 11, 13, 16, 19, 20, 24, 27, 30, 33):
            when = at(day, dice.between(19, 23), dice.between(0, 59))
            log.add(
                "cris", when, person, "view", record_type="person", record_id=subject, reason_text="checking details",
                outcome="success",
            )  # fmt: skip
            if dice.chance(0.5):
                log.add(
                    "custody", when + timedelta(minutes=3), person, "view", record_type="custody",
                    record_id=f"CUS-{subject[4:]}", reason_text="checking details", outcome="success",
                    source_ip="10.20.4.91",
                )  # fmt: skip


def footage_at_night(log: Log, dice: Dice, force: Force) -> None:
    """Body-worn footage of other people's cases, thirty files between two and three in the morning."""
    person = force.unit("Control room")[2]
    with _episode(log, "E11", "footage_at_night"):
        for i in range(30):
            case = dice.one(force.cases)
            footage(log, person, at(26, 26, 2 * i, dice.between(0, 59)), "view", case.case_ref, dice.between(1, 5))


def intelligence_trawl(log: Log, dice: Dice, force: Force) -> None:
    """Broad searches, hundreds of hits each, and one report opened out of each: fishing for a target."""
    person = force.unit("Custody")[1]
    with _episode(log, "E12", "intelligence_trawl"):
        for day in (17, 20, 25, 31):
            for i in range(6):
                when = at(day, 23, 7 * i, dice.between(0, 59))
                same = {"reason_text": "intel check", "source_ip": "10.20.9.77", "outcome": "success"}
                log.add(
                    "intel", when, person, "search", record_type="intelligence",
                    query_text=f"street={dice.letters(2)}*", result_count=dice.between(300, 900), **same,
                )  # fmt: skip
                subject = dice.one(force.persons)
                log.add(
                    "intel", when + timedelta(minutes=2), person, "view", record_type="intelligence",
                    record_id=f"INT-{subject[4:]}", result_count=1, **same,
                )  # fmt: skip


def fugitive_hunt(log: Log, dice: Dice, force: Force) -> None:
    """No misuse: three operators search one plate thirty times in three days, for one case, until it is found."""
    case = force.cases_of("ANPR desk")[0]
    for i in range(30):
        person = force.unit("ANPR desk")[i % 3]
        network(
            log,
            person,
            at(22 + i // 10, 7 + i % 10, dice.between(0, 59)),
            case.plates[0],
            "fugitive",
            case.case_ref,
            2510,
        )


def live_incident(log: Log, dice: Dice, force: Force) -> None:
    """No misuse: a stabbing in the High Street, and every dispatcher and patrol looks at one person within an hour."""
    subject, incident = force.persons[402], "INC-0320-0777"
    for person in force.unit("Control room") + force.unit("Response")[:7]:
        turn = _turn(log, dice, force, person, 18)
        check_person(turn, at(18, 20, dice.between(0, 55)), subject, "stabbing High Street", incident)


PLANTED: Sequence[Callable[[Log, Dice, Force], None]] = (
    stalking_plate, streak, identical_reason, bulk_export, burst, night_herd, two_terminals, case_reuse,
    private_investigator, former_partner, footage_at_night, intelligence_trawl,
)  # fmt: skip
TWINS: Sequence[Callable[[Log, Dice, Force], None]] = (fugitive_hunt, live_incident)


def plant(log: Log, dice: Dice, force: Force) -> None:
    for episode in (*PLANTED, *TWINS):
        episode(log, dice, force)
