"""What a rule says of itself: there, of the right kind, and fit for a reviewer's eyes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Final
from uuid import UUID

from detector.errors import RuleError
from detector.rules.about import must_be_text
from detector.rules.checks.kind import check
from detector.rules.document import Document
from detector.rules.names import nearest
from detector.rules.parse_detection import refuse_unknown

KEYS: Final = frozenset(
    {
        "title", "id", "name", "related", "taxonomy", "status", "description", "references", "author", "date",
        "modified", "logsource", "detection", "correlation", "fields", "falsepositives", "level", "tags", "scope",
        "license", "detector",
    }
)  # fmt: skip
OWN_KEYS: Final = frozenset({"explanation", "risk", "triage", "reference_tables", "not_alone"})
REQUIRED: Final = ("id", "status", "description", "references", "author", "date", "level", "tags", "falsepositives")
STATUSES: Final = frozenset({"stable", "test", "experimental", "deprecated", "unsupported"})
LOGSOURCE: Final = {"category": "record_access", "product": "police_index"}
#: Sigma 2.1, rule title: "a brief title of the rule […] (max. 256 characters)".
LONGEST_TITLE: Final = 256
_TEXTS: Final = frozenset({"title", "name", "status", "description", "author", "level"})
_OWN_TEXTS: Final = frozenset({"explanation", "risk", "triage", "owner", "reason"})
_LISTS: Final = frozenset({"references", "falsepositives", "tags"})
#: C0 and C1 controls but tab and newline, zero-width and bidirectional formatting (Unicode TR 36, 3.3), BOM.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@check(
    "unknown-key",
    "error",
    finds="a key that neither Sigma nor the detector knows, mostly a slip of the fingers",
    mend="Correct it; the nearest known one is named.",
    bad="levle: low\n",
    good="level: low\n",
)
def unknown_key(document: Document) -> Iterator[RuleError]:
    own = document.data.get("detector")
    wrong = [refuse_unknown(document, {key: None}, KEYS) for key in document.data]
    wrong += (
        [refuse_unknown(document, {key: None}, OWN_KEYS, "detector") for key in own] if isinstance(own, dict) else []
    )
    yield from filter(None, wrong)


@check(
    "missing-metadata",
    "error",
    finds=f"a rule without one of {', '.join(('title', *REQUIRED))}, or without a detection",
    mend="Write it: whoever is woken by the rule has nothing else to go by.",
    bad="status:\n",
    good="status: experimental\n",
)
def missing_metadata(document: Document) -> Iterator[RuleError]:
    for key in REQUIRED:
        if document.data.get(key) in (None, "", []):
            yield document.error(f"the rule has no {key}", hint=f"Every rule says its {', '.join(REQUIRED)}.")


@check(
    "wrong-type",
    "error",
    finds="a text where a list belongs, or the other way round; or a title that is a number (`title: 2026`)",
    mend="`references`, `falsepositives` and `tags` are lists of texts, the rest of the metadata texts: put what YAML "
    "would read as a number, a date, or true or false in quotes.",
    bad="references: https://example.org/report\n",
    good="references: [https://example.org/report]\n",
)
def wrong_type(document: Document) -> Iterator[RuleError]:
    yield from filter(None, (must_be_text(document, key) for key in sorted(_TEXTS)))
    for key in sorted(_LISTS & set(document.data)):
        value = document.data[key]
        if isinstance(value, list):
            yield from filter(None, (must_be_text(document, key, index) for index in range(len(value))))
        elif value is not None:
            yield document.error(
                f"`{key}` must be a list of texts", key, hint="A list begins each entry with `- `, or is [a, b]."
            )
    own = document.data.get("detector")
    if isinstance(own, dict):
        yield from filter(None, (must_be_text(document, "detector", key) for key in sorted(_OWN_TEXTS)))
        if not isinstance(own.get("not_alone", False), bool):
            yield document.error("`not_alone` must be true or false", "detector", "not_alone", hint="Without quotes.")
    elif "detector" in document.data:
        yield document.error("`detector` must be a mapping", "detector", hint="detector: {risk: notable, …}")


@check(
    "control-character",
    "error",
    finds="a character that is not seen, or that changes the order of what is seen",
    mend="Take it out; within a regular expression write it as `\\x{200B}`.",
    bad='description: "Says what\u202e it finds."\n',
    good='description: "Says what it finds."\n',
)
def control_character(document: Document) -> Iterator[RuleError]:
    for path, text in _texts(document.data, ()):
        found = _UNSEEN.search(text)
        if found:
            yield document.error(
                f"the character U+{ord(found[0]):04X} is not seen by a reader",
                *path,
                hint="Take it out; within a regular expression write it as \\x{…}.",
            )


@check(
    "bad-uuid",
    "error",
    finds="an id that is no UUID, or not written in its usual form",
    mend="A new one: python -c 'import uuid; print(uuid.uuid4())'",
    bad="id: R-1\n",
    good="id: 5f0f8a52-0d0c-4b2f-9d0a-0c6a3c1f2b11\n",
)
def bad_uuid(document: Document) -> Iterator[RuleError]:
    value = document.data.get("id")
    if value and not _is_uuid(value):
        yield document.error(
            f"{value!r} is no UUID", "id", hint="A new one: python -c 'import uuid; print(uuid.uuid4())'"
        )


@check(
    "bad-date",
    "error",
    finds="a `date` or `modified` that is no day of the calendar",
    mend="Write it as 2026-11-23.",
    bad="date: 2026-02-30x\n",
    good="date: 2026-11-23\n",
)
def bad_date(document: Document) -> Iterator[RuleError]:
    for key in ("date", "modified"):
        value = document.data.get(key)
        if value not in (None, "") and _as_date(value) is None:
            yield document.error(
                f"{document.unquoted.get(key, value)!r} is no date", key, hint="Write it as 2026-11-23."
            )


@check(
    "dates-out-of-order",
    "warning",
    finds="a rule that was modified before it was written",
    mend="Correct the one that is wrong.",
    bad="modified: 2025-11-23\n",
    good="modified: 2026-11-24\n",
)
def dates_out_of_order(document: Document) -> Iterator[RuleError]:
    written, modified = (_as_date(document.data.get(key)) for key in ("date", "modified"))
    if written and modified and modified < written:
        yield document.error(f"modified on {modified}, before it was written on {written}", "modified")


@check(
    "unknown-status",
    "error",
    finds="a status that Sigma does not have",
    mend=f"One of {', '.join(sorted(STATUSES))}.",
    bad="status: experimentl\n",
    good="status: experimental\n",
)
def unknown_status(document: Document) -> Iterator[RuleError]:
    status = document.data.get("status")
    if isinstance(status, str) and status and status not in STATUSES:
        yield document.error(f"unknown status {status!r}", "status", hint=nearest(status, STATUSES))


@check(
    "long-title",
    "warning",
    finds=f"a title of more than {LONGEST_TITLE} characters",
    mend="Say the rest in the description.",
    bad=f"title: {'Many look-ups ' * 20}\n",
    good="title: Many look-ups\n",
)
def long_title(document: Document) -> Iterator[RuleError]:
    title = document.data.get("title")
    if isinstance(title, str) and len(title) > LONGEST_TITLE:
        yield document.error(f"the title has {len(title)} characters", "title", hint=f"At most {LONGEST_TITLE}.")


@check(
    "no-misuse-tag",
    "error",
    finds="a rule whose tags do not name the misuse: findings of one family and person become one alert",
    mend="Tag it `misuse.<family>`, for example `misuse.curiosity`.",
    bad="tags: [attack.collection]\n",
    good="tags: [misuse.curiosity]\n",
)
def no_misuse_tag(document: Document) -> Iterator[RuleError]:
    tags = document.data.get("tags")
    if isinstance(tags, list) and not any(str(tag).startswith("misuse.") for tag in tags):
        yield document.error("no tag names the misuse", "tags", hint="For example `misuse.curiosity`.")


@check(
    "bad-reference",
    "warning",
    finds="a reference that is no web address: a reader must be able to see where the misuse was described",
    mend="Give the page's address.",
    bad="references: [the usual report]\n",
    good="references: [https://example.org/report]\n",
)
def bad_reference(document: Document) -> Iterator[RuleError]:
    references = document.data.get("references")
    for index, reference in enumerate(references if isinstance(references, list) else []):
        if isinstance(reference, str) and not re.match(r"https?://[^\s/]+", reference):
            yield document.error(f"{reference!r} is no web address", "references", index)


@check(
    "repeated-entry",
    "warning",
    finds="the same tag, reference or false positive twice",
    mend="Take one out.",
    bad="tags: [misuse.curiosity, misuse.curiosity]\n",
    good="tags: [misuse.curiosity]\n",
)
def repeated_entry(document: Document) -> Iterator[RuleError]:
    for key in sorted(_LISTS):
        listed = document.data.get(key)
        items: list[Any] = listed if isinstance(listed, list) else []
        for index, item in enumerate(items):
            if item in items[:index]:
                yield document.error(f"{item!r} is in `{key}` already", key, index)


@check(
    "wrong-logsource",
    "error",
    finds="a logsource that is not this project's",
    mend="Write `logsource: {category: record_access, product: police_index}`.",
    bad="logsource: {category: process_creation, product: windows}\n",
    good="logsource: {category: record_access, product: police_index}\n",
)
def wrong_logsource(document: Document) -> Iterator[RuleError]:
    if document.kind != "detection":
        return
    source = document.data.get("logsource")
    hint = "Write `logsource: {category: record_access, product: police_index}`."
    if not isinstance(source, dict):
        yield document.error("the rule has no logsource", hint=hint)
    elif source != LOGSOURCE:
        yield document.error("the logsource is not this project's", "logsource", hint=hint)


CHECKS: Final = (
    unknown_key,
    missing_metadata,
    wrong_type,
    control_character,
    bad_uuid,
    bad_date,
    dates_out_of_order,
    unknown_status,
    long_title,
    no_misuse_tag,
    bad_reference,
    repeated_entry,
    wrong_logsource,
)


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text of a document, keys too, with its place."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(str(key), path)
            yield from _texts(item, (*path, str(key)))


def _is_uuid(value: Any) -> bool:
    try:
        return str(UUID(str(value))) == str(value).lower()
    except ValueError:
        return False


def _as_date(value: Any) -> date | None:
    if isinstance(value, date):
        return value
    found = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", str(value))
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
