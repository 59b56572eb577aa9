"""What a rule says of itself, checked where it is used: title and level always, the project's own keys if present."""

from __future__ import annotations

from typing import Any

from detector.rules.document import Document
from detector.rules.names import nearest
from detector.rules.pack import About, Own
from detector.schema import LEVELS

THEME = "misuse."


def about(document: Document, *, reported: bool) -> About:
    """Raises RuleError for a missing title or a level that does not exist."""
    data = document.data
    title = data.get("title")
    if title is None and not reported:
        title = data.get("name")  # a rule that only serves a correlation need say no more of itself
    if not isinstance(title, str) or not title.strip():
        raise document.error("a rule needs a title", "title", code="missing-metadata")
    level = data.get("level") or "informational"
    if level not in LEVELS:
        raise document.error(
            f"unknown level {level!r}", "level", hint=nearest(str(level), LEVELS), code="unknown-level"
        )
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
