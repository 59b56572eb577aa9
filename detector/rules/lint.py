"""What is held against a rule of the project beyond whether it can run: keys, metadata, names, ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from detector.errors import RuleError
from detector.rules.document import Document
from detector.rules.names import known_fields, nearest
from detector.rules.parse_detection import refuse_unknown
from detector.schema import REFERENCE_TABLES

KEYS = frozenset(
    {
        "title", "id", "name", "related", "taxonomy", "status", "description", "references", "author", "date",
        "modified", "logsource", "detection", "correlation", "fields", "falsepositives", "level", "tags", "scope",
        "license", "detector",
    }
)  # fmt: skip
OWN_KEYS = frozenset({"explanation", "risk", "triage", "reference_tables", "not_alone"})
REQUIRED = ("id", "status", "description", "references", "author", "date", "level", "tags", "falsepositives")
STATUSES = frozenset({"stable", "test", "experimental", "deprecated", "unsupported"})
LOGSOURCE = {"category": "record_access", "product": "police_index"}
#: A risk has levels that fit it: what is weak may not shout, what is grave may not whisper.
RISKS = {
    "weak": frozenset({"informational", "low"}),
    "notable": frozenset({"low", "medium"}),
    "grave": frozenset({"medium", "high", "critical"}),
}
EXPLANATION_NAMES = frozenset({"count", "records", "days", "first", "last", "who"})
_TEXTS = frozenset({"title", "name", "status", "description", "author", "level"})
_LISTS = frozenset({"references", "falsepositives", "tags"})
_BRACES = re.compile(r"\{([^{}]*)\}")


def lint(document: Document) -> Iterator[RuleError]:
    """Every fault of one rule document, first things first."""
    error = refuse_unknown(document, document.data, KEYS)
    if error:
        yield error
    yield from _metadata(document)
    yield from _own(document)
    if document.kind == "detection":
        yield from _detection_fields(document)
    elif document.kind == "correlation":
        yield from _correlation_fields(document)


def lint_pack(documents: Iterable[Document]) -> list[RuleError]:
    """Faults that only show between rules: two of one id."""
    errors: list[RuleError] = []
    seen: dict[str, Document] = {}
    for document in documents:
        rule_id = str(document.data.get("id") or "").lower()
        if rule_id and rule_id in seen:
            other = seen[rule_id]
            errors.append(
                document.error(
                    f"the id {rule_id} is already that of {other.file}:{other.line('id')}",
                    "id",
                    hint="Give every rule an id of its own: python -c 'import uuid; print(uuid.uuid4())'",
                )
            )
        elif rule_id:
            seen[rule_id] = document
    return errors


def _metadata(document: Document) -> Iterator[RuleError]:
    data = document.data
    for key in REQUIRED:
        if data.get(key) in (None, "", []):
            yield document.error(f"the rule has no {key}", hint=f"Every rule says its {', '.join(REQUIRED)}.")
    for key in sorted(_TEXTS & set(data)):
        if not isinstance(data[key], str):
            yield document.error(f"`{key}` must be a text", key)
    for key in sorted(_LISTS & set(data)):
        if not isinstance(data[key], list) or not all(isinstance(item, str) for item in data[key]):
            yield document.error(f"`{key}` must be a list of texts", key)
    if data.get("id") and not _is_uuid(data["id"]):
        yield document.error(f"{data['id']!r} is no UUID", "id")
    if data.get("status") and data["status"] not in STATUSES:
        yield document.error(
            f"unknown status {data['status']!r}", "status", hint=nearest(str(data["status"]), STATUSES)
        )
    for key in ("date", "modified"):
        if data.get(key) and not _is_date(data[key]):
            yield document.error(f"{data[key]!r} is no date", key, hint="Write it as 2026-11-23.")
    tags = data.get("tags")
    if isinstance(tags, list) and not any(str(tag).startswith("misuse.") for tag in tags):
        yield document.error("no tag names the misuse", "tags", hint="For example `misuse.curiosity`.")
    if document.kind == "detection":
        yield from _logsource(document)


def _logsource(document: Document) -> Iterator[RuleError]:
    source = document.data.get("logsource")
    wanted = "{category: record_access, product: police_index}"
    if not isinstance(source, dict):
        yield document.error("the rule has no logsource", hint=f"Write `logsource: {wanted}`.")
    elif source != LOGSOURCE:
        yield document.error("the logsource is not this project's", "logsource", hint=f"Write `logsource: {wanted}`.")


def _own(document: Document) -> Iterator[RuleError]:
    own = document.data.get("detector")
    if own is None:
        return
    if not isinstance(own, dict):
        yield document.error("`detector` must be a mapping", "detector")
        return
    error = refuse_unknown(document, own, OWN_KEYS, "detector")
    if error:
        yield error
    risk = own.get("risk")
    if risk is not None and risk not in RISKS:
        yield document.error(f"unknown risk {risk!r}", "detector", "risk", hint=nearest(str(risk), RISKS))
    elif risk is not None and document.data.get("level") not in RISKS[risk]:
        yield document.error(
            f"level {document.data.get('level')} does not fit risk {risk}",
            "level",
            hint=f"Levels for it: {', '.join(sorted(RISKS[risk]))}.",
        )
    tables = own.get("reference_tables", [])
    for name in tables if isinstance(tables, list) else [tables]:
        if name not in REFERENCE_TABLES:
            yield document.error(
                f"unknown reference table {name!r}",
                "detector",
                "reference_tables",
                hint=nearest(str(name), REFERENCE_TABLES),
            )
    if own.get("not_alone") is True and document.data.get("level") != "informational":
        yield document.error(
            "a rule that never stands alone is informational", "level", hint="Write `level: informational`."
        )
    fields = known_fields()
    for name in _BRACES.findall(str(own.get("explanation") or "")):
        if name not in EXPLANATION_NAMES and name not in fields:
            yield document.error(
                f"the explanation names {{{name}}}, which does not exist",
                "detector",
                "explanation",
                hint=nearest(name, EXPLANATION_NAMES | fields),
            )


def _detection_fields(document: Document) -> Iterator[RuleError]:
    detection = document.data.get("detection")
    if not isinstance(detection, dict):
        return
    for name, definition in detection.items():
        if name != "condition":
            yield from _fields_of(document, definition, ("detection", name))
    yield from _unused(document, detection)


def _fields_of(document: Document, definition: Any, path: tuple[str | int, ...]) -> Iterator[RuleError]:
    if isinstance(definition, list):
        for index, item in enumerate(definition):
            yield from _fields_of(document, item, (*path, index))
        return
    if not isinstance(definition, dict):
        return
    for key, value in definition.items():
        field, *modifiers = str(key).split("|")
        yield from _known(document, field, (*path, key))
        if "fieldref" in modifiers:
            for other in value if isinstance(value, list) else [value]:
                yield from _known(document, str(other), (*path, key))


def _correlation_fields(document: Document) -> Iterator[RuleError]:
    body = document.data.get("correlation")
    if not isinstance(body, dict):
        return
    group = body.get("group-by") or []
    for name in group if isinstance(group, list) else [group]:
        yield from _known(document, str(name), ("correlation", "group-by"))
    condition = body.get("condition")
    field = condition.get("field") if isinstance(condition, dict) else None
    for name in field if isinstance(field, list) else [field] if field else []:
        yield from _known(document, str(name), ("correlation", "condition", "field"))


def _known(document: Document, field: str, path: tuple[str | int, ...]) -> Iterator[RuleError]:
    fields = known_fields()
    if field and field not in fields:
        yield document.error(f"unknown column or feature {field!r}", *path, hint=nearest(field, fields))


def _unused(document: Document, detection: dict[str, Any]) -> Iterator[RuleError]:
    conditions = detection.get("condition")
    text = " ".join(map(str, conditions if isinstance(conditions, list) else [conditions]))
    words = set(re.findall(r"[\w*-]+", text))
    if "them" in words:
        return
    patterns = [re.compile(re.escape(word).replace(r"\*", ".*")) for word in words]
    for name in detection:
        if name != "condition" and not any(pattern.fullmatch(str(name)) for pattern in patterns):
            yield document.error(
                f"selection {name!r} is never used", "detection", name, hint="Name it in the condition, or take it out."
            )


def _is_uuid(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def _is_date(value: Any) -> bool:
    if isinstance(value, date):
        return True
    return isinstance(value, str) and re.fullmatch(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}", value) is not None
