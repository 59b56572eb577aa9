"""Columns of numbers become events under the contract's names: ids, texts, and per feed only the columns it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detector.simulate import reasons
from detector.simulate.chance import Bools, Ints, distinct, scramble, stream, whole
from detector.simulate.indices import SEGMENTS, VEHICLE
from detector.simulate.names import FORENAMES, LETTERS, SURNAMES
from detector.simulate.organisation import KINDS
from detector.simulate.rows import (
    ACTIONS,
    BROAD,
    CASE_REF,
    INCIDENT_REF,
    KEY_BITS,
    NONE,
    SYSTEMS,
    UNKNOWN_REF,
    UNKNOWN_REFS,
    Rows,
)
from detector.simulate.world import World

ORGANISATION: Final = "Northmere Constabulary"
RECIPIENTS: Final = ("insurer", "prosecutor")
_TRANSACTIONS: Final = ("QS", "VW", "CR", "UP", "DL", "PR", "EX", "DI")

_ALWAYS: Final = ("event_id", "event_time", "system", "action", "operator_id", "record_type", "record_id")
#: Feed -> its systems, and the columns it has besides those that all have. What is not named is absent from its files.
FEEDS: Final[Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]]] = {
    "pnc": (
        (0,),
        (
            "utc_offset_minutes",
            "transaction_code",
            "requester_id",
            "organisation",
            "unit",
            "terminal_id",
            "purpose_code",
            "reason_text",
            "case_ref",
            "query_text",
            "result_count",
            "export_count",
            "recipient",
            "outcome",
            "parent_id",
            "is_automatic",
        ),
    ),
    "anpr": ((1,), ("utc_offset_minutes", "organisation", "reason_text", "case_ref", "query_text", "scope_count")),
    "cris": (
        (2, 3),
        (
            "utc_offset_minutes",
            "organisation",
            "unit",
            "role",
            "terminal_id",
            "session_id",
            "reason_text",
            "case_ref",
            "query_text",
            "result_count",
            "export_count",
            "recipient",
            "outcome",
        ),
    ),
    "custody": ((4,), ("utc_offset_minutes", "organisation", "unit", "terminal_id", "source_ip")),
    "intel": (
        (5,),
        (
            "organisation",
            "unit",
            "role",
            "terminal_id",
            "source_ip",
            "purpose_code",
            "reason_text",
            "case_ref",
            "result_count",
            "export_count",
            "outcome",
        ),
    ),
}


@dataclass(frozen=True)
class Texts:
    """Every name that events point to, as Arrow arrays to take from."""

    record_ids: pa.Array
    record_types: pa.Array
    queries: pa.Array
    case_refs: pa.Array
    unknown_refs: pa.Array
    reasons: pa.Array
    staff_ids: pa.Array
    units: pa.Array
    roles: pa.Array
    tag: int


def make_texts(world: World) -> Texts:
    indices, seed = world.indices, world.options.seed
    total = int(indices.starts[-1]) + len(world.cases)
    numbers = stream(seed, "record ids").permutation(total) + 10_000_000
    prefixes = pa.array([name[:3].upper() + "-" for name in SEGMENTS])
    segment = indices.segment(np.arange(total))
    year = [f"{(world.clock.date(0).year + (-1 if day < -60 else 0)) % 100:02d}" for day in world.cases.outline.opened]
    count = len(world.cases)
    refs = 100_000 + 7 * np.arange(count) + whole(scramble(np.arange(count), seed) % np.uint64(7))
    # Numbers above the last real one of a year, and below the first: typed at random, they look like any other.
    unknown = np.setdiff1d(100_000 + distinct(stream(seed, "unknown"), 2 * UNKNOWN_REFS, max(7 * count, 20_000)), refs)
    return Texts(
        record_ids=_joined(prefixes.take(pa.array(segment)), numbers),
        record_types=pa.array(SEGMENTS),
        queries=_queries(world, total, segment),
        case_refs=pc.binary_join_element_wise("NM", _text(refs), pa.array(year), "/"),
        unknown_refs=pc.binary_join_element_wise("NM", _text(unknown), year[-1] if year else "26", "/"),
        reasons=pa.array(reasons.texts()),
        staff_ids=_joined("NM", world.staff.number),
        units=pa.array(world.units.titles),
        roles=pa.array([KINDS[kind].role for kind in world.units.kind]),
        tag=int(stream(seed, "event ids").integers(1, 1 << 62)),
    )


def event_ids(texts: Texts, key: Ints) -> pa.Array:
    """32 hexadecimal digits: a hash of the run and the look-up's number that says nothing of either."""
    raw = np.stack([scramble(key, texts.tag), scramble(key, texts.tag ^ 0x5DEECE66D)], axis=1).view(np.uint8)
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    text = np.empty((len(key), 32), dtype=np.uint8)
    text[:, 0::2], text[:, 1::2] = digits[raw >> 4], digits[raw & 15]
    return pa.array(text.reshape(-1).view("S32"), pa.binary()).cast(pa.string())


