"""One document to a Detection: every value checked where it stands, so that a refusal names its line."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import re2  # type: ignore[import-untyped]
from sigma.conditions import SigmaCondition
from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaRule
from sigma.rule.detection import SigmaDetectionItem, SigmaDetections
from sigma.types import Placeholder, SigmaExpansion, SigmaRegularExpression, SigmaString

from detector.errors import RuleError
from detector.rules.about import about
from detector.rules.compile import field_parts, has_keywords, leaves
from detector.rules.document import Document
from detector.rules.names import ORDER, TIME_PARTS, nearest
from detector.rules.pack import Detection
from detector.rules.pipeline import Given, rewritten_rule
from detector.rules.placeholders import escaped, filled
from detector.rules.values import EXACT, KEYWORDS

_LOOK_AROUND = re.compile(r"(?<!\\)\(\?(<?[=!]|>)|(?<!\\)\\[1-9]")
_LINEAR = (
    "Expressions run in linear time (RE2): no look-around and no back-references. "
    "Match the two parts in two selections: `condition: sel and not other`."
)
#: Of a value without a field these would silently mean something else.
_NOT_FOR_KEYWORDS = frozenset({"startswith", "endswith", "exists", "fieldref", "cidr", *ORDER, *TIME_PARTS})
#: Modifiers that together would be read as something else than they say.
_NOT_TOGETHER = (
    ({"cased", "fieldref"}, "fieldref disregards case", "Take `cased` away."),
    ({"re", "startswith"}, "an expression says itself where it begins", "Write `|re: '^…'`."),
    ({"re", "endswith"}, "an expression says itself where it ends", "Write `|re: '…$'`."),
)
# The specification has it, pySigma only its other name.
modifier_mapping.setdefault("utf16le", modifier_mapping["wide"])
_INCOMPATIBLE = re.compile(r"Modifier (\w+) incompatible to value type of '(.*)'", re.DOTALL)
_SCALARS = (str, int, float, bool, type(None))

Path = tuple[str | int, ...]


def parse_detection(document: Document, given: Given, *, reported: bool) -> Detection:
    """Raises RuleError for whatever cannot be run with its full meaning."""
    if "action" in document.data:
        raise document.error(
            "`action` documents are no longer part of Sigma",
            "action",
            hint="Write every rule out in full.",
            code="old-sigma",
        )
    described = about(document, reported=reported)
    trees = parse_trees(document, given)
    return Detection(described, trees, field_parts(trees), has_keywords(trees))


def parse_trees(document: Document, given: Given) -> tuple[Any, ...]:
    """The conditions of a document's `detection`, each value checked. Raises RuleError."""
    sigma = parse_selections(document, given)
    return tuple(_tree(document, condition, document.data["detection"]) for condition in sigma.parsed_condition)


def parse_selections(document: Document, given: Given) -> SigmaDetections:
    """The selections and conditions of a rule by name, each value checked. Raises RuleError."""
    detection = _checked(document)
    rule = {
        "title": str(document.data.get("title")),
        "logsource": document.data.get("logsource") or {"category": "any"},
        "detection": escaped(detection),
    }
    try:
        sigma = SigmaRule.from_dict(copy.deepcopy(rule))
    except SigmaError as exc:
        raise document.error(_said(exc), "detection", code="bad-condition") from None
    if given.pipeline is not None:
        sigma = rewritten_rule(document, rule, given.pipeline)
    for item in _items(list(sigma.detection.detections.values())):
        try:
            # a list that is ALL-linked still takes any of the values of one placeholder
            item.value = [filled(value, given.placeholders) for value in item.value]
        except SigmaError as exc:
            raise document.error(_said(exc), "detection", code="bad-value") from None
    return sigma.detection


def _checked(document: Document) -> dict[str, Any]:
    detection = document.data.get("detection")
    if not isinstance(detection, dict):
        raise document.error(
            "a rule needs a mapping `detection` with selections and a condition", "detection", code="missing-metadata"
        )
    if "timeframe" in detection:
        raise document.error(
            "`timeframe` is no longer part of Sigma",
            "detection",
            "timeframe",
            hint="Count within a time span with a correlation rule (type: event_count, timespan: …).",
            code="old-sigma",
        )
    if "condition" not in detection:
        raise document.error(
            "the detection has no condition",
            "detection",
            hint="For example: `condition: selection`.",
            code="bad-condition",
        )
    conditions = detection["condition"]
    if not all(isinstance(one, str) for one in (conditions if isinstance(conditions, list) else [conditions])):
        raise document.error(
            "a condition must be a text",
            "detection",
            "condition",
            hint="Names of selections with `and`, `or`, `not`; on, off, yes and no need quotes in YAML.",
            code="bad-condition",
        )
    for name, definition in detection.items():
        if not isinstance(name, str):
            raise document.error(
                f"the name of a selection must be a text, not {name!r}",
                "detection",
                hint="Put it in quotes: YAML reads on, off, yes and no as true or false.",
                code="bad-value",
            )
        if name != "condition":
            _check(document, definition, ("detection", name))
    return detection


