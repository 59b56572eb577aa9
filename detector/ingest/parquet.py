"""Tables to Parquet files that are named after their content."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from detector.errors import StateError, Where

#: Of zstd. Encoding, not compression, is most of the work of writing; a higher level is for archives.
LEVEL: Final = 1
ROW_GROUP: Final = 256 * 1024
#: Columns with so many different values that a dictionary would only be built to be thrown away.
PLAIN: Final = frozenset(
    {"event_id", "event_time", "source_line", "record_id", "case_ref", "query_text", "session_id", "parent_id",
     "finding_id", "detail", "raw"}
)  # fmt: skip
#: Columns whose smallest and largest value can spare a reader a row group; those of texts never do, and cost.
BOUNDED: Final = ("event_time", "source_line", "night", "first_event_time", "last_event_time")


@dataclass(frozen=True)
class Written:
    """One Parquet file aside: where it lies, its rows, size and SHA-256."""

    path: Path
    rows: int
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name


def write_parquet(folder: Path, table: pa.Table, metadata: Mapping[str, str] | None = None) -> Written:
    """Write a table into `folder` under its content's name; the same table gives the same bytes.

    Raises StateError where the disk is full or cannot be written to.
    """
    sink = pa.BufferOutputStream()
    dictionary = [name for name in table.column_names if name not in PLAIN]
    bounded = [name for name in table.column_names if name in BOUNDED]
    # Without the Arrow schema beside it, a column that was held as a dictionary reads as what it is: strings.
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=dictionary,
        write_statistics=bounded,
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP)
        if metadata:
            writer.add_key_value_metadata(dict(metadata))
    data = sink.getvalue()
    digest = hashlib.sha256(data).hexdigest()
    path = folder / f"{digest[:32]}.parquet"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise disk_error(exc, folder) from exc
    return Written(path, table.num_rows, data.size, digest)


def disk_error(exc: OSError, place: Path) -> StateError:
    """What failed below the home directory, and what to do about it."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return StateError(
            "no space left on the disk: nothing of the file being read was kept",
            where=Where(place),
            hint="Free some space and run the same command again: what was finished before is not read twice.",
        )
    return StateError(f"cannot be written: {exc.strerror}", where=Where(exc.filename or place))
