"""Writes the parts of the documentation that are read off the program itself, so that they cannot be out of date.

python docs/generate.py            docs/commands.md, the settings in docs/operating.md, docs/features.md,
                                   the scenarios in docs/simulating.md, the tables in docs/reference-tables.md
python docs/generate.py --demo     the output of the demonstration in README.md too (a minute or two)
python docs/generate.py --check    writes nothing; exit code 1 and the difference when something is out of date
"""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from reference_tables import tables

from detector.cli import app
from detector.config import ENV_PREFIX, Settings
from detector.features.document import catalogue_page
from detector.simulate.scenarios.registry import SCENARIOS

ROOT = Path(__file__).resolve().parents[1]
COMMANDS, OPERATING, README = ROOT / "docs" / "commands.md", ROOT / "docs" / "operating.md", ROOT / "README.md"
CATALOGUE = ROOT / "docs" / "features.md"
SIMULATING = ROOT / "docs" / "simulating.md"
REFERENCE = ROOT / "docs" / "reference-tables.md"
COMMANDS_HEAD = """# Commands

Written by `make docs` from the program itself; `detector COMMAND --help` says the same. `--home` and `--config` may
stand before or after the command. Exit codes: [operating.md](operating.md#exit-codes).
"""


def commands() -> str:
    """The page of every command with its arguments and options."""
    return "\n".join([COMMANDS_HEAD, *_command("detector", typer.main.get_command(app))]) + "\n"


def _command(path: str, command: Any) -> Iterator[str]:
    yield f"## `{path}`\n"
    yield (command.help or "").replace("\n\n", "\n").strip() + "\n"
    rows = [_parameter(p) for p in command.params if not p.hidden]
    if rows:
        yield "| argument or option | default | what it does |\n|---|---|---|"
        yield "\n".join(rows) + "\n"
    for name, below in sorted(getattr(command, "commands", {}).items()):
        yield from _command(f"{path} {name}", below)


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            names += f" {_takes(parameter.type_descriptor.annotation, parameter.metavar)}"
    default = "required" if parameter.required else _value(parameter.default)
    return f"| {names} | {default} | {_cell(getattr(parameter, 'help', None) or '')} |"


def _takes(annotation: Any, metavar: str | None) -> str:
    """What an option wants after it."""
    if get_origin(annotation) is list:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(str(member.value) for member in annotation)
    if get_origin(annotation) is Literal:
        return " or ".join(get_args(annotation))
    return f"`{metavar or getattr(annotation, '__name__', str(annotation)).replace('str', 'text').upper()}`"


def settings() -> str:
    """The table of every setting: key, default, what is allowed, what it means."""
    return "\n".join(["| key | default | allowed | meaning |", "|---|---|---|---|", *_settings(Settings, "")])


def _settings(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        below = field.annotation
        if isinstance(below, type) and issubclass(below, BaseModel):
            yield from _settings(below, f"{prefix}{name}.")
        elif get_origin(below) is dict and isinstance(item := get_args(below)[1], type) and issubclass(item, BaseModel):
            yield from _settings(item, f"{prefix}{name}.NAME.")
        else:
            if not field.description:
                raise SystemExit(f"{model.__name__}.{name} has no description: say in config.py what it means")
            allowed, meaning = _allowed(field), _cell(field.description)
            yield f"| `{prefix}{name}` | {_value(field.get_default())} | {allowed} | {meaning} |"


def _allowed(field: FieldInfo) -> str:
    bounds = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [
        f"{sign} {getattr(rule, key)}"
        for rule in field.metadata
        for key, sign in bounds.items()
        if getattr(rule, key, None) is not None
    ]
    return ", ".join([_kind(field.annotation), *limits])


def _kind(annotation: Any) -> str:
    names = {
        int: "whole number",
        float: "number",
        bool: "true or false",
        str: "text",
        Path: "path",
    }
    if annotation in names:
        return names[annotation]
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is tuple:
        return f"list of {_kind(parts[0])}"
    if get_origin(annotation) is dict:
        return f"for each {_kind(parts[0])} a {_kind(parts[1])}"
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    return " or ".join(_kind(part) for part in parts) if parts else str(annotation)


def _value(value: Any) -> str:
    value = getattr(value, "value", value)
    if value in (None, (), [], {}, ""):
        return "-"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def scenarios() -> str:
    """The table of every scenario, from the first line of what drafts it."""
    rows = ["| | scenario | family | split | what happens |", "|---|---|---|---|---|"]
    for each in SCENARIOS:
        what = _cell((each.draft.__doc__ or "").partition("\n")[0])
        rows.append(f"| {each.number} | `{each.name}` | {each.family} | {each.split} | {what} |")
    return "\n".join(rows)


def demo() -> str:
    """The head of the queue that a scan of the sample logs into a new home leaves, as `make demo` makes it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX) and k != "DATABASE_URL"}
    env |= {"COLUMNS": "110", "NO_COLOR": "1", "TERM": "dumb"}
    with tempfile.TemporaryDirectory() as home:
        base = [sys.executable, "-m", "detector", "--home", home]
        for command in (["scan", "sample_logs"], ["alerts", "list", "--limit", "3"]):
            done = subprocess.run([*base, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode:
                raise SystemExit(f"detector {' '.join(command)} left with {done.returncode}:\n{done.stderr}")
    lines = "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())
    return f"```text\n$ detector alerts list --limit 3\n{lines}\n```"


def between(page: str, name: str, text: str) -> str:
    """The page with what stands between its markers of that name replaced."""
    begin, end = f"<!-- {name}: written by make docs -->", f"<!-- end of {name} -->"
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"the markers of {name!r} are missing")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated parts of the documentation.")
    parser.add_argument("--demo", action="store_true", help="the demonstration's output in README.md too")
    parser.add_argument("--check", action="store_true", help="write nothing, show what is out of date")
    arguments = parser.parse_args()
    pages = {
        COMMANDS: commands(),
        OPERATING: between(OPERATING.read_text(), "settings", settings()),
        CATALOGUE: between(CATALOGUE.read_text(), "features", catalogue_page()),
        SIMULATING: between(SIMULATING.read_text(), "scenarios", scenarios()),
        REFERENCE: between(REFERENCE.read_text(), "tables", tables()),
    }
    if arguments.demo:
        pages[README] = between(README.read_text(), "demo", demo())
    stale = False
    for path, text in pages.items():
        old = path.read_text() if path.exists() else ""
        if not arguments.check:
            path.write_text(text)
        elif old != text:
            stale = True
            name = str(path.relative_to(ROOT))
            sys.stdout.writelines(
                difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, "as it should be")
            )
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
