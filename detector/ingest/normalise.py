"""A batch of source rows -> access events; every row becomes an event or a reject with its reason.

Whole columns at a time. What a clean column needs is a look at its bytes and one cast; only rows that do not fit go
the careful way. Order of the checks (the first that fails is the reason): time, required values, action, outcome,
characters, numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from detector.ingest import times, values
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.headers import header_columns
from detector.ingest.identity import event_ids
from detector.ingest.mapping import FREE_TEXT, NUMBERS
from detector.ingest.prepare import Prepared, prepare
from detector.schema import EVENT_SCHEMA, MAPPABLE, TIMESTAMP

__all__ = ["FREE_TEXT", "NORMALISED_SCHEMA", "Prepared", "normalise", "prepare"]

#: What `normalise` returns: the rest of the provenance is the same for the whole file and is added by the run.
NORMALISED_SCHEMA: Final = pa.schema(
    [field for field in EVENT_SCHEMA if field.name not in ("source_file", "source_sha256", "ingested_at")]
)
EARLIEST: Final = datetime(1970, 1, 2, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)

_TYPED: Final = frozenset({"event_time", "is_automatic", *NUMBERS})
_SHOWN: Final = 80


class _Rows:
    """The rows of a batch on their way: their columns so far, and which have failed for what."""

    def __init__(self, batch: RawBatch, prepared: Prepared) -> None:
        self.batch = batch
        self.prepared = prepared
        self.count = batch.columns.num_rows
        self.columns: dict[str, pa.Array] = {}
        self.failed: npt.NDArray[np.bool_] | None = None
        self.rejects: list[Reject] = []

    def fail(self, bad: npt.NDArray[np.bool_] | None, reason: str, text: Callable[[int], str]) -> None:
        """Reject the rows of the mask that are not rejected yet; `text` says what is wrong with a row."""
        if bad is None or not bad.any():
            return
        if self.failed is None:
            self.failed = np.zeros(self.count, bool)
        for row in np.flatnonzero(bad & ~self.failed):
            index = int(row)
            line = self.batch.lines[index].as_py()
            raw = "" if self.prepared.pseudonyms else self.batch.raw(index)
            self.rejects.append(self.prepared.withheld(Reject(line, reason, text(index), raw)))
        self.failed |= bad

    def telling(self, name: str, column: pa.Array, problem: str) -> Callable[[int], str]:
        """What is wrong with a row: `name: VALUE problem`."""
        return lambda row: f"{name}: {self.shown(column, row)} {problem}"

    def missing(self, name: str, bad: npt.NDArray[np.bool_] | None) -> None:
        """Reject the rows of the mask for want of a required value."""
        self.fail(bad, "missing_required", lambda _: f"{name} is missing")

    def shown(self, column: pa.Array, row: int) -> str:
        """A value as a message may show it: cut, escaped, and not at all where the source is pseudonymised."""
        if self.prepared.pseudonyms is not None:
            return "the value"
        value = column[row].as_py()
        return "nothing" if value is None else ascii(value if len(value) <= _SHOWN else value[:_SHOWN] + "...")


def normalise(
    batch: RawBatch, prepared: Prepared, *, earliest: datetime = EARLIEST, latest: datetime = LATEST
) -> tuple[pa.Table, list[Reject]]:
    """Events (NORMALISED_SCHEMA, in the order of the batch) and rejects (in line order): together every row, once.

    `earliest` and `latest` bound event_time, both inclusive.
    """
    rows = _Rows(batch, prepared)
    rows.columns = _source_columns(batch, prepared)
    _times(rows, earliest, latest)
    _required(rows)
    _enumerations(rows)
    _texts(rows)
    _numbers(rows)
    columns, lines = rows.columns, batch.lines
    if rows.failed is not None:
        keep = pa.array(~rows.failed)
        columns = {name: column.filter(keep) for name, column in columns.items()}
        lines = lines.filter(keep)
    rows.rejects.sort(key=lambda reject: reject.line)
    return _events(columns, lines, prepared), rows.rejects


def _source_columns(batch: RawBatch, prepared: Prepared) -> dict[str, pa.Array]:
    """Event column -> text of the source: mapped, pulled out by patterns, filled up with constants."""
    mapping = prepared.mapping
    found = header_columns(batch.columns.column_names, mapping)
    fields = {field: values.flat(batch.columns.column(name)) for field, name in found.items()}
    columns: dict[str, pa.Array] = {}
    for event_column, names in mapping.columns.items():
        there = [fields[name] for name in names if name in fields]
        if there:
            columns[event_column] = values.first_of(there)
    for pattern in mapping.patterns:
        text = columns.get(pattern.source, fields.get(pattern.source))
        if text is not None:
            _pull_out(columns, text, pattern.pattern)
    stated = dict(mapping.constants)
    stated |= {
        n: v.absent for n, v in (("action", mapping.action), ("outcome", mapping.outcome)) if v.absent is not None
    }
    for name, value in stated.items():
        column = columns.get(name)
        if column is None:
            columns[name] = pa.repeat(pa.scalar(value, pa.string()), batch.columns.num_rows)
        elif column.null_count:
            columns[name] = pc.fill_null(column, value)
    return columns


def _pull_out(columns: dict[str, pa.Array], text: pa.Array, pattern: str) -> None:
    found = pc.extract_regex(text, pattern)
    for index in range(found.type.num_fields):
        name = found.type.field(index).name
        part = pc.if_else(found.is_valid(), found.field(index), pa.scalar(None, pa.string()))
        columns[name] = values.first_of([columns[name], part]) if name in columns else part


def _times(rows: _Rows, earliest: datetime, latest: datetime) -> None:
    text = rows.columns.pop("event_time", pa.nulls(rows.count, pa.string()))
    spec, prepared = rows.prepared.mapping.time, rows.prepared
    us = _plain_iso(text, prepared) if spec.formats[0] == "iso8601" else None
    stated: pa.Array | None = None
    if us is None:
        text = values.trimmed(text)
        rows.missing("event_time", values.blank(text))
        parsed = times.parse(pc.fill_null(text, ""), spec.formats, prepared.zone, spec.gap, spec.overlap)
        us = parsed.us
        if parsed.has_offset.any():
            # Z says that the time is UTC, not where the clock on the wall was.
            told = parsed.has_offset & ~np.asarray(pc.fill_null(pc.match_substring_regex(text, r"[Zz]\s*$"), False))
            stated = pa.array(parsed.offset.astype(np.int16), mask=~told)
        forms = " or ".join(spec.formats)
        zone = "" if prepared.zone else " with an offset (the mapping states no zone)"
        why = {
            "bad_time": f"is no time of the form {forms}{zone}",
            "nonexistent_time": "was skipped by the clocks there",
            "ambiguous_time": "happened twice there",
        }
        for code, reason in enumerate(times.REASON_CODES):
            if reason:
                rows.fail(parsed.reason == code, reason, rows.telling("event_time", text, why[reason]))
    low, high = (int((bound - times.EPOCH).total_seconds()) * times.SECOND for bound in (earliest, latest))
    bounds = f"{earliest:%Y-%m-%d} to {latest:%Y-%m-%d}"
    outside = (us < low) | (us > high)
    rows.fail(outside, "bad_time", rows.telling("event_time", text, f"is not within {bounds}"))
    if rows.failed is not None:
        us = np.where(rows.failed, low, us)
    rows.columns["event_time"] = pa.array(us).view(TIMESTAMP)
    _local_offsets(rows, us, stated)


def _plain_iso(text: pa.Array, prepared: Prepared) -> npt.NDArray[np.int64] | None:
    """UTC microseconds when every time is full ISO 8601 with an offset that need not be kept, else None."""
    look = values.text_bytes(text)
    if look.shortest < len("2026-01-01T00:00Z"):
        return None
    if prepared.local_zone is None and not (look.data[look.ends - 1] == ord("Z")).all():
        return None
    return times.parse_iso(text)


def _local_offsets(rows: _Rows, us: npt.NDArray[np.int64], stated: pa.Array | None) -> None:
    """utc_offset_minutes: what the source says, else the local zone's, else the offset written in the time itself."""
    zone = rows.prepared.local_zone
    known: pa.Array | None = stated
    if zone is not None:
        known = pa.array((zone.offset_seconds(us) // 60).astype(np.int16))
    given = rows.columns.get("utc_offset_minutes")
    if given is not None:
        numbers, bad = _offset_values(given, us)
        rows.fail(bad, "bad_value", rows.telling("utc_offset_minutes", given, "is no offset from UTC"))
        known = numbers if known is None else pc.coalesce(numbers, known)
    if known is not None:
        rows.columns["utc_offset_minutes"] = known


def _offset_values(given: pa.Array, us: npt.NDArray[np.int64]) -> tuple[pa.Array, npt.NDArray[np.bool_] | None]:
    """Offsets in minutes; also written as +01:00, or as the zone's name (ECS allows all three). Blank is NULL."""
    numbers, bad = values.integers(given, pa.int16(), None)
    if bad is None:
        return numbers, None
    minutes = np.array(numbers.fill_null(0))
    encoded = given.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy()
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        rows = np.flatnonzero((codes == code) & bad)
        told = times.offset_of(text.strip(), us[rows]) if len(rows) else None
        if told is not None:
            minutes[rows], bad[rows] = told, False
    empty = np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(given), ""), True))
    return pa.array(minutes.astype(np.int16), mask=bad | empty), (bad if bad.any() else None)


