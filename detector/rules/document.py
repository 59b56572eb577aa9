"""One YAML document of a rule file, and the line of every key in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from detector.errors import RuleError, Where
from detector.safe_yaml import Lines, load_all, read_text

Kind = Literal["detection", "correlation", "filter"]
SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True)
class Document:
    """`index` counts the documents of the file from 0. `unquoted` and `unquoted_keys` are those of safe_yaml.Lines."""

    file: Path
    index: int
    data: dict[str, Any]
    lines: Mapping[str, int]
    unquoted: Mapping[str, str] = field(default_factory=dict)
    unquoted_keys: frozenset[str] = frozenset()

    @property
    def kind(self) -> Kind:
        return "correlation" if "correlation" in self.data else "filter" if "filter" in self.data else "detection"

    @property
    def key(self) -> str:
        return f"{self.file}#{self.index}"

    def line(self, *path: str | int) -> int:
        """The line of a key, or of the nearest key above it."""
        keys = [str(part) for part in path]
        while keys:
            found = self.lines.get(".".join(keys))
            if found is not None:
                return found
            keys.pop()
        return min(self.lines.values(), default=1)

    def error(self, message: str, *path: str | int, hint: str | None = None, code: str = "") -> RuleError:
        """`code` is the fault's id in detector/rules/checks; a check of its own puts it in itself."""
        where = Where(self.file, self.line(*path), ".".join(map(str, path)) or None)
        return RuleError(message, where=where, hint=hint, code=code)


def is_examples(path: Path) -> bool:
    """Examples lie beside their rule as NAME.examples.yml."""
    return path.stem.endswith(".examples")


def examples_file(rule: Path) -> Path:
    """Where the examples of a rule file lie."""
    return rule.with_name(f"{rule.stem}.examples{rule.suffix}")


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """Rule files named or below named folders, sorted; hidden files and examples left out.

    Raises RuleError for a path that does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            below = (file for suffix in SUFFIXES for file in path.rglob(f"*{suffix}"))
            found |= {
                file
                for file in below
                if not is_examples(file) and not any(part.startswith(".") for part in file.relative_to(path).parts)
            }
        elif path.is_file():
            found.add(path)
        else:
            raise RuleError("no such rule file or folder", where=Where(path))
    return sorted(found)


def read_documents(path: Path) -> tuple[list[Document], list[RuleError]]:
    """The documents of a rule file. What is wrong with the file as a whole is one error."""
    try:
        loaded: Sequence[tuple[Any, Lines]] = load_all(
            read_text(path, error=RuleError), name=str(path), error=RuleError
        )
    except RuleError as exc:
        return [], [exc]
    documents: list[Document] = []
    errors: list[RuleError] = []
    for index, (data, lines) in enumerate(loaded):
        if data is None:
            continue
        if not isinstance(data, dict):
            errors.append(
                RuleError(
                    "expected a mapping with title, logsource and detection",
                    where=Where(path, min(lines.values(), default=1)),
                    code="not-a-mapping",
                )
            )
            continue
        named = {str(key): value for key, value in data.items()}
        documents.append(Document(path, index, named, lines, lines.unquoted, frozenset(lines.unquoted_keys)))
    return documents, errors


@dataclass(frozen=True)
class RuleFiles:
    """What lies at some paths. `missing`: an error for each file without a rule, and each folder without files."""

    files: tuple[Path, ...]
    documents: tuple[Document, ...]
    errors: tuple[RuleError, ...]
    missing: tuple[RuleError, ...]


def read_rules(paths: Iterable[Path]) -> RuleFiles:
    """Every file once. Raises RuleError for a path that does not exist."""
    paths = list(paths)
    files = rule_files(paths)
    read = {file: read_documents(file) for file in files}
    lacking = []
    for path in paths:
        below = rule_files([path])
        # what cannot be read is no rule either, but is among the errors
        lacking += [(Where(file, 1), "there is no rule in it") for file in below if not any(read[file])]
        if not below:
            lacking.append((Where(path), "no rule files are here"))
    hint = "Rules are .yml or .yaml files with title, logsource and detection."
    return RuleFiles(
        tuple(files),
        tuple(document for documents, _ in read.values() for document in documents),
        tuple(error for _, errors in read.values() for error in errors),
        tuple(RuleError(what, where=where, hint=hint, code="no-rules") for where, what in lacking),
    )
