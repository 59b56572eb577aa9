"""What a rule says of itself, checked where it is used: title and level always, the project's own keys if present."""

from __future__ import annotations

from typing import Any

from detector.errors import RuleError
from detector.rules.document import Document
from detector.rules.names import one_of
from detector.rules.pack import About, Own
from detector.schema import LEVELS

THEME = "misuse."


def must_be_text(document: Document, *path: str | int) -> RuleError | None:
    """An error for what is there and no text, saying how it is written as one."""
    value: Any = document.data
    for key in path:
        value = value[key] if isinstance(key, int) else value.get(key)
    if value is None or isinstance(value, str):
        return None
    hint = "Write one text."
    if not isinstance(value, dict | list):
        written = document.unquoted.get(".".join(map(str, path)), str(value))
        hint = f"YAML reads it as {_kind(value)}. Put it in quotes: '{written}'."
    name = str(path[-1]) if isinstance(path[-1], str) else str(path[0])
    said = f"`{name}` must be a text" if path[-1] == name else f"`{name}` must be a list of texts"
    return document.error(said, *path, hint=hint, code="wrong-type")


def about(document: Document, *, reported: bool) -> About:
    """Raises RuleError for a missing title or a level that does not exist."""
    data = document.data
    title = data.get("title")
    if title is None and not reported:
        title = data.get("name")  # a rule that only serves a correlation need say no more of itself
    if wrong := must_be_text(document, "title"):
        raise wrong
    if not isinstance(title, str) or not title.strip():
        raise document.error(
            "a rule needs a title", "title", hint="title: what it finds, in a few words", code="missing-metadata"
        )
    level = "informational" if data.get("level") in (None, "") else data["level"]
    if level not in LEVELS:
        raise document.error(f"unknown level {level!r}", "level", hint=one_of(level, LEVELS), code="unknown-level")
    rule_id = data.get("id") or data.get("name") or title
    return About(
        key=document.key,
        rule_id=str(rule_id),
        title=title.strip(),
        level=level,
        file=document.file,
        line=document.line("title"),
        name=str(data.get("name") or ""),
        description=" ".join(str(data.get("description") or "").split()),
        theme=_theme(data.get("tags")),
        own=_own(data.get("detector")),
        reported=reported,
        metadata=data,
    )


def _kind(value: Any) -> str:
    return "true or false" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else "a date"


def _theme(tags: Any) -> str:
    for tag in tags if isinstance(tags, list) else []:
        if isinstance(tag, str) and tag.startswith(THEME):
            return tag.removeprefix(THEME)
    return "uncategorised"


def _own(data: Any) -> Own:
    if not isinstance(data, dict):
        return Own()
    tables = data.get("reference_tables")
    return Own(
        explanation=" ".join(str(data.get("explanation") or "").split()),
        risk=str(data.get("risk") or ""),
        triage=" ".join(str(data.get("triage") or "").split()),
        reference_tables=tuple(map(str, tables)) if isinstance(tables, list) else (),
        not_alone=data.get("not_alone") is True,
    )