def _check(document: Document, definition: Any, path: Path) -> None:
    if isinstance(definition, dict):
        if not definition:
            raise document.error("the selection is empty", *path, code="bad-value")
        for key, value in definition.items():
            _check_item(document, key, value, (*path, key))
    elif isinstance(definition, list) and not all(isinstance(item, _SCALARS) for item in definition):
        for index, item in enumerate(definition):
            _check(document, item, (*path, index))
    else:
        _check_item(document, None, definition, path)


def _check_item(document: Document, key: Any, value: Any, path: Path) -> None:
    if key is not None and not isinstance(key, str):
        raise document.error(
            f"the field name {key!r} must be a text", *path, hint="Put it in quotes.", code="bad-value"
        )
    field, *modifiers = (key or "").split("|")
    _check_modifiers(document, field, modifiers, path)
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        _check_value(document, item, field, modifiers, (*path, index) if isinstance(value, list) else path)
    if value == []:
        raise document.error("the list of values is empty", *path, hint="Write null, or a value.", code="bad-value")
    if "re" in modifiers:
        _check_expressions(document, value, path)
    try:
        item = SigmaDetectionItem.from_mapping(key, escaped(value, key or ""))
    except SigmaError as exc:
        raise document.error(_said(exc), *path, hint=_taken(exc), code="bad-value") from None
    except (TypeError, ValueError, AttributeError) as exc:
        raise document.error(f"the value does not fit its modifiers: {exc}", *path, code="bad-value") from None
    if "base64offset" in modifiers and any(_says_nothing(one) for one in _flat(item.value)):
        raise document.error(
            "a value is too short for base64offset: at some offset nothing of it is left to look for",
            *path,
            hint="It takes three characters or more.",
            code="bad-value",
        )
    if not field and not all(isinstance(one, KEYWORDS) for one in _flat(item.value)):
        raise document.error(
            "such a value cannot be looked for without a field", *path, hint="Write `field: value`.", code="bad-value"
        )


def _check_modifiers(document: Document, field: str, modifiers: Sequence[str], path: Path) -> None:
    for name in modifiers:
        if name not in modifier_mapping:
            raise document.error(
                f"unknown modifier {name!r}", *path, hint=nearest(name, modifier_mapping), code="unknown-modifier"
            )
    if not field and (wrong := _NOT_FOR_KEYWORDS & set(modifiers)):
        raise document.error(
            f"modifier {sorted(wrong)[0]!r} needs a field",
            *path,
            hint="Values without a field are looked for anywhere; write `field|modifier: value`.",
            code="bad-value",
        )
    for names, why, hint in _NOT_TOGETHER:
        if names <= set(modifiers):
            raise document.error(why, *path, hint=hint, code="bad-value")


def _says_nothing(value: Any) -> bool:
    return isinstance(value, SigmaString) and not any(isinstance(part, str) and part for part in value.s)


def _check_value(document: Document, item: Any, field: str, modifiers: Sequence[str], at: Path) -> None:
    if not isinstance(item, _SCALARS):
        raise document.error(
            f"a value must be a text, a number, true, false or null, not {_kind(item)}",
            *at,
            hint="Put a date in quotes; write nested fields with a dotted name.",
            code="bad-value",
        )
    if isinstance(item, int) and abs(item) >= EXACT:
        raise document.error(
            f"the number {item} is too large to be exact",
            *at,
            hint="Compare with one below 2^53."
            if ORDER & set(modifiers)
            else f"Put it in quotes: '{item}'. It is then compared digit by digit.",
            code="bad-value",
        )
    if "re" in modifiers and not isinstance(item, str):
        raise document.error(
            f"a regular expression must be a text, not {_kind(item)}", *at, hint="Put it in quotes.", code="bad-regex"
        )
    if not field and item is None:
        raise document.error("null has no meaning without a field", *at, hint="Write `field: null`.", code="bad-value")


