"""The query engine: an embedded DuckDB behind Ibis, shut off from everything but the files it is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


def connect(
    *, readable: Sequence[Path] = (), threads: int = 2, memory_limit: str = "1500MB", spill: Path | None = None
) -> Backend:
    """A fresh in-memory database that can read below `readable` (folders or files) and nothing else.

    Rules and logs come from outside: with external access off and the configuration locked, no expression can
    open a file or an address that was not named here, nor switch that off. Beyond `memory_limit` it spills to
    `spill` (which must exist), or fails where none is given.
    """
    import ibis

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
