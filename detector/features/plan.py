"""Queries in order, written once and run every night.

Building an Ibis expression and having it translated takes longer than running it on a small night. So a stage is
written against named tables that do not exist yet, translated once a process, and each night binds its own events
and profiles to those names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import sqlglot.expressions as sge

from detector.engine import drop
from detector.features.engine import Kind, ProfileFiles, bind_arrow, bind_expression, bind_files, compiler, fill


@dataclass(frozen=True)
class Step:
    """One table or view and the query, as Ibis wrote it, that makes it; then the names that nothing reads any more."""

    table: str
    query: str
    kind: Kind = "TABLE"
    done_with: tuple[tuple[Kind, str], ...] = ()


class Plan:
    """Steps being written. `keep` and `view` give the table that a step will make, to write the next ones with.

    `engine` is the `name` of the connection which will run them.
    """

    def __init__(self, name: str, engine: str) -> None:
        self.name = name
        self._compiler = compiler(engine)
        self._steps: list[Step] = []

    def source(self, name: str, schema: pa.Schema | ibis.Schema) -> ir.Table:
        """A table that `bound` will give."""
        return ibis.table(nullable(schema), name=f"{self.name}_source_{name}")

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """A step that materialises `expression`."""
        return self._step("TABLE", name, expression)

    def view(self, name: str, expression: ir.Table) -> ir.Table:
        """A step that only names `expression`: the engine keeps it apart, and works out once what many use of it."""
        return self._step("VIEW", name, expression)

    def _step(self, kind: Kind, name: str, expression: ir.Table) -> ir.Table:
        table = f"{self.name}_{name}"
        if any(step.table == table for step in self._steps):
            raise ValueError(f"two steps called {name!r}")
        query = self._compiler.to_sqlglot(expression).sql(self._compiler.dialect)
        self._steps.append(Step(table, query, kind))
        return ibis.table(nullable(expression.schema()), name=table)

    def steps(self) -> tuple[Step, ...]:
        """The steps, each dropping what it was the last to read: a big night's tables fill the memory otherwise."""
        last: dict[str, int] = {}
        through: dict[str, set[str]] = {}  # what a view reads is read again whenever the view is
        for index, step in enumerate(self._steps):
            read = {each.table for each in self._steps[:index] if self._quoted(each.table) in step.query}
            read |= {name for view in read for name in through.get(view, ())}
            if step.kind == "VIEW":
                through[step.table] = read
            last |= dict.fromkeys(read, index)
        kinds = {step.table: step.kind for step in self._steps}
        return tuple(
            # A view before what it stands on: names come in the order in which they were made.
            replace(step, done_with=tuple((kinds[n], n) for n in reversed(kinds) if last.get(n) == index))
            for index, step in enumerate(self._steps)
        )

    def _quoted(self, table: str) -> str:
        return sge.to_identifier(table, quoted=True).sql(self._compiler.dialect)


@contextmanager
def bound(
    con: Any,
    plan: str,
    tables: Mapping[str, ir.Table | pa.Table | ProfileFiles],
    schemas: Mapping[str, pa.Schema | ibis.Schema],
) -> Iterator[None]:
    """Binds each of `tables` to the name under which the plan called `plan` reads it.

    Expressions are cast to their schema; files and Arrow tables must have theirs already, and cost next to nothing.
    """
    with ExitStack() as undo:
        for name, table in tables.items():
            view = f"{plan}_source_{name}"
            if isinstance(table, pa.Table):
                undo.callback(bind_arrow(con, view, table))
            elif isinstance(table, ProfileFiles):
                undo.callback(bind_files(con, view, table))
            else:
                schema = nullable(schemas[name])
                undo.callback(bind_expression(con, view, table, schema))
        yield


@contextmanager
def filled(con: Any, steps: Sequence[Step]) -> Iterator[None]:
    """Runs the steps in order; the tables that no step was done with are there within the block."""
    there: dict[str, Kind] = {}
    try:
        for step in steps:
            fill(con, step.table, step.query, step.kind)
            there[step.table] = step.kind
            for kind, name in step.done_with:
                drop(con, kind, name)
                del there[name]
        yield
    finally:
        for name in reversed(there):
            drop(con, there[name], name)


def nullable(schema: pa.Schema | ibis.Schema) -> ibis.Schema:
    """The same columns, all of which may be NULL: Ibis unites tables only when even that agrees."""
    ours = ibis.Schema.from_pyarrow(schema) if isinstance(schema, pa.Schema) else schema
    return ibis.schema({name: dtype.copy(nullable=True) for name, dtype in ours.items()})
