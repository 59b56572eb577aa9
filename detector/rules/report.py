"""`rules check`: everything that is held against rules, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detector.errors import RuleError, Where
from detector.rules.document import read_documents, rule_files
from detector.rules.lint import lint, lint_pack
from detector.rules.load import load_documents

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class CheckReport:
    """`rules` were looked at; `faults` in order of file and line."""

    rules: int
    faults: tuple[RuleError, ...]

    def as_json(self) -> dict[str, Any]:
        return {"rules": self.rules, "faults": [fault_json(fault) for fault in self.faults]}

    def print(self, out: Console) -> None:
        for fault in self.faults:
            out.print(str(fault), soft_wrap=True)
        out.print(f"{_count(self.rules, 'rule')} checked, {_count(len(self.faults), 'fault')}.")


def check_rules(paths: Sequence[Path]) -> CheckReport:
    """Raises RuleError for a path that does not exist or holds no rule."""
    documents = []
    faults: list[RuleError] = []
    files = rule_files(paths)
    for path in files:
        read, errors = read_documents(path)
        documents += read
        faults += errors
    if not files:
        raise RuleError("no rule files here", where=Where(", ".join(map(str, paths))), hint="Rules are .yml files.")
    pack = load_documents(documents, strict=False)
    linted = [error for document in documents for error in lint(document)] + lint_pack(documents)
    found = {str(fault): fault for fault in (*faults, *linted, *pack.refusals)}
    return CheckReport(len(documents), tuple(sorted(found.values(), key=_place)))


def fault_json(fault: RuleError) -> dict[str, Any]:
    where = fault.where or Where()
    return {
        "file": str(where.file) if where.file else None,
        "line": where.line,
        "key": where.key,
        "message": fault.message,
        "hint": fault.hint,
    }


def _place(fault: RuleError) -> tuple[str, int]:
    return (str(fault.where.file), fault.where.line or 0) if fault.where else ("", 0)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
