"""JSON records -> batches: one record a line, or the records of one document, each on its own, so that one that is
broken does not take its neighbours with it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, BinaryIO, Final

import pyarrow as pa

from detector.config import IngestSettings
from detector.errors import DetectorError
from detector.ingest import jsonpath
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import Block, line_blocks, pieces, show
from detector.ingest.jsoncolumns import Columns
from detector.ingest.jsondocument import Element, split_document
from detector.ingest.mapping import FREE_TEXT, JsonShape, Mapping
from detector.ingest.textlines import BLOCK_BYTES, batch_of, shown, split_lines
from detector.ingest.textstream import recoded

GROUP: Final = 5_000
#: A block that cannot be read as columns is tried again in pieces, down to about this size.
PIECE_BYTES: Final = 32 << 10


class BadRecord(ValueError):  # noqa: N818 - it is a record, and caught where it arises
    """Text that is no record; `reason` is the reject's code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise BadRecord("bad_json", f"the key {twice[:40]!a} is given twice")
    return found


def _constant(name: str) -> Any:
    raise BadRecord("bad_json", f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def load_object(text: str) -> dict[str, Any]:
    """One JSON object. Raises BadRecord for anything else: duplicate keys, NaN, half surrogates, too deep, too long."""
    try:
        record = _DECODER.decode(text)
    except BadRecord:
        raise
    except json.JSONDecodeError as exc:
        raise BadRecord("bad_json", f"{exc.msg} at character {exc.pos + 1}") from None
    except RecursionError:
        raise BadRecord("bad_json", "nested too deeply") from None
    except ValueError:
        raise BadRecord("bad_json", "a number of too many digits") from None
    if not isinstance(record, dict):
        raise BadRecord("not_a_record", "JSON, but no object")
    if "\\u" in text:
        try:
            json.dumps(record, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            raise BadRecord("bad_json", "half of a surrogate pair, which is no character") from None
    return record


class RowReader:
    """Takes the fields of one mapping out of records."""

    def __init__(self, fields: Sequence[str], shape: JsonShape | None, *, texts: Collection[str]) -> None:
        """`texts`: the fields that may hold a whole object, given as compact JSON; elsewhere it is no value."""
        self.fields = tuple(fields)
        self._texts = frozenset(texts)
        self._by_key: dict[str, list[tuple[int, jsonpath.Path]]] = {}  # a record has fewer keys than a mapping paths
        for index, path in enumerate(map(jsonpath.compile_path, fields)):
            for key in {path.steps[0].key, path.text}:
                self._by_key.setdefault(key, []).append((index, path))
        self._values = [(jsonpath.compile_path(p), frozenset(v)) for p, v in shape.values.items()] if shape else []

    def row(self, record: dict[str, Any]) -> list[str | None]:
        """The fields as text, NULL where absent. Raises BadRecord for a record of another kind."""
        for path, allowed in self._values:
            value = jsonpath.text_of(jsonpath.lookup(record, path))
            if value not in allowed:
                what = "nothing" if value is None else f"{value[:40]!a}"
                raise BadRecord("not_a_record", f"{path.text} is {what}, not {' or '.join(sorted(allowed))}")
        row: list[str | None] = [None] * len(self.fields)
        try:
            for key, value in record.items():
                for index, path in self._by_key.get(key, ()):
                    if row[index] is None:
                        row[index] = self._text(jsonpath.lookup(record, path) if path.is_nested else value, path)
        except RecursionError:
            raise BadRecord("bad_json", "nested too deeply") from None
        return row

    def _text(self, value: Any, path: jsonpath.Path) -> str | None:
        if value is None or value.__class__ is str:
            return value
        if isinstance(value, dict) and path.text not in self._texts:
            raise BadRecord("bad_value", f"{path.text} is an object, not a value")
        return jsonpath.text_of(value)


def _text_fields(mapping: Mapping) -> set[str]:
    """Fields that go to free text and nowhere else."""
    other = {field for column, fields in mapping.columns.items() if column not in FREE_TEXT for field in fields}
    return set(mapping.fields) - other


def read_json_lines(stream: BinaryIO, mapping: Mapping, limits: IngestSettings) -> Iterator[RawBatch | list[Reject]]:
    """One record a line."""
    texts = _text_fields(mapping)
    reader = RowReader(mapping.fields, mapping.json_shape, texts=texts)
    columns = Columns(mapping.fields, mapping.json_shape, objects=texts)
    blocks = line_blocks(recoded(stream, "utf-8"), first_line=1, max_line_bytes=limits.max_line_bytes,
                         block_bytes=BLOCK_BYTES)  # fmt: skip
    for block in blocks:
        if isinstance(block, Reject):
            yield [block]
        else:
            yield from read_block(block, reader, columns, limits.max_line_bytes)


def read_block(
    block: Block, reader: RowReader, columns: Columns, max_line_bytes: int, splits: int = 2
) -> Iterator[RawBatch | list[Reject]]:
    """A block's records: whole columns at a time if that is certain to give the same, else in smaller and smaller
    pieces, so that one odd record makes few others slow; at last record by record."""
    batch = columns.read(block, max_line_bytes) if columns.worth_trying else None
    if batch is not None:
        yield batch
    elif splits and columns.worth_trying and len(block.data) > PIECE_BYTES:
        for piece, _ in pieces(block, PIECE_BYTES):
            yield from read_block(piece, reader, columns, max_line_bytes, splits - 1)
    else:
        lines, rejects = split_lines(block, max_line_bytes)
        if rejects:
            yield rejects
        for start in range(0, len(lines), GROUP):
            yield from _rows(reader, lines[start : start + GROUP], None)


def read_json_document(stream: BinaryIO, mapping: Mapping, limits: IngestSettings) -> Iterator[RawBatch | list[Reject]]:
    """The records of a document: elements of a list under one of `json.records`, or of a list that is the whole
    document; a document without such a list is one record."""
    shape = mapping.json_shape
    if shape is None:
        raise DetectorError(f"mapping {mapping.name} is not one for JSON")
    reader = RowReader(mapping.fields, shape, texts=_text_fields(mapping))
    pending: list[tuple[int, str]] = []
    for element in split_document(stream, shape.records, limits):
        if isinstance(element, Reject):
            yield from _rows(reader, pending, shape.record)
            pending = []
            yield [element]
            continue
        text = _decoded(element)
        if isinstance(text, Reject):
            yield [text]
        else:
            pending.append((element.line, text))
        if len(pending) >= GROUP:
            yield from _rows(reader, pending, shape.record)
            pending = []
    yield from _rows(reader, pending, shape.record)


def _decoded(element: Element) -> str | Reject:
    if b"\0" in element.data:
        return Reject(element.line, "nul_byte", "a NUL byte in the record", show(element.data))
    try:
        return element.data.decode("utf-8")
    except UnicodeDecodeError as exc:
        return Reject(element.line, "bad_encoding", f"byte {exc.start + 1} is not UTF-8", show(element.data))


def _rows(reader: RowReader, lines: Sequence[tuple[int, str]], inner: str | None) -> Iterator[RawBatch | list[Reject]]:
    """Records as one batch and those that are none as rejects. `inner`: where in an element the record lies."""
    rows: list[list[str | None]] = []
    good: list[tuple[int, str]] = []
    rejects: list[Reject] = []
    where = jsonpath.compile_path(inner) if inner else None
    for number, text in lines:
        try:
            record = load_object(text)
            if where is not None:
                within = jsonpath.lookup(record, where)
                record = within if isinstance(within, dict) else record
            rows.append(reader.row(record))
            good.append((number, text))
        except BadRecord as exc:
            rejects.append(Reject(number, exc.reason, str(exc), shown(text)))
    if rejects:
        yield rejects
    if rows:
        yield batch_of(reader.fields, rows, [n for n, _ in good], [text for _, text in good])


def expand_column(
    batches: Iterator[RawBatch | list[Reject]], column: str, mapping: Mapping
) -> Iterator[RawBatch | list[Reject]]:
    """Batches of a table in which `column` holds a JSON object: its fields become columns named `COLUMN.path`."""
    prefix = f"{mapping.embedded_json}."
    wanted = [field for field in mapping.fields if field.startswith(prefix)]
    texts = [field.removeprefix(prefix) for field in _text_fields(mapping)]
    reader = RowReader([field.removeprefix(prefix) for field in wanted], None, texts=texts)
    for batch in batches:
        if isinstance(batch, RawBatch):
            yield from _expanded(batch, column, wanted, reader)
        else:
            yield batch


def _expanded(
    batch: RawBatch, column: str, names: Sequence[str], reader: RowReader
) -> Iterator[RawBatch | list[Reject]]:
    rows: list[list[str | None]] = []
    kept: list[int] = []
    rejects: list[Reject] = []
    lines = batch.lines.to_pylist()
    for index, text in enumerate(batch.columns.column(column).to_pylist()):
        try:
            rows.append(reader.row(load_object(text or "{}")))
            kept.append(index)
        except BadRecord as exc:
            rejects.append(Reject(lines[index], exc.reason, f"{column}: {exc}", batch.raw(index)))
    if rejects:
        yield rejects
    if kept:
        table = batch.columns.take(pa.array(kept, pa.int64())).drop_columns([column])
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            if any(value is not None for value in values):
                table = table.append_column(name, pa.array(values, pa.string()))
        yield RawBatch(table, batch.lines.take(pa.array(kept, pa.int64())), lambda row: batch.raw(kept[row]))
