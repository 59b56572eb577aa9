"""A Parquet file as events on Spark, which reads it in parts and on all its threads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import ConfigError, InputError, Where
from detector.rules.files.opening import check_file
from detector.rules.files.rows import Events
from detector.rules.sources import ColumnSource
from detector.rules.windows import ROW

if TYPE_CHECKING:
    from detector.spark.connection import SparkBackend

_EVENTS = "detector_events"


@contextmanager
def spark_events(path: Path, *, threads: int) -> Iterator[tuple[Any, Events]]:
    """A connection to a Spark of our own, and a Parquet file there.

    Raises ConfigError where Spark cannot start, or a rule has no equal form on it; InputError for a file that does not
    exist, is not Parquet or cannot be read.
    """
    check_file(path)
    if path.suffix.lower() not in (".parquet", ".pq"):
        raise InputError(
            "Spark reads events of Parquet files only",
            where=Where(path),
            hint="Leave --engine away: DuckDB reads JSONL, JSON and CSV, too.",
        )
    from detector.spark.session import local_session

    with local_session(threads=threads) as session:
        import ibis.common.exceptions as com
        from py4j.protocol import Py4JError  # type: ignore[import-untyped]
        from pyspark.errors import PySparkException

        from detector.spark.connection import connect

        con = connect(session)
        try:
            yield con, Events(path, _parquet(con, path))
        except com.UnsupportedOperationError as exc:
            raise ConfigError(
                f"these rules cannot be run on Spark: {exc}", hint="Run them on DuckDB: leave --engine away."
            ) from exc
        except (PySparkException, Py4JError) as exc:
            first = next((line for line in str(exc).splitlines() if line.strip()), type(exc).__name__)
            raise InputError(f"cannot be read by Spark: {first.strip()}", where=Where(path)) from exc


def _parquet(con: SparkBackend, path: Path) -> ColumnSource:
    """By position, as `events` has it, and numbered by the file's own order."""
    from pyspark.sql import functions

    # to Spark a path is a pattern
    frame = con._session.read.parquet(re.sub(r"([\\*?\[\]{}])", r"\\\1", str(path.absolute())))
    names = frame.columns
    safe = [f"c{index}" for index in range(len(names))]
    quoted = ["`" + name.replace("`", "``") + "`" for name in names]
    columns = [functions.col(name).alias(new) for name, new in zip(quoted, safe, strict=True)]
    row = frame.metadataColumn("_metadata").getField("row_index").cast("bigint").alias(ROW)
    frame.select(*columns, row).createOrReplaceTempView(_EVENTS)
    return ColumnSource(con.table(_EVENTS), dict(zip(names, safe, strict=True)))
