"""Filters of the project are allowlists: who answers for one, why, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from detector.errors import RuleError
from detector.rules.checks.kind import check
from detector.rules.document import Document
from detector.rules.parse_detection import refuse_unknown

KEYS: Final = frozenset({"title", "id", "description", "date", "modified", "taxonomy", "logsource", "filter", "author",
                         "references", "status", "detector"})  # fmt: skip
OWN_KEYS: Final = frozenset({"owner", "reason", "expires"})

_EXAMPLE: Final = """title: The audit unit's own checks
id: 2c4b9a35-0f7e-4d0c-9a5e-7f1c1a1b6c11
logsource: {category: record_access, product: police_index}
filter:
  rules: any
  selection: {unit: AUDIT}
  condition: not selection
"""


@check(
    "unfit-allowlist",
    "error",
    finds="a filter without id, or without an owner, a reason and a last day under `detector:`; or with an unknown key",
    mend="Say who answers for the exception, why it is made, and until when: nothing is overlooked for ever.",
    bad=_EXAMPLE,
    good=_EXAMPLE + "detector: {owner: Head of audit, reason: Sampling is their task, expires: 2026-12-31}\n",
    whole=True,
)
def unfit_allowlist(document: Document) -> Iterator[RuleError]:
    own = document.data.get("detector")
    own = own if isinstance(own, dict) else {}
    wrong = [refuse_unknown(document, {key: None}, KEYS) for key in document.data]
    wrong += [refuse_unknown(document, {key: None}, OWN_KEYS, "detector") for key in own]
    yield from filter(None, wrong)
    if not document.data.get("id"):
        yield document.error("the filter has no id", hint="python -c 'import uuid; print(uuid.uuid4())'")
    for key, what in (("owner", "who answers for it"), ("reason", "why it is made"), ("expires", "its last day")):
        if not own.get(key):
            yield document.error(f"the filter does not say {what}", "detector", key, hint=f"detector: {{{key}: …}}")
    body = document.data.get("filter")
    condition = body.get("condition") if isinstance(body, dict) else None
    if isinstance(condition, str) and "not" not in condition.lower().split():
        yield document.error(
            "the filter keeps only what its condition meets", "filter", "condition", hint="`condition: not selection`"
        )


CHECKS: Final = (unfit_allowlist,)
