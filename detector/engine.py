"""The query engine: an embedded DuckDB behind Ibis, shut off from everything but the files it is given.

`drop`, `batches` and `arrow` also take a connection of detector.spark, which answers them itself.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from ibis.backends.duckdb import Backend

#: Ibis' name of the other engine.
SPARK = "pyspark"


def connect(
    *, readable: Sequence[Path] = (), threads: int = 2, memory_limit: str = "1500MB", spill: Path | None = None
) -> Backend:
    """A fresh in-memory database that can read below `readable` (folders or files) and nothing else.

    Rules and logs come from outside: with external access off and the configuration locked, no expression can
    open a file or an address that was not named here, nor switch that off. Beyond `memory_limit` it spills to
    `spill` (which must exist), or fails where none is given.
    """
    import ibis

    # Ibis 12 calls what DuckDB 2 will one day drop; whoever runs a scan can do nothing about it.
    warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
    con = ibis.duckdb.connect(
        threads=threads,
        memory_limit=memory_limit,
        temp_directory=str(spill.absolute()) if spill else "",
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    paths = [path.absolute() for path in readable]
    _set(con, "enable_progress_bar", False)
    _set(con, "allowed_directories", [str(path) for path in paths if path.is_dir()])
    _set(con, "allowed_paths", [str(path) for path in paths if not path.is_dir()])
    _set(con, "enable_external_access", False)
    _set(con, "lock_configuration", True)
    return con


def _set(con: Backend, name: str, value: bool | list[str]) -> None:
    """One setting, as a syntax tree: DuckDB takes no parameters there, and a path may hold a quote."""
    import sqlglot.expressions as sge

    literal: Any = sge.convert(value)
    con.raw_sql(sge.Set(expressions=[sge.SetItem(this=sge.EQ(this=sge.column(name), expression=literal))]))


def json_documents(con: Backend, path: Path, **options: str | bool | int) -> ir.Table:
    """A file's JSON values as they are written, in order, in the column `document`; NULL for what is no JSON.

    `options` are those of the engine's reader. (Ibis 12's own read_json parses and rewrites each value, on one thread
    where errors are ignored.)
    """
    import sqlglot as sg
    import sqlglot.expressions as sge

    given = [sge.EQ(this=sg.to_identifier(name), expression=sge.convert(value)) for name, value in options.items()]
    reader = sge.Anonymous(this="read_json_objects", expressions=[sge.convert(str(path.absolute())), *given])
    name = f"documents_{uuid.uuid4().hex}"
    found = sg.select(sg.column("json").as_("document")).from_(reader)
    con.raw_sql(sge.Create(kind="VIEW", this=sge.table_(name, quoted=True), expression=found))
    return con.table(name)


def drop(con: Any, kind: Literal["TABLE", "VIEW"], name: str) -> None:
    """Drop a table or view if it is there.

    Ibis 12's own drop_table and drop_view name their object where sqlglot 30 no longer looks, and come out as bare
    `DROP TABLE IF EXISTS`; both places are filled here.
    """
    import sqlglot.expressions as sge

    if con.name == SPARK:
        con.drop(kind, name)
        return
    target = sge.table_(name, quoted=True)
    con.raw_sql(sge.Drop(kind=kind, this=target, tables=[target], exists=True))


def batches(con: Any, table: ir.Table, *, rows: int = 50_000) -> Iterator[pa.RecordBatch]:
    """The rows of an expression over stored tables and views of `con`, in batches, never all in memory.

    Nothing else may be asked of `con` before the last batch. (Ibis 12's own to_pyarrow_batches calls a method that
    DuckDB 2 no longer has.)
    """
    if con.name == SPARK:
        yield from con.batches(table, rows)
    else:
        yield from con.con.sql(con.compile(table)).to_arrow_reader(rows)


def arrow(con: Any, table: ir.Table) -> pa.Table:
    """The rows of an expression over stored tables and views of `con`, all at once; see `batches`."""
    return con.arrow(table) if con.name == SPARK else con.con.sql(con.compile(table)).to_arrow_table()
