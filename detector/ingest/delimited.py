"""Delimited text to batches of rows: Arrow's CSV reader where a block is clean, line by line where it is not.

The meaning is the careful path's (`careful.py`); the fast path is taken only for a block of which it is certain that
every line is one record on its own, and then gives the same rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate, chain, islice
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from detector.config import IngestSettings
from detector.ingest.batch import RawBatch, Reject
from detector.ingest.blocks import BLOCK_BYTES, Block, LineTexts, count_lines, holds_long_line, line_blocks, pieces
from detector.ingest.careful import Form, Parsed, read_carefully
from detector.ingest.memory import large_pool
from detector.ingest.split import split_line
from detector.ingest.textstream import recoded

UTF8_MARK: Final = b"\xef\xbb\xbf"


def read_delimited(
    stream: BinaryIO,
    *,
    header: Sequence[str],
    delimiter: str,
    encoding: str,
    first_line: int,
    limits: IngestSettings,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[RawBatch | list[Reject]]:
    """The records of a stream whose header has been read already, in their order.

    `header` names the columns of the batches; `first_line` is the physical line the stream stands at. Blank lines are
    skipped; every other record is a row of a batch or one reject. A damaged stream ends with a reject.
    Raises RefusedFileError and OSError as the stream does.
    """
    form = Form(tuple(header), delimiter, limits.max_line_bytes)
    blocks = line_blocks(
        recoded(stream, encoding), first_line=first_line, max_line_bytes=limits.max_line_bytes, block_bytes=block_bytes
    )
    leading = list(islice(blocks, 2))
    if len(leading) == 1:  # most files: threads would cost more than they save
        (only,) = leading
        yield from [[only]] if isinstance(only, Reject) else _items(parse_block(only, form, final=True))
        return
    carry: Block | None = None
    with ThreadPoolExecutor(limits.threads, thread_name_prefix="parse") as pool:
        for block, ahead in _ahead(chain(leading, blocks), form, pool, limits.threads):
            if isinstance(block, Reject) or ahead is None:
                yield from _finish(carry, form)
                carry = None
                yield [block] if isinstance(block, Reject) else []
                continue
            if carry is None:
                parsed = ahead.result()
            else:  # what was parsed ahead began inside this record
                parsed = parse_block(Block(carry.data + block.data, carry.first_line), form, final=False)
            yield from _items(parsed)
            carry = parsed.carry
    yield from _finish(carry, form)


def parse_block(block: Block, form: Form, *, final: bool) -> Parsed:
    """A block's records, in one batch, and rejects: fast as a whole, else in smaller and smaller pieces."""
    parsed = _parse(block, form, final=final)
    if len(parsed.batches) < 2:
        return parsed
    return Parsed((_merge(parsed.batches),), parsed.rejects, parsed.carry)


def _ahead(
    blocks: Iterator[Block | Reject], form: Form, pool: ThreadPoolExecutor, threads: int
) -> Iterator[tuple[Block | Reject, Future[Parsed] | None]]:
    """Every block in order with its parsing under way, `threads` blocks ahead of the one that is looked at."""
    waiting: deque[tuple[Block | Reject, Future[Parsed] | None]] = deque()
    for block in blocks:
        waiting.append(
            (block, None if isinstance(block, Reject) else pool.submit(parse_block, block, form, final=False))
        )
        if len(waiting) > threads:
            yield waiting.popleft()
    yield from waiting


def _finish(carry: Block | None, form: Form) -> Iterator[RawBatch | list[Reject]]:
    if carry is not None:
        yield from _items(parse_block(carry, form, final=True))


def _items(parsed: Parsed) -> Iterator[RawBatch | list[Reject]]:
    yield from parsed.batches
    if parsed.rejects:
        yield list(parsed.rejects)


def _parse(block: Block, form: Form, *, final: bool, splits: int = 2) -> Parsed:
    batch = read_fast(block, form)
    if batch is not None:
        return Parsed((batch,), ())
    if not splits or len(block.data) <= form.piece_bytes:
        return read_carefully(block, form, final=final)
    batches: list[RawBatch] = []
    rejects: list[Reject] = []
    carry: Block | None = None
    for piece, last in pieces(block, form.piece_bytes):
        joined = piece if carry is None else Block(carry.data + piece.data, carry.first_line)
        parsed = _parse(joined, form, final=final and last, splits=splits - 1)
        batches += parsed.batches
        rejects += parsed.rejects
        carry = parsed.carry
    return Parsed(tuple(batches), tuple(rejects), carry)


def read_fast(block: Block, form: Form) -> RawBatch | None:
    """The block by Arrow's CSV reader, or None unless it is certain that every line is one well-formed record."""
    data = block.data
    if (
        b"\0" in data
        or data.startswith(UTF8_MARK)  # Arrow would drop it, wherever the block stands in the file
        or not form.delimiter.isascii()
        or (b"\r" in data and data.count(b"\r") != data.count(b"\r\n"))
        or holds_long_line(data, form.max_line_bytes)
    ):
        return None
    lines = count_lines(data) + (not data.endswith(b"\n"))
    names = [f"f{index}" for index in range(len(form.header))]
    try:
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            parse_options=csv.ParseOptions(delimiter=form.delimiter),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[], check_utf8=not data.isascii()
            ),
            memory_pool=large_pool(),
        )
    except pa.ArrowInvalid:
        return None
    # A record of several lines or a blank line makes fewer rows; only a mark left open in the last line does not.
    if table.num_rows != lines or _last_is_open(data, form) or _holds_header(table, form):
        return None
    numbers = pa.array(np.arange(block.first_line, block.first_line + lines, dtype=np.int64))
    return RawBatch(table.rename_columns(list(form.header)), numbers, LineTexts(data).text)


def _last_is_open(data: bytes, form: Form) -> bool:
    last = data[data.rfind(b"\n", 0, len(data) - 1) + 1 :].removesuffix(b"\n").removesuffix(b"\r")
    return b'"' in last and split_line(last.decode("utf-8", "replace"), form.delimiter).open


def _holds_header(table: pa.Table, form: Form) -> bool:
    first = form.header[0]
    return first.strip() != "" and bool(pc.any(pc.match_substring(table.column(0), first.strip())).as_py())


def _merge(batches: Sequence[RawBatch]) -> RawBatch:
    table = pa.concat_tables([batch.columns for batch in batches]).combine_chunks()
    numbers = pa.concat_arrays([batch.lines for batch in batches])
    ends = list(accumulate(batch.columns.num_rows for batch in batches))

    def raw(row: int) -> str:
        index = bisect_right(ends, row)
        return batches[index].raw(row - (ends[index - 1] if index else 0))

    return RawBatch(table, numbers, raw)
