"""A connection to Spark that answers as detector.engine's does to DuckDB: tables, views, rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.formats.pyarrow import PyArrowData
from ibis.util import gen_name

from detector.spark import expressions
from detector.spark.compiler import compiler

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: What the expressions rely on. ANSI mode would fail a whole job for one text that is no number; and `User` and `user`
#: are two fields.
_NEEDED = {
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
}


class SparkBackend(Backend):  # type: ignore[misc]
    """Ibis' Spark backend with the house's compiler; data go in and out as Arrow, never by way of pandas.

    (Ibis 12's own would make floats of integers with gaps: of a 63-bit key, another key.)
    """

    compiler = compiler

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[str, Any] = {}

    def _register_udfs(self, expr: ir.Expr) -> None:
        """Nothing: the house calls functions of the engine only, and `connect` has named RE2's."""

    def _register_in_memory_table(self, op: Any) -> None:
        frame = self._session.createDataFrame(op.data.to_pyarrow(op.schema))
        frame.createOrReplaceTempView(op.name)

    def create_table(self, name: str, /, obj: Any = None, **options: Any) -> ir.Table:
        """A temporary table: worked out once, held by the executors until it is dropped."""
        if not options.pop("temp", False) or options:
            raise NotImplementedError("on Spark, only temporary tables are made")
        if not isinstance(obj, ir.Expr):
            import ibis

            obj = ibis.memtable(obj)
        self._run_pre_execute_hooks(obj)
        self.fill(name, self.compile(obj))
        return self.table(name)

    def fill(self, name: str, query: str, *, keep: bool = True) -> None:
        """A temporary table of what a query, as Ibis wrote it, gives; a view of it without `keep`."""
        frame = self._session.sql(query)
        if keep:
            self._kept[name] = frame = frame.localCheckpoint(eager=True)
        frame.createOrReplaceTempView(name)

    def view_of(self, name: str, rows: ir.Table | pa.Table) -> None:
        """A view of an expression, or of an Arrow table's rows."""
        if isinstance(rows, pa.Table):
            frame = self._session.createDataFrame(rows)
        else:
            self._run_pre_execute_hooks(rows)
            frame = self._session.sql(self.compile(rows))
        frame.createOrReplaceTempView(name)

    def parquet(self, paths: Sequence[Path]) -> ir.Table:
        """The rows of Parquet files, read when they are asked for."""
        name = gen_name("files")
        self._session.read.parquet(*map(str, paths)).createOrReplaceTempView(name)
        return self.table(name)

    def drop(self, kind: Literal["TABLE", "VIEW"], name: str) -> None:
        """Drop a temporary table or view if it is there."""
        del kind
        self._session.catalog.dropTempView(name)
        self._kept.pop(name, None)

    def arrow(self, table: ir.Table) -> pa.Table:
        """The rows of an expression, all at once, at the driver."""
        self._run_pre_execute_hooks(table)
        rows = self._session.sql(self.compile(table)).toArrow()
        return PyArrowData.convert_table(rows, table.schema())

    def batches(self, table: ir.Table, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of an expression in batches; what rules and nights give back is small enough for the driver."""
        yield from self.arrow(table).combine_chunks().to_batches(rows)

    def to_pyarrow(self, expr: ir.Expr, /, **_: Any) -> Any:
        return expr.__pyarrow_result__(self.arrow(expr.as_table()))

    def disconnect(self) -> None:
        """Drops what this connection kept. The session is its opener's to stop."""
        for name in list(self._kept):
            self.drop("TABLE", name)


def connect(session: SparkSession) -> SparkBackend:
    """Spark as an engine for rules and features; the session is set to UTC and to Spark's lenient (not ANSI) mode."""
    SparkBackend.register_options()
    con = SparkBackend()
    con.do_connect(session, **_NEEDED)
    expressions.register(session)
    return con
