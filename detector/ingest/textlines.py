"""A stream as decoded text lines: what the readers of JSON lines, syslog and plain text have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from detector.config import IngestSettings
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import Block, line_blocks, show
from detector.ingest.mapping import Mapping
from detector.ingest.textstream import recoded

BLOCK_BYTES: Final = 4 << 20

#: Decoded lines, each with its 1-based number and without its line end; and the lines that could not be decoded.
Chunk = tuple[list[tuple[int, str]], list[Reject]]


def text_lines(stream: BinaryIO, limits: IngestSettings, *, encoding: str = "utf-8") -> Iterator[Chunk]:
    """Lines in chunks of a few MB, blank ones left out. A damaged file ends with its reject."""
    source = recoded(stream, encoding)
    for block in line_blocks(source, first_line=1, max_line_bytes=limits.max_line_bytes, block_bytes=BLOCK_BYTES):
        yield split_lines(block, limits.max_line_bytes, encoding) if isinstance(block, Block) else ([], [block])


def split_lines(block: Block, max_line_bytes: int, encoding: str = "utf-8") -> Chunk:
    """A block's lines one by one."""
    lines: list[tuple[int, str]] = []
    rejects: list[Reject] = []
    for number, line in enumerate(block.data.split(b"\n"), block.first_line):
        data = line.removesuffix(b"\r")
        if not data.strip():
            continue
        if len(data) > max_line_bytes:
            rejects.append(Reject(number, "line_too_long", f"{len(data)} bytes in one line", show(data)))
        elif b"\0" in data:
            rejects.append(Reject(number, "nul_byte", "a NUL byte in the line", show(data)))
        else:
            try:
                lines.append((number, data.decode("utf-8")))
            except UnicodeDecodeError as exc:
                rejects.append(Reject(number, "bad_encoding", f"byte {exc.start + 1} is not {encoding}", show(data)))
    return lines, rejects


def shown(text: str) -> str:
    """A line as a reject keeps it: cut when it is very long."""
    return show(text.encode("utf-8", "surrogatepass"))


def batch_of(
    names: Sequence[str], rows: Sequence[Sequence[str | None]], lines: Sequence[int], raws: Sequence[str]
) -> RawBatch:
    """Rows of text as a batch; a column in which every row is NULL is left out."""
    columns = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True) if rows else ():
        if values.count(None) < len(values):
            columns[name] = pa.array(values, pa.string())
    # A table of no columns would forget how many rows it has; a mapping never looks for a field of this name.
    table = pa.table(columns) if columns else pa.table({"": pa.nulls(len(rows), pa.string())})
    return RawBatch(table, pa.array(lines, pa.int64()), lambda row: shown(raws[row]))


def read_text(stream: BinaryIO, mapping: Mapping, limits: IngestSettings) -> Iterator[RawBatch | list[Reject]]:
    """Lines of the form that `mapping.line` states; its named groups are the source fields.

    A group that took no part in the match is blank: a text line has every field, or none.
    """
    for lines, rejects in text_lines(stream, limits, encoding=mapping.encoding):
        if rejects:
            yield rejects
        if not lines:
            continue
        found = pc.extract_regex(pa.array([text for _, text in lines]), mapping.line)
        fits = found.is_valid().to_pylist()
        wrong = [line for line, good in zip(lines, fits, strict=True) if not good]
        if wrong:
            detail = f"not a line of the form that mapping {mapping.name} states"
            yield [Reject(number, "pattern_mismatch", detail, shown(text)) for number, text in wrong]
        good = [line for line, fit in zip(lines, fits, strict=True) if fit]
        if good:
            found = found.filter(found.is_valid())
            table = pa.table({found.type.field(i).name: found.field(i) for i in range(found.type.num_fields)})
            yield RawBatch(table, pa.array([n for n, _ in good], pa.int64()), partial(_text_at, good))


def _text_at(lines: Sequence[tuple[int, str]], row: int) -> str:
    return shown(lines[row][1])
