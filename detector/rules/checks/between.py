"""Faults that only show between rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from detector.errors import RuleError
from detector.rules.checks.kind import check
from detector.rules.document import Document

_GUIDANCE: Final = ("explanation", "risk", "triage")


@check(
    "duplicate-id",
    "error",
    finds="two rules of one id, in one file or in two: their findings could not be told apart",
    mend="A new one: python -c 'import uuid; print(uuid.uuid4())'",
    bad="two rules with `id: 5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11`",
)
def duplicate_id(documents: Sequence[Document]) -> Iterator[RuleError]:
    seen: dict[str, Document] = {}
    for document in documents:
        rule_id = str(document.data.get("id") or "").lower()
        if rule_id and rule_id in seen:
            other = seen[rule_id]
            yield document.error(
                f"the id {rule_id} is already that of {other.file}:{other.line('id')}",
                "id",
                hint="Give every rule an id of its own: python -c 'import uuid; print(uuid.uuid4())'",
            )
        elif rule_id:
            seen[rule_id] = document


@check(
    "duplicate-title",
    "warning",
    finds="two rules of one title: a reviewer could not tell which has spoken",
    mend="Say in the title what sets it apart.",
    bad="two rules with `title: Many look-ups`",
)
def duplicate_title(documents: Sequence[Document]) -> Iterator[RuleError]:
    seen: dict[str, Document] = {}
    for document in documents:
        title = " ".join(str(document.data.get("title") or "").lower().split())
        if title and title in seen:
            other = seen[title]
            yield document.error(f"the title is already that of {other.file}:{other.line('title')}", "title")
        elif title:
            seen[title] = document


@check(
    "duplicate-detection",
    "warning",
    finds="two rules that find the same; those that only serve a correlation may",
    mend="Keep one, or correct the one that was copied and not changed.",
    bad="two rules with the same `detection`",
)
def duplicate_detection(documents: Sequence[Document]) -> Iterator[RuleError]:
    seen: dict[str, Document] = {}
    for document in _speaking(documents):
        if not document.data.get(document.kind):
            continue
        logic = json.dumps(_named(document.data[document.kind]), sort_keys=True, default=str)
        if logic in seen:
            other = seen[logic]
            yield document.error(f"it finds the same as {other.file}:{other.line(other.kind)}", document.kind)
        else:
            seen[logic] = document


@check(
    "missing-guidance",
    "warning",
    finds="a rule without the words a reviewer works with: explanation, risk, and what to check first (triage)",
    mend="Write all three under `detector:`. A rule that only serves a correlation needs none.",
    bad="detector: {explanation: Says it, risk: notable}\n",
    good="detector: {explanation: Says it, risk: notable, triage: Ask first.}\n",
)
def missing_guidance(documents: Sequence[Document]) -> Iterator[RuleError]:
    for document in _speaking(documents):
        own = document.data.get("detector")
        own = own if isinstance(own, dict) else {}
        missing = [name for name in _GUIDANCE if not str(own.get(name) or "").strip()]
        if missing:
            yield document.error(
                f"the rule has no {', no '.join(missing)}", "detector", hint="Write it under `detector:`."
            )


CHECKS: Final = (duplicate_id, duplicate_title, duplicate_detection, missing_guidance)


def _speaking(documents: Sequence[Document]) -> Iterator[Document]:
    """The rules that report something themselves."""
    served = _served(documents)
    for document in documents:
        if document.kind != "filter" and not {str(document.data.get(key)) for key in ("id", "name")} & served:
            yield document


def _served(documents: Sequence[Document]) -> set[str]:
    """Names and ids of rules that correlations build on and that report nothing themselves."""
    served: set[str] = set()
    for document in documents:
        body = document.data.get("correlation")
        if isinstance(body, dict) and body.get("generate") is not True:
            rules = body.get("rules")
            served |= {str(rule) for rule in (rules if isinstance(rules, list) else [rules])}
    return served


def _named(value: Any) -> Any:
    """The same with texts for keys, which YAML may read as numbers or as true: only those have an order."""
    if isinstance(value, dict):
        return {str(key): _named(item) for key, item in value.items()}
    return [_named(item) for item in value] if isinstance(value, list) else value
