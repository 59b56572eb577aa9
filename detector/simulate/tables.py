"""The reference tables as the force keeps them: with rows missing, late or wrong, as many as the options say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from detector.schema import REFERENCE_TABLES
from detector.simulate.casework import CASE_TYPES
from detector.simulate.chance import Bools, Ints, Rng, happens, repeat, stream, whole
from detector.simulate.clock import MINUTE, SECOND
from detector.simulate.indices import INTELLIGENCE, PERSON, VEHICLE
from detector.simulate.jobs import Incidents
from detector.simulate.misuse import Misuse
from detector.simulate.names import FORENAMES, SURNAMES
from detector.simulate.organisation import KINDS
from detector.simulate.people import NEVER, RANKS
from detector.simulate.render import Texts
from detector.simulate.roster import ABSENCE_KINDS
from detector.simulate.ties import TIE_KINDS, WATCH_KINDS
from detector.simulate.world import World

#: Of the rows that are affected: missing altogether, dated too late, or with a wrong value. The rest are fine.
_MISSING, _LATE = 0.6, 0.2


@dataclass(frozen=True)
class Faults:
    """For each row of one table: whether it is missing, late, wrong."""

    missing: Bools
    late: Bools
    wrong: Bools

    @classmethod
    def drawn(cls, rng: Rng, rows: int, share: float) -> Faults:
        chance = rng.random(rows)
        missing = chance < share * _MISSING
        late = (chance >= share * _MISSING) & (chance < share * (_MISSING + _LATE))
        return cls(missing, late, (chance >= share * (_MISSING + _LATE)) & (chance < share))


class ReferenceWriter:
    """Writes the tables into a folder; the incidents a day at a time, the others at the end."""

    def __init__(self, world: World, texts: Texts, folder: Path) -> None:
        self.world, self.texts, self.folder = world, texts, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._incidents = _CsvFile(folder / "incidents.csv", "incidents")

    def incidents(self, day: int, incidents: Incidents) -> None:
        """The incident log of one local day, in order of start."""
        rng, world = self._rng("incidents", day), self.world
        faults = Faults.drawn(rng, len(incidents.number), world.options.reference_gaps)
        start = world.clock.utc(incidents.start) + np.where(
            faults.late, whole(rng.exponential(90, len(faults.late))) * MINUTE, 0
        )
        end = np.maximum(world.clock.utc(incidents.end), start)
        staff = np.where(faults.wrong, rng.permutation(incidents.staff), incidents.staff)
        unit = world.staff.unit_on(day)[np.maximum(staff, 0)]
        table = pa.table(
            {
                "incident_id": pc.binary_join_element_wise(
                    "INC-", pc.cast(pa.array(incidents.number), pa.string()), ""
                ),
                "started_at": _instants(start),
                "ended_at": _instants(end),
                "record_id": self.texts.record_ids.take(pa.array(incidents.record)),
                "unit": self.texts.units.take(pa.array(unit)),
                "staff_id": self.texts.staff_ids.take(pa.array(staff, mask=staff < 0)),
            }
        )
        order = np.lexsort((incidents.record, start))
        self._incidents.add(table.take(pa.array(order[~faults.missing[order]])))

    def finish(self, misuse: Misuse, touched: Bools) -> None:
        """Every other table; `touched` says which records occur in the events."""
        self._incidents.close()
        tables: dict[str, Callable[[], pa.Table]] = {
            "staff": self._staff, "shifts": self._shifts, "absences": self._absences, "cases": self._cases,
            "case_staff": self._case_staff, "case_records": lambda: self._case_records(misuse, touched),
            "associations": lambda: self._associations(touched), "watchlist": lambda: self._watchlist(touched),
            "publicity": self._publicity,
        }  # fmt: skip
        for name, make in tables.items():
            _write(self.folder / f"{name}.csv", name, make())
        touched[: 4 * len(self.world.staff)] = True
        _write(self.folder / "records.csv", "records", self._records(touched))

    def _rng(self, name: str, *more: object) -> Rng:
        return stream(self.world.options.seed, "reference", name, *more)

    def _faults(self, name: str, rows: int, share: float = 1.0) -> tuple[Rng, Faults]:
        rng = self._rng(name)
        return rng, Faults.drawn(rng, rows, self.world.options.reference_gaps * share)

    def _ids(self, records: Ints) -> pa.Array:
        return self.texts.record_ids.take(pa.array(records))

    def _people(self, staff: Ints) -> pa.Array:
        return self.texts.staff_ids.take(pa.array(staff))

    def _dates(self, day: Ints, known: Bools) -> pa.Array:
        """Days of the run as dates; blank where not known."""
        since = (self.world.clock.first.toordinal() - 719_163 + day).astype(np.int32)
        return pc.fill_null(pa.array(since, mask=~known).cast(pa.date32()).cast(pa.string()), "")

    def _moments(self, day: Ints, minute: Ints, known: Bools) -> pa.Array:
        local = self.world.clock.at(day, minute)
        return pc.if_else(pa.array(known), _instants(self.world.clock.utc(local)), "")

    def _staff(self) -> pa.Table:
        """A row a person, two for those who moved; a personnel system lags, but forgets few."""
        world, people = self.world, self.world.staff
        moved = np.flatnonzero(people.moves_on < NEVER)
        who = np.concatenate([np.arange(len(people)), moved])
        second = np.arange(len(who)) >= len(people)
        rng, faults = self._faults("staff", len(who), 0.5)
        unit = np.where(second, people.unit_after[who], people.unit[who])
        unit = np.where(faults.wrong, rng.permutation(unit), unit)
        lag = np.where(faults.late, whole(rng.uniform(5, 40, len(who))), 0)
        start = np.where(second, people.moves_on[who] + lag, people.starts_on[who])
        end = np.where(
            ~second & (people.moves_on[who] < NEVER), people.moves_on[who] - 1 + lag, people.ends_on[who] + lag
        )
        indices = world.indices
        kind = world.units.kind[unit]
        table = pa.table(
            {
                "staff_id": self._people(who),
                "surname": pa.array(SURNAMES).take(pa.array(indices.surname[who])),
                "forename": pa.array(FORENAMES).take(pa.array(indices.forename[who])),
                "date_of_birth": _births(indices.birth[who]),
                "sex": _sexes(indices.female[who]),
                "role": pa.array([KINDS[k].role for k in kind]),
                "rank": pa.array(RANKS).take(pa.array(people.rank[who])),
                "unit": self.texts.units.take(pa.array(unit)),
                "manager_id": self._people(people.manager[who]),
                "start_date": self._dates(start, np.ones(len(who), dtype=np.bool_)),
                "end_date": self._dates(end, end < NEVER),
                "home_address_id": self._ids(indices.addresses(who)),
                "person_record_id": self._ids(who),
            }
        )
        order = np.lexsort((second, people.number[who]))
        return table.take(pa.array(order[~faults.missing[order]]))

    def _shifts(self) -> pa.Table:
        roster = self.world.roster
        day, who = np.nonzero(roster.listed.T)
        rng, faults = self._faults("shifts", len(who))
        slip = np.where(faults.wrong, whole(rng.normal(0, 150, len(who))), 0)
        begin = whole(roster.begin[who, day]) // 15 * 15 + slip
        finish = (whole(roster.planned_finish[who, day]) + 14) // 15 * 15 + slip
        sure = np.ones(len(who), dtype=np.bool_)
        table = pa.table(
            {
                "staff_id": self._people(who),
                "shift_start": self._moments(day, begin, sure),
                "shift_end": self._moments(day, finish, sure),
            }
        )
        order = np.lexsort((self.world.staff.number[who], day))
        return table.take(pa.array(order[~faults.missing[order]]))

    def _absences(self) -> pa.Table:
        away = self.world.roster.absences
        rng, faults = self._faults("absences", len(away.staff))
        first = away.first + np.where(faults.late, whole(rng.uniform(1, 6, len(away.staff))), 0)
        last = np.maximum(away.last + np.where(faults.wrong, whole(rng.uniform(-4, 5, len(away.staff))), 0), first)
        sure = np.ones(len(first), dtype=np.bool_)
        table = pa.table(
            {
                "staff_id": self._people(away.staff),
                "absent_from": self._dates(first, sure),
                "absent_to": self._dates(last, sure),
                "kind": pa.array(ABSENCE_KINDS).take(pa.array(away.kind)),
            }
        )
        order = np.lexsort((self.world.staff.number[away.staff], first))
        return table.take(pa.array(order[~faults.missing[order]]))

    def _cases(self) -> pa.Table:
        outline = self.world.cases.outline
        count = len(outline.opened)
        rng, faults = self._faults("cases", count)
        opened = outline.opened + np.where(faults.late, whole(rng.uniform(1, 10, count)), 0)
        closed = np.maximum(outline.closed, opened) + np.where(faults.late, 5, 0)
        unit = np.where(faults.wrong, rng.permutation(outline.unit), outline.unit)
        minute = whole(rng.uniform(420, 1320, count))
        shut = closed < self.world.days
        table = pa.table(
            {
                "case_ref": self.texts.case_refs,
                "case_type": pa.array(CASE_TYPES).take(pa.array(self.world.cases.type)),
                "opened_at": self._moments(opened, minute, np.ones(count, dtype=np.bool_)),
                "closed_at": self._moments(np.minimum(closed, self.world.days), np.full(count, 1020), shut),
                "owning_unit": self.texts.units.take(pa.array(unit)),
            }
        )
        return table.filter(pa.array(~faults.missing))

    def _case_staff(self) -> pa.Table:
        cases = self.world.cases
        case = repeat(np.arange(len(cases)), np.diff(cases.staff_start))
        rng, faults = self._faults("case_staff", len(case))
        joined = cases.joined + np.where(faults.late, whole(rng.uniform(1, 15, len(case))), 0)
        left = np.maximum(cases.outline.closed[case], joined)
        table = pa.table(
            {
                "case_ref": self.texts.case_refs.take(pa.array(case)),
                "staff_id": self._people(np.where(faults.wrong, rng.permutation(cases.staff), cases.staff)),
                "assigned_from": self._dates(joined, np.ones(len(case), dtype=np.bool_)),
                "assigned_to": self._dates(left, left < self.world.days),
            }
        )
        return table.filter(pa.array(~faults.missing))

    def _case_records(self, misuse: Misuse, touched: Bools) -> pa.Table:
        cases = self.world.cases
        case = repeat(np.arange(len(cases)), np.diff(cases.record_start))
        extra = np.array(misuse.links, dtype=np.int64).reshape(-1, 2)
        case, record = np.concatenate([case, extra[:, 0]]), np.concatenate([cases.records, extra[:, 1]])
        rng, faults = self._faults("case_records", len(case))
        record = np.where(faults.wrong, rng.permutation(record), record)
        touched[record] = True
        table = pa.table({"case_ref": self.texts.case_refs.take(pa.array(case)), "record_id": self._ids(record)})
        order = np.lexsort((record, case))
        return table.take(pa.array(order[~faults.missing[order]]))

    def _associations(self, touched: Bools) -> pa.Table:
        ties = self.world.ties
        kind, staff = np.nonzero(ties.declared)
        record = ties.person[kind, staff]
        # One's own and one's relatives' cars are on file where the people are.
        car = self.world.indices.vehicle_of[record]
        drives = (car >= 0) & happens(self._rng("cars"), 0.7, len(car))
        kind, staff = np.concatenate([kind, kind[drives]]), np.concatenate([staff, staff[drives]])
        record = np.concatenate([record, car[drives] + self.world.indices.starts[VEHICLE]])
        touched[record] = True
        rng, faults = self._faults("associations", len(kind))
        record = np.where(faults.wrong, rng.permutation(record), record)
        table = pa.table(
            {
                "staff_id": self._people(staff),
                "record_id": self._ids(record),
                "kind": pa.array(TIE_KINDS).take(pa.array(kind)),
            }
        )
        order = np.lexsort((kind, self.world.staff.number[staff]))
        return table.take(pa.array(order[~faults.missing[order]]))

    def _watchlist(self, touched: Bools) -> pa.Table:
        watch = self.world.watch
        touched[watch.record] = True
        rng, faults = self._faults("watchlist", len(watch.record))
        start = np.where(faults.late, whole(rng.uniform(5, 40, len(watch.record))), watch.active_from)
        end = np.where(faults.wrong, -1, self.world.days + 30)
        table = pa.table(
            {
                "record_id": self._ids(watch.record),
                "kind": pa.array(WATCH_KINDS).take(pa.array(watch.kind)),
                "active_from": self._dates(start, np.ones(len(start), dtype=np.bool_)),
                "active_to": self._dates(end, faults.wrong),
            }
        )
        return table.filter(pa.array(~faults.missing))

    def _publicity(self) -> pa.Table:
        watch = self.world.watch
        rng, faults = self._faults("publicity", len(watch.story_case))
        day = watch.story_day + np.where(faults.late | faults.wrong, whole(rng.uniform(1, 4, len(faults.late))), 0)
        table = pa.table(
            {
                "record_id": self._ids(watch.story_record),
                "published_at": self._moments(day, watch.story_minute, np.ones(len(day), dtype=np.bool_)),
            }
        )
        return table.filter(pa.array(~faults.missing))

    def _records(self, touched: Bools) -> pa.Table:
        """Those that anybody looked up or that another table names: the extract a force would make for this."""
        indices = self.world.indices
        record = np.flatnonzero(touched)
        segment = indices.segment(record)
        at = record - indices.starts[segment]
        person = segment == PERSON
        who = np.where(person, at, 0)
        keeper = np.where(segment == VEHICLE, indices.keeper[np.where(segment == VEHICLE, at, 0)], -1)
        report = np.where(segment == INTELLIGENCE, at, 0)
        tier = np.where(segment == INTELLIGENCE, indices.report_tier[report], indices.tier[who])
        rng, faults = self._faults("records", len(record))
        surname = indices.surname[who]
        surname = np.where(faults.wrong, rng.permutation(surname), surname)
        table = pa.table(
            {
                "record_id": self._ids(record),
                "record_type": self.texts.record_types.take(pa.array(segment)),
                "surname": _blank(pa.array(SURNAMES).take(pa.array(surname)), person),
                "sex": _blank(_sexes(indices.female[who]), person & ~faults.late),
                "date_of_birth": _blank(_births(indices.birth[who]), person & ~faults.late),
                "address_id": _blank(self._ids(indices.addresses(who)), person),
                "vehicle_keeper_id": _blank(self._ids(np.maximum(keeper, 0)), keeper >= 0),
                "sensitivity": pc.cast(pa.array(np.where(person | (segment == INTELLIGENCE), tier, 1)), pa.string()),
            }
        )
        order = np.argsort(pc.rank(table["record_id"]).to_numpy(), kind="stable")
        return table.take(pa.array(order[~faults.missing[order]]))


class _CsvFile:
    """A table's file, written piece by piece."""

    def __init__(self, path: Path, name: str) -> None:
        self._names = list(REFERENCE_TABLES[name])
        schema = pa.schema([(column, pa.string()) for column in self._names])
        self._writer = pacsv.CSVWriter(path, schema, write_options=_OPTIONS)

    def add(self, table: pa.Table) -> None:
        self._writer.write_table(table.select(self._names).cast(self._writer_schema()))

    def close(self) -> None:
        self._writer.close()

    def _writer_schema(self) -> pa.Schema:
        return pa.schema([(column, pa.string()) for column in self._names])


_OPTIONS: Final = pacsv.WriteOptions(quoting_style="needed")


def _write(path: Path, name: str, table: pa.Table) -> None:
    file = _CsvFile(path, name)
    file.add(table)
    file.close()


def _instants(utc: Ints) -> pa.Array:
    """ISO 8601 to the second, with Z."""
    return pc.strftime(pa.array(utc // SECOND).cast(pa.timestamp("s", tz="UTC")), "%Y-%m-%dT%H:%M:%SZ")


def _births(days: Ints) -> pa.Array:
    return pa.array(days.astype(np.int32)).cast(pa.date32()).cast(pa.string())


def _sexes(female: Bools) -> pa.Array:
    return pc.if_else(pa.array(female), "F", "M")


def _blank(texts: pa.Array, where: Bools) -> pa.Array:
    return pc.if_else(pa.array(where), texts, "")