def _tree(document: Document, condition: SigmaCondition, detection: Mapping[str, Any]) -> Any:
    try:
        tree = condition.parse()
    except SigmaError as exc:
        raise document.error(
            _said(exc),
            "detection",
            "condition",
            hint=_condition_hint(condition.condition, detection),
            code=_condition_code(condition.condition, exc),
        ) from None
    except RecursionError:
        raise document.error(
            "the condition is nested too deeply", "detection", "condition", code="bad-condition"
        ) from None
    if tree is None:
        raise document.error("the condition is empty", "detection", "condition", code="bad-condition")
    for leaf in leaves([tree]):
        for value in _flat([leaf.value]):
            missing = _placeholder(value)
            if missing:
                raise document.error(
                    f"placeholder %{missing}% has no values",
                    "detection",
                    hint="Write the values out, or give them with the placeholders of the run.",
                    code="bad-value",
                )
    return tree


def _condition_hint(condition: str, detection: Mapping[str, Any]) -> str | None:
    words = set(re.findall(r"[\w*-]+", condition)) - {"and", "or", "not", "of", "all", "any", "them", "1"}
    selections = [name for name in detection if name != "condition"]
    unknown = sorted(word for word in words if word not in selections and "*" not in word)
    if unknown:
        return nearest(unknown[0], selections)
    return f"Selections: {', '.join(selections)}."


def _condition_code(condition: str, exc: SigmaError) -> str:
    if "|" in condition:
        return "old-sigma"
    said = str(exc)
    return "undefined-selection" if "not defined" in said or "match any detection" in said else "bad-condition"


def _items(detections: Sequence[Any]) -> Iterator[SigmaDetectionItem]:
    for detection in detections:
        if isinstance(detection, SigmaDetectionItem):
            yield detection
        else:
            yield from _items(detection.detection_items)


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, SigmaExpansion):
            yield from _flat(value.values)
        else:
            yield value


def _placeholder(value: Any) -> str | None:
    text = value.regexp if isinstance(value, SigmaRegularExpression) else value
    if isinstance(text, SigmaString):
        return next((part.name for part in text.s if isinstance(part, Placeholder)), None)
    return None


def _check_expressions(document: Document, value: Any, path: Path) -> None:
    # pySigma tries them too, but its engine then writes to standard error on its own
    options = re2.Options()
    options.log_errors = False
    for index, text in enumerate(value if isinstance(value, list) else [value]):
        try:
            re2.compile(text, options)
        except re2.error as exc:
            at = (*path, index) if isinstance(value, list) else path
            said = exc.args[0].decode(errors="replace") if isinstance(exc.args[0], bytes) else str(exc.args[0])
            around = _LOOK_AROUND.search(text)
            raise document.error(
                f"regular expression {text!r} cannot be run: {said}",
                *at,
                hint=_LINEAR if around else "The syntax: https://github.com/google/re2/wiki/Syntax",
                code="look-around" if around else "bad-regex",
            ) from None


def _said(exc: SigmaError) -> str:
    text = str(exc.args[0]) if exc.args else type(exc).__name__
    if found := _INCOMPATIBLE.search(text):
        name = next((name for name, kind in modifier_mapping.items() if kind.__name__ == found[1]), found[1])
        kinds = {"SigmaNull": "null", "SigmaRegularExpression": "a regular expression"}
        value = next((said for kind, said in kinds.items() if kind in found[2]), f"{found[2]!r}")
        return f"the modifier {name!r} does not take {value}"
    return text.strip().splitlines()[0] if text.strip() else type(exc).__name__


def _taken(exc: SigmaError) -> str | None:
    """What the modifier takes whose value is of another kind."""
    found = _INCOMPATIBLE.search(str(exc.args[0]) if exc.args else "")
    if found is None:
        return None
    if "SigmaRegularExpression" in found[2]:
        return "Write `re` last, with nothing after it but its flags i, m and s."
    name = next((name for name, kind in modifier_mapping.items() if kind.__name__ == found[1]), "")
    if name in ORDER | TIME_PARTS:
        return "It takes a plain number, without quotes."
    return "It takes true or false." if name == "exists" else "It takes a text: put the value in quotes."


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"a {type(value).__name__}"


def refuse_unknown(document: Document, keys: Mapping[str, Any], known: frozenset[str], *path: str) -> RuleError | None:
    """An error for the first key that is not known here, with the nearest that is."""
    for key in keys:
        if key not in known:
            return document.error(
                f"unknown key {key!r}", *path, str(key), hint=nearest(str(key), known), code="unknown-key"
            )
    return None
