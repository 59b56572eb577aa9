"""Dotted paths into JSON: `a.b`, `a[0].b`, `agents[kind=user].id`. Compiled once, walked for every record."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_STEP: Final = re.compile(r"(?P<key>[^.\[\]]+)(?P<picks>(?:\[[^\[\]]*\])*)(?:\.|$)")
_PICK: Final = re.compile(r"\[(?:(?P<index>\d{1,4})|(?P<field>[^=\[\]]+)=(?P<value>[^\[\]]*))\]")


@dataclass(frozen=True)
class Step:
    """A key of an object, then elements picked out of lists: by number or by the first with `field` = `value`."""

    key: str
    picks: tuple[int | tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Path:
    """`is_nested`: it says more than the name of a key at the top."""

    text: str
    steps: tuple[Step, ...]
    is_nested: bool


def compile_path(text: str) -> Path:
    """Raises ValueError for what is no path."""
    steps: list[Step] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is no path: write a.b, a[0].b or a[field=value].b")
        picks: list[int | tuple[str, str]] = []
        for pick in re.findall(r"\[[^\[\]]*\]", match["picks"]):
            parsed = _PICK.fullmatch(pick)
            if parsed is None:
                raise ValueError(f"{text!r} is no path: {pick} is neither a number nor field=value")
            picks.append(int(parsed["index"]) if parsed["index"] else (parsed["field"], parsed["value"]))
        steps.append(Step(match["key"], tuple(picks)))
        position = match.end()
    if not steps or text.endswith("."):
        raise ValueError(f"{text!r} is no path")
    return Path(text, tuple(steps), steps != [Step(text)])


def lookup(record: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`, None when there is none (or it is null). A flat key `a.b` counts as the path a.b."""
    return record[path.text] if path.text in record else descend(record, path.steps)


def descend(value: Any, steps: Sequence[Step]) -> Any:
    """The value that these steps lead to, None when there is none."""
    for step in steps:
        if not isinstance(value, dict):
            return None
        value = value.get(step.key)
        for pick in step.picks:
            value = _pick(value, pick)
        if value is None:
            return None
    return value


def _pick(value: Any, pick: int | tuple[str, str]) -> Any:
    if not isinstance(value, list):
        return None
    if isinstance(pick, int):
        return value[pick] if pick < len(value) else None
    field, wanted = pick
    return next((v for v in value if isinstance(v, dict) and field in v and text_of(v[field]) == wanted), None)


def text_of(value: Any) -> str | None:
    """A JSON value as text: strings as they are, numbers and booleans as in JSON, lists and objects as compact JSON.

    A list of one plain value is that value (ECS: any field may be a list). null and an empty list are None.
    """
    match value:
        case None | []:
            return None
        case str() | bool() | int() | float():
            return _plain(value)
        case [str() | bool() | int() | float() as only]:
            return _plain(only)
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, float) else str(value)


def number_text(value: float) -> str:
    """A float as text; a whole one without its `.0`, so that 5 and 5.0 are one count."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
