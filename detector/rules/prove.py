"""`rules test`: all examples of all rules in one run of the engine, and what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from detector.engine import connect
from detector.errors import RuleError
from detector.rules.coverage import Part, coverage
from detector.rules.examples import APART, DEFAULTS, Example, all_examples
from detector.rules.load import load_rules
from detector.rules.names import feature_names
from detector.rules.pack import RulePack
from detector.rules.report import Fault
from detector.rules.run import run_rules
from detector.rules.windows import ROW
from detector.schema import EVENT_SCHEMA

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Outcome:
    """One example, and how many hits the rules of its file had on it."""

    rule: Path
    example: Example
    hits: int

    @property
    def passed(self) -> bool:
        return self.example.met(self.hits)


@dataclass(frozen=True)
class ExamplesReport:
    """`faults` are refused rules, and rules without sound examples; `parts` what the examples exercise of each rule."""

    outcomes: tuple[Outcome, ...]
    faults: tuple[RuleError, ...]
    parts: tuple[Part, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.faults and all(outcome.passed for outcome in self.outcomes)

    @property
    def gaps(self) -> tuple[Part, ...]:
        """The parts that no example exercises."""
        return tuple(part for part in self.parts if not part.covered)

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "coverage": [part.as_json() for part in self.parts],
            "examples": [
                {
                    "rule": str(outcome.rule),
                    "file": str(outcome.example.file),
                    "line": outcome.example.line,
                    "example": outcome.example.name,
                    "expected": outcome.example.expected,
                    "hits": outcome.hits,
                    "passed": outcome.passed,
                }
                for outcome in self.outcomes
            ],
            "faults": [Fault.of(fault).as_json() for fault in self.faults],
        }

    def print(self, out: Console, *, gaps: bool) -> None:
        """Faults, examples that failed, with `gaps` what no example exercises, and a line that counts each."""
        for fault in self.faults:
            out.print(str(fault), soft_wrap=True)
        failed = [outcome for outcome in self.outcomes if not outcome.passed]
        for outcome in failed:
            example = outcome.example
            text = f"{example.file}:{example.line}: {example.name}: expected {example.expected}, found {outcome.hits}"
            out.print(text, soft_wrap=True)
        rules = len({outcome.rule for outcome in self.outcomes})
        for part in self.gaps if gaps else ():
            at = f"selection {part.selection!r}" + (f", {part.alternative}" if part.alternative else "")
            out.print(f"{part.file}:{part.line}: {at}: {'; '.join(part.missing)}", soft_wrap=True)
        out.print(f"{len(self.outcomes)} examples of {rules} rule files: {len(self.outcomes) - len(failed)} passed.")
        if self.parts:
            covered = len(self.parts) - len(self.gaps)
            out.print(f"{covered} of {len(self.parts)} selections and alternatives exercised.", soft_wrap=True)


def run_examples(paths: Sequence[Path]) -> ExamplesReport:
    """Raises RuleError for a path that does not exist; all else is in the report."""
    pack = load_rules(paths, strict=False)
    faults = list(pack.refusals)
    cases: list[tuple[Path, Example]] = []
    for rule, found in all_examples(paths):
        if isinstance(found, RuleError):
            faults.append(found)
        else:
            cases += [(rule, example) for example in found]
    if not any(example.events for _, example in cases):
        return ExamplesReport((), tuple(faults))
    table, belongs = _events(pack, cases)
    con = connect()
    try:
        hits = _hits(con, pack, cases, table, belongs)
        parts = coverage(con, paths, ibis.memtable(table), [cases[index][0] for index in belongs])
    finally:
        con.disconnect()
    outcomes = tuple(Outcome(rule, example, hits[index]) for index, (rule, example) in enumerate(cases))
    return ExamplesReport(outcomes, tuple(faults), parts)


def _events(pack: RulePack, cases: Sequence[tuple[Path, Example]]) -> tuple[pa.Table, list[int]]:
    """The events of all examples, so far apart that they cannot meet; and for each row its example."""
    apart = APART * (1 + (pack.lookback + timedelta(days=28)) // APART)
    rows = [_row(event, index, index * apart) for index, (_, example) in enumerate(cases) for event in example.events]
    belongs = [row.pop("_example") for row in rows]
    schema = EVENT_SCHEMA
    for name in sorted(feature_names()):
        schema = schema.append(pa.field(name, pa.float64()))
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return pa.Table.from_pylist(rows, schema=nullable).append_column(ROW, pa.array(range(len(rows)))), belongs


def _hits(
    con: Backend, pack: RulePack, cases: Sequence[tuple[Path, Example]], table: pa.Table, belongs: Sequence[int]
) -> Counter[int]:
    """Hits by example. A rule counts on the examples of its own file alone."""
    counted: Counter[int] = Counter()
    for hit in run_rules(con, pack, ibis.memtable(table)):
        index = belongs[hit.rows[0]]
        counted[index] += hit.rule.about.file == cases[index][0]
    return counted


def _row(event: dict[str, Any] | Any, index: int, shift: timedelta) -> dict[str, Any]:
    row = {**DEFAULTS, **event}
    moment: datetime = row["event_time"]
    row["event_time"] = moment + shift
    row.setdefault("actor_id", row.get("requester_id") or row["operator_id"])
    row["_example"] = index
    return row