def in_order(texts: Texts, rows: Rows) -> Rows:
    """By time, then by a hash: the order of the rows of one instant carries nothing."""
    return rows.take(np.lexsort((scramble(rows["key"], texts.tag), rows["time"])))


def feeds_of(world: World, texts: Texts, rows: Rows) -> dict[str, pa.Table]:
    """Feed -> its events; `rows` are in UTC and in order."""
    tables = {}
    for name, (systems, columns) in FEEDS.items():
        mine = rows.take(np.isin(rows["system"], systems))
        if len(mine):
            every = _columns(world, texts, mine)
            tables[name] = pa.table({column: every[column] for column in every if column in {*_ALWAYS, *columns}})
    return tables


def _columns(world: World, texts: Texts, rows: Rows) -> dict[str, pa.Array]:
    found = rows["found"] == 1
    record = pa.array(rows["record"], mask=(rows["record"] < 0) | ~found)
    actor = np.where(rows["requester"] >= 0, rows["requester"], rows["operator"])
    day = rows["key"] >> KEY_BITS  # that the turn of duty began on: a night's terminal and session last beyond midnight
    staff = world.staff
    unit = np.where(staff.moves_on[actor] <= day, staff.unit_after[actor], staff.unit[actor])
    segment = world.indices.segment(rows["record"])
    terminal = terminals(world, rows["operator"], day, rows["terminal"])
    purpose = np.where(rows["ref_kind"] == INCIDENT_REF, 1, np.where(segment == VEHICLE, 4, 2))
    child = rows["parent"] != NONE
    return {
        "event_id": event_ids(texts, rows["key"]),
        "event_time": pa.array(rows["time"]).cast(pa.timestamp("us", tz="UTC")),
        "utc_offset_minutes": pa.array(world.clock.offset(rows["time"]).astype(np.int16)),
        "system": _named(SYSTEMS, rows["system"]),
        "action": _named(ACTIONS, rows["action"]),
        "transaction_code": _named(_TRANSACTIONS, rows["action"]),
        "operator_id": texts.staff_ids.take(pa.array(rows["operator"])),
        "requester_id": pc.fill_null(_taken(texts.staff_ids, rows["requester"], rows["requester"] >= 0), ""),
        "organisation": pa.repeat(ORGANISATION, len(rows)),
        "unit": texts.units.take(pa.array(unit)),
        "role": texts.roles.take(pa.array(unit)),
        "terminal_id": _joined("T", terminal),
        "source_ip": pc.binary_join_element_wise("10.41", _text(terminal // 200), _text(terminal % 200 + 20), "."),
        "session_id": _joined("S", whole(scramble(rows["operator"] * 4096 + day, texts.tag) >> np.uint64(24))),
        "purpose_code": _named(("00", "01", "02", "03", "04"), purpose),
        "reason_text": texts.reasons.take(pa.array(rows["reason"])),
        "case_ref": _references(texts, rows),
        "record_type": _taken(texts.record_types, segment, (segment >= 0) & found),
        "record_id": texts.record_ids.take(record),
        "query_text": _query_text(texts, rows),
        "result_count": pa.array(np.where(found, rows["results"], 0)),
        "scope_count": pa.array(rows["scope"], mask=rows["scope"] < 0),
        "export_count": pa.array(rows["exports"], mask=rows["exports"] < 0),
        "recipient": pc.fill_null(_taken(pa.array(RECIPIENTS), rows["recipient"], rows["recipient"] >= 0), ""),
        "outcome": _named(("no_trace", "success"), found.astype(np.int64)),
        "parent_id": _masked(event_ids(texts, np.maximum(rows["parent"], 0)), child),
        "is_automatic": pa.array(child),
    }


def terminals(world: World, operator: Ints, day: Ints, given: Ints) -> Ints:
    """The terminal of each look-up: one's own in an office, any of the unit's for the turn of duty on a rota.

    `given` at 900 and above is a terminal of some other unit; now and then anybody uses the kiosk in the corridor.
    """
    unit = world.staff.unit[operator]
    rota = np.isin(world.units.kind[unit], [i for i, kind in enumerate(KINDS) if kind.pattern in (0, 1)])
    lucky = whole(scramble(operator * 4096 + day, 31) % np.uint64(1000))
    slot = np.where(rota, lucky % 12, whole(scramble(operator, 37) % np.uint64(60)))
    slot = np.where(lucky >= 970, 60 + lucky % 4, slot)  # the kiosk, all day
    elsewhere = (unit + 1 + (given - 900) % 89) % len(world.units.titles)
    return np.where(given >= 900, elsewhere * 100 + (given % 12), unit * 100 + slot)


def incident_ids(numbers: Ints) -> pa.Array:
    return _joined("INC-", numbers)


def _references(texts: Texts, rows: Rows) -> pa.Array:
    kind = rows["ref_kind"]
    case = _taken(texts.case_refs, rows["ref"], kind == CASE_REF)
    unknown = _taken(texts.unknown_refs, rows["ref"] % len(texts.unknown_refs), kind == UNKNOWN_REF)
    incident = _masked(incident_ids(rows["ref"]), kind == INCIDENT_REF)
    return pc.coalesce(case, unknown, incident, "")


def _query_text(texts: Texts, rows: Rows) -> pa.Array:
    exact = _taken(texts.queries, rows["record"], rows["record"] >= 0)
    wide = texts.queries.take(pa.array(whole(scramble(rows["key"], 41) % np.uint64(len(texts.queries)))))
    broad = pc.binary_join_element_wise(pc.utf8_slice_codeunits(wide, 0, 3), "*", "")
    return pc.if_else(pa.array(rows["query"] == BROAD), broad, pc.fill_null(exact, ""))


def _queries(world: World, total: int, segment: Ints) -> pa.Array:
    """What one types to find each record: a name with date of birth, a plate, else its own id."""
    indices = world.indices
    person = np.arange(indices.persons)
    names = pc.binary_join_element_wise(
        pc.utf8_upper(_named(SURNAMES, indices.surname[person])),
        pc.utf8_upper(_named(FORENAMES, indices.forename[person])),
        pa.array(indices.birth[person].astype(np.int32)).cast(pa.date32()).cast(pa.string()),
        "/",
    )
    plates = plates_of(world)
    rest = np.arange(total - len(names) - len(plates))
    numbers = pc.binary_join_element_wise(
        _named(SEGMENTS, segment[len(names) + len(plates) :]),
        _text(scramble(np.asarray(rest), 43) % np.uint64(10**8)),
        " ",
    )
    return pa.concat_arrays([names, plates, numbers.cast(pa.string())])


def plates_of(world: World) -> pa.Array:
    """A plate for each vehicle. No real one begins with ZZ."""
    number = distinct(stream(world.options.seed, "plates"), len(world.indices.keeper), 17 * len(LETTERS) ** 4)
    letters = np.array(list(LETTERS))
    parts = [pa.array(letters[(number // len(letters) ** power) % len(letters)]) for power in range(4)]
    digits = _text(10 + (number // len(letters) ** 4) % 17)
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise("ZZ", digits, ""), pc.binary_join_element_wise(*parts, ""), " "
    )


def _named(names: tuple[str, ...], codes: Ints) -> pa.Array:
    return pa.array(names).take(pa.array(codes))


def _taken(names: pa.Array, codes: Ints, where: Bools) -> pa.Array:
    return names.take(pa.array(codes, mask=~where))


def _masked(texts: pa.Array, where: Bools) -> pa.Array:
    return pc.if_else(pa.array(where), texts, pa.scalar(None, pa.string()))


def _text(numbers: Ints | np.typing.NDArray[np.uint64]) -> pa.Array:
    return pc.cast(pa.array(numbers), pa.string())


def _joined(prefix: str | pa.Array, numbers: Ints) -> pa.Array:
    return pc.binary_join_element_wise(prefix, _text(numbers), "")
