"""Every error a user can meet, in one small tree.

    DetectorError                5  something of ours went wrong
    ├── UsageError               2  the command line does not make sense, or another scan is running
    │   └── LockHeldError        2
    ├── ConfigError              3  configuration, rule, source mapping or model specification
    │   ├── MappingError         3
    │   ├── RuleError            3
    │   └── ReferenceTableError  3
    ├── InputError               4  a file that cannot be read at all (lines that cannot are rejects, not errors)
    └── StateError               5  the lake, a model or the database is not as it was left

The number is the exit code of the contract. A message says what is wrong; `where` says in which file,
line or key; `hint` says what to do next. The command line prints the three and never a traceback. `code` is a fixed
name of what is wrong, where programs ask for one (the faults of rules: detector/rules/checks).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Where:
    """A place in a user's file: path, 1-based line, key (a dotted path); each may be unknown."""

    file: Path | str | None = None
    line: int | None = None
    key: str | None = None

    def __str__(self) -> str:
        place = str(self.file) if self.file is not None else ""
        if self.line is not None:
            place += f":{self.line}"
        if self.key:
            place += f" at {self.key}" if place else self.key
        return place


class DetectorError(Exception):
    """Base of the tree; itself means an internal error."""

    exit_code: ClassVar[int] = 5

    def __init__(self, message: str, *, where: Where | None = None, hint: str | None = None, code: str = "") -> None:
        self.message = message
        self.where = where
        self.hint = hint
        self.code = code
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where and str(self.where) else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class UsageError(DetectorError):
    """The command line cannot be carried out as given."""

    exit_code = 2


class LockHeldError(UsageError):
    """Another scan or ingest holds the home directory."""


class ConfigError(DetectorError):
    """A configuration file, environment setting or model specification is wrong."""

    exit_code = 3


class MappingError(ConfigError):
    """A source mapping is wrong, or no (or more than one) mapping fits a file."""


class RuleError(ConfigError):
    """A rule cannot be run with its full meaning."""


class ReferenceTableError(ConfigError):
    """A reference table cannot be read or lacks a column it must have."""


class InputError(DetectorError):
    """A whole input file cannot be read."""

    exit_code = 4


class StateError(DetectorError):
    """Something under the home directory is missing or altered."""
