"""What a file looks like from its first bytes: the container, and whether JSON is lines or one document."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, Literal

from detector.config import IngestSettings
from detector.ingest.jsondocument import Element, split_document
from detector.ingest.jsonlines import BadRecord, load_object
from detector.ingest.jsonpath import compile_path, lookup
from detector.ingest.mapping import JsonShape

Container = Literal["workbook", "parquet", "json", "text", "binary"]

#: Old Office files, and other things that are not text.
_BINARY = (
    b"\xd0\xcf\x11\xe0",
    b"%PDF",
    b"\x7fELF",
    b"MZ",
    b"SQLite format 3\0",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"\x1f\x8b",
)


def container(head: bytes) -> Container:
    """What holds the records."""
    if head.startswith(b"PK\x03\x04"):
        return "workbook"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(_BINARY):
        return "binary"
    return "json" if head.lstrip(b" \t\r\n")[:1] in (b"{", b"[") else "text"


def is_document(head: bytes, shape: JsonShape) -> bool:
    """Whether JSON is one document rather than one record a line."""
    text = head.lstrip()
    if text.startswith(b"["):
        return True
    first, line_end, _ = text.partition(b"\n")
    try:
        record = load_object(first.decode("utf-8", "replace"))
    except BadRecord:
        # Broken, or going on in the next line, or longer than the head.
        if line_end and first.rstrip().endswith(b"}"):
            return False
        if not line_end:
            return any(re.search(rb'"%s"\s*:\s*\[' % re.escape(key.encode()), first) for key in shape.records)
        return True
    return any(isinstance(record.get(key), list) for key in shape.records)


def sample_records(head: bytes, shape: JsonShape, formats: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Records that can be read whole from the first bytes, as this mapping would find them."""
    as_document = "json" in formats and ("jsonlines" not in formats or is_document(head, shape))
    pieces: list[bytes] = []
    if as_document:
        limits = IngestSettings(max_line_bytes=max(1024, len(head)))
        found = split_document(io.BufferedReader(io.BytesIO(head)), shape.records, limits)
        pieces = [element.data for element in found if isinstance(element, Element)]
    elif "jsonlines" in formats:
        pieces = head.split(b"\n")
    inner = compile_path(shape.record) if shape.record and as_document else None
    for piece in pieces:
        try:
            record = load_object(piece.decode("utf-8", "replace"))
        except BadRecord:
            continue
        within = lookup(record, inner) if inner else None
        yield within if isinstance(within, dict) else record
