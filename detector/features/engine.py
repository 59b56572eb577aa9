"""The few expressions that know the engine. To run the features on another one, port these and nothing else."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial, reduce
from operator import xor
from pathlib import Path
from typing import Any, Literal

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge

from detector.engine import SPARK, drop

Kind = Literal["TABLE", "VIEW"]
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000


def md5_number(text: str) -> int:  # type: ignore[empty-body]
    """DuckDB's function of this name: the MD5 as a 128-bit number, first byte lowest."""


def epoch_us(time: datetime) -> int:  # type: ignore[empty-body]
    """DuckDB's function of this name: microseconds since 1970-01-01 UTC."""


_md5 = ibis.udf.scalar.builtin(md5_number, signature=((ibis.dtype("string"),), ibis.dtype("uint64")))
_epoch_us = ibis.udf.scalar.builtin(epoch_us, signature=((ibis.dtype("timestamp('UTC')"),), ibis.dtype("int64")))


def stable_hash(kind: str, *parts: ir.StringValue) -> ir.IntegerValue:
    """63-bit key of a kind and its parts: the last eight bytes of MD5 (little-endian) halved, the same for ever.

    An engine's own `hash()` may change with its version, and then every record would be new to everybody.
    NULL if any part is NULL. With 10^9 keys kept, a new one meets a stranger's with probability 10^-10.
    """
    text = reduce(lambda left, right: left + "\x1f" + right, parts, ibis.literal(kind))
    # Ibis has no 128-bit numbers, and takes any shift for an int64; through uint64 the cast is really written. (DuckDB
    # has the upper half alone as well, md5_number_lower, which takes four times as long.)
    return (_md5(text) >> 65).cast("uint64").cast("int64")


def pair(*keys: ir.IntegerValue) -> ir.IntegerValue:
    """One key for several keys of different kinds: their exclusive or. NULL if any is NULL."""
    return reduce(xor, keys)


def constant(kind: str) -> ir.IntegerScalar:
    """The key of a kind by itself, as `stable_hash(kind)` would give it, worked out here."""
    return ibis.literal(constant_number(kind), "int64")


def constant_number(kind: str) -> int:
    return int.from_bytes(hashlib.md5(kind.encode(), usedforsecurity=False).digest()[8:], "little") >> 1


def microseconds(time: ir.TimestampValue) -> ir.IntegerValue:
    """Whole microseconds since 1970-01-01 UTC."""
    return _epoch_us(time)


def total(value: ir.NumericValue, where: ir.BooleanValue | None = None, over: Any = None) -> ir.IntegerValue:
    """Sum of whole numbers up to 2^53, over a window or a group.

    By way of doubles, which are exact so far: DuckDB sums whole numbers to 128 bits, of which Ibis knows nothing.
    """
    found = value.cast("float64").sum(where=where)
    return (found if over is None else found.over(over)).cast("int64")


@dataclass(frozen=True)
class ProfileFiles:
    """The Parquet files of a profile table; `age` in days is told from `night`, and rows without 1..`days` left out."""

    paths: tuple[Path, ...]
    night: date
    days: int


def bind_arrow(con: Any, name: str, table: pa.Table) -> Callable[[], None]:
    """Lets queries read an Arrow table by that name, in place; the result ends that.

    Ibis would have its view of it written and parsed, which takes as long as a small night's query. So for the others.
    """
    if con.name == SPARK:
        con.view_of(name, table)
        return partial(drop, con, "VIEW", name)
    con.con.register(name, table)
    return lambda: con.con.unregister(name)


def bind_files(con: Any, name: str, files: ProfileFiles) -> Callable[[], None]:
    """Lets queries read profile files by that name, with the column `age` (int32)."""
    first = files.night - timedelta(days=files.days)
    if con.name == SPARK:
        rows = con.parquet(files.paths)
        rows = rows.filter((rows.night < files.night) & (rows.night >= first))
        con.view_of(name, rows.mutate(age=ibis.literal(files.night).delta(rows.night, unit="day").cast("int32")))
        return partial(drop, con, "VIEW", name)
    from duckdb import ColumnExpression, ConstantExpression, StarExpression

    night, tonight = ColumnExpression("night"), ConstantExpression(files.night)
    rows = con.con.read_parquet([str(path) for path in files.paths], hive_partitioning=False)
    rows = rows.filter((night < tonight) & (night >= ConstantExpression(first)))
    age = (tonight - night).cast("INTEGER").alias("age")
    rows.select(StarExpression(), age).create_view(name)
    return partial(drop, con, "VIEW", name)


def bind_expression(con: Any, name: str, table: ir.Table, schema: ibis.Schema) -> Callable[[], None]:
    """Lets queries read a table or an expression by that name, cast to `schema`."""
    stored = table.op()
    if con.name == SPARK:
        con.view_of(name, table.select(list(schema)).cast(schema))
    elif isinstance(stored, ops.DatabaseTable) and all(
        stored.schema.get(column) == kind for column, kind in schema.items()
    ):
        con.con.table(stored.name).create_view(name)
    else:
        con.create_view(name, table.select(list(schema)).cast(schema), overwrite=True)
    return partial(drop, con, "VIEW", name)


def stored_rows(con: Any, name: str) -> pa.Table:
    """All rows of a stored table, in the order in which they were stored."""
    return con.arrow(con.table(name)) if con.name == SPARK else con.con.table(name).to_arrow_table()


def compiler(engine: str) -> Any:
    """What writes Ibis' expressions in an engine's words."""
    own = "detector.spark.compiler" if engine == SPARK else f"ibis.backends.sql.compilers.{engine}"
    return importlib.import_module(own).compiler


def fill(con: Any, table: str, query: str, kind: Kind = "TABLE") -> None:
    """A temporary table of what an Ibis-written query gives, or a view of it."""
    if con.name == SPARK:
        con.fill(table, query, keep=kind == "TABLE")
        return
    create = sge.Create(
        kind=kind,
        this=sge.table_(table, quoted=True),
        properties=sge.Properties(expressions=[sge.TemporaryProperty()]),
        expression=query,
    )
    con.raw_sql(create.sql(con.dialect))


def whole(value: ir.IntegerValue, step: int) -> ir.IntegerValue:
    """How many whole `step`s are in a value >= 0, in whole numbers throughout."""
    return ((value - value % step) / step).cast("int64")


def running(group: Sequence[Any] | Any, order: Any) -> Any:
    """The frame from the group's first row up to and including this one."""
    return ibis.window(preceding=None, following=0, group_by=group, order_by=order)


def earlier(group: Sequence[Any] | Any, order: Any) -> Any:
    """The frame from the group's first row up to, not including, this one."""
    return ibis.window(preceding=(None, 1), group_by=group, order_by=order)


def until(group: Sequence[Any] | Any, order: Any, distance: int) -> Any:
    """The frame of the group's rows whose `order` is at least `distance` below this row's."""
    return ibis.range_window(preceding=(None, distance), group_by=group, order_by=order)