def _required(rows: _Rows) -> None:
    for name in ("system", "operator_id", "action"):
        column = rows.columns.get(name)
        if column is None:
            rows.missing(name, np.ones(rows.count, bool))
            rows.columns[name] = pa.nulls(rows.count, pa.string())
            continue
        if name != "action":
            column = rows.columns[name] = values.trimmed(column)
        if name == "action" and rows.prepared.mapping.action.blank is not None:
            continue
        rows.missing(name, values.blank(column))


def _enumerations(rows: _Rows) -> None:
    for name, decide in (("action", rows.prepared.action), ("outcome", rows.prepared.outcome)):
        column = rows.columns.get(name)
        if column is None:
            continue
        told = values.mapped(column, decide)
        if told.null_count > column.null_count:
            unknown = np.asarray(pc.and_(pc.is_null(told), pc.is_valid(column)))
            rows.fail(unknown, f"unknown_{name}", rows.telling(name, column, "is not known to the mapping"))
        empty = values.blank(told)
        if name == "outcome" and empty is not None:
            told = pc.if_else(pa.array(empty), pa.scalar(None, pa.string()), told)
        if name == "action":
            rows.missing(name, empty)
        rows.columns[name] = told


def _texts(rows: _Rows) -> None:
    for name in MAPPABLE:
        column = rows.columns.get(name)
        if column is None or name in FREE_TEXT or name in _TYPED or name in ("action", "outcome"):
            continue
        column = rows.columns[name] = values.trimmed(column)
        rows.fail(values.control_rows(column), "bad_value", rows.telling(name, column, "holds a control character"))


