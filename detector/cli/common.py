"""What every command shares: where the state is, the settings, the output format."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from detector.errors import ConfigError, UsageError, Where
from detector.home import Home

if TYPE_CHECKING:
    from rich.console import Console

    from detector.config import Settings

#: Where state lies when neither --home nor DETECTOR_HOME says so: visible, in the directory the command is run from.
DEFAULT_HOME: Final = Path("detector-home")


class OutputFormat(StrEnum):
    """For people, or for programs."""

    table = "table"
    json = "json"


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help=f"Directory that holds all state.  [env: DETECTOR_HOME; default: ./{DEFAULT_HOME}]",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings (YAML).  [env: DETECTOR_CONFIG; default: none]", show_default=False
    ),
]
FormatOption = Annotated[
    OutputFormat,
    typer.Option("--format", help="json goes to standard output alone; everything else to standard error."),
]


@dataclass(frozen=True)
class Context:
    """The global options as given; None where they were not."""

    home: Path | None = None
    config: Path | None = None


def set_context(ctx: typer.Context, *, home: Path | None, config: Path | None) -> None:
    """Keep the global options for the command that follows."""
    ctx.obj = Context(home=home, config=config)


def load(ctx: typer.Context, env: Mapping[str, str] = os.environ) -> tuple[Home, Settings]:
    """Home and settings by option, else environment, else default. Raises ConfigError; creates nothing."""
    from detector.config import load_settings

    given = ctx.obj if isinstance(ctx.obj, Context) else Context()
    home = given.home or _from_env("DETECTOR_HOME", env) or DEFAULT_HOME
    config = given.config or _from_env("DETECTOR_CONFIG", env)
    if config is not None and (config.is_dir() or not config.exists()):
        raise ConfigError("there is no such file", where=Where(config), hint="Check --config or DETECTOR_CONFIG.")
    return Home(home), load_settings(config, env)


def load_tables(ctx: typer.Context, env: Mapping[str, str] = os.environ) -> tuple[Home, Settings]:
    """As `load`, for commands that write: the tables can be imported after it; nothing is opened or created yet."""
    from detector.database import open_database

    home, settings = load(ctx, env)
    open_database(home, env, migrate=False)
    return home, settings


def open_home(ctx: typer.Context, env: Mapping[str, str] = os.environ) -> tuple[Home, Settings]:
    """As `load`, with the database open, for commands that read what a scan left.

    Raises UsageError when there is no state to read: an empty answer from a mistyped directory would be a wrong one.
    """
    from detector.database import open_database

    home, settings = load(ctx, env)
    if not env.get("DATABASE_URL") and not home.database.is_file():
        raise nothing_scanned(home)
    open_database(home, env)
    return home, settings


def read_home(ctx: typer.Context, env: Mapping[str, str] = os.environ) -> tuple[Home, Settings]:
    """As `open_home`, for commands that must leave the home as it is: no table is brought up to date either."""
    home, settings = load_tables(ctx, env)
    if not env.get("DATABASE_URL") and not home.database.is_file():
        raise nothing_scanned(home)
    return home, settings


def nothing_scanned(home: Home) -> UsageError:
    return UsageError(
        f"nothing was scanned into {home.root} yet",
        hint="Run `detector scan` first, or name the directory by --home or DETECTOR_HOME.",
    )


def hoist(arguments: Sequence[str]) -> list[str]:
    """The arguments with --home and --config moved to the front, so that they may also follow the command.

    What follows a bare `--` is left alone. Raises UsageError where the value is missing.
    """
    front: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        name, equals, _ = argument.partition("=")
        if argument == "--":
            rest += [argument, *pending]
        elif name not in ("--home", "--config"):
            rest.append(argument)
        elif equals:
            front.append(argument)
        else:
            value = next(pending, None)
            if value is None:
                raise UsageError(f"{argument} needs a value")
            front += [argument, value]
    return front + rest


def print_json(value: Any) -> None:
    """One JSON document on standard output; ASCII only, so that no character can act on a terminal."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n")


def say(lines: str | Iterable[str]) -> None:
    """A remark on standard error."""
    for line in [lines] if isinstance(lines, str) else lines:
        print(line, file=sys.stderr)  # noqa: T201


def console() -> Console:
    """Standard output for people: no mark-up read from text, no colour where it is no terminal."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False)


def _from_env(name: str, env: Mapping[str, str]) -> Path | None:
    value = env.get(name, "").strip()
    return Path(value) if value else None