def _numbers(rows: _Rows) -> None:
    for name in ("result_count", "scope_count", "export_count", "is_automatic"):
        column = rows.columns.get(name)
        if column is None:
            continue
        if name == "is_automatic":
            rows.columns[name], bad = values.booleans(column)
        else:
            rows.columns[name], bad = values.integers(column, pa.int64(), rows.prepared.mapping.thousands.get(name))
        kind = "neither true nor false" if name == "is_automatic" else "no whole number"
        rows.fail(bad, "bad_value", rows.telling(name, column, f"is {kind}"))


def _events(columns: Mapping[str, pa.Array], lines: pa.Array, prepared: Prepared) -> pa.Table:
    columns = dict(columns)
    for name in prepared.pseudonyms.columns if prepared.pseudonyms else ():
        if prepared.pseudonyms and name in columns:
            columns[name] = prepared.pseudonyms.apply(name, columns[name])
    operator, requester = columns["operator_id"], columns.get("requester_id")
    columns["actor_id"] = operator if requester is None else values.first_of([requester, operator])
    columns["event_id"] = event_ids(columns, len(lines), prepared.name)
    columns["source_line"] = lines
    columns["source_name"] = pa.repeat(pa.scalar(prepared.name, pa.string()), len(lines))
    arrays = [columns.get(field.name) for field in NORMALISED_SCHEMA]
    return pa.table(
        [
            pa.nulls(len(lines), field.type) if array is None else array
            for array, field in zip(arrays, NORMALISED_SCHEMA, strict=True)
        ],
        schema=NORMALISED_SCHEMA,
    )
