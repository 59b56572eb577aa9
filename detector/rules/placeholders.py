r"""`%name%` in a value with `|expand`: where one begins, and the values given for it.

`\%` is a percent sign that begins none, as the specification has it; a backslash before a placeholder is written twice.
pySigma takes `\%name%` for a backslash and a placeholder. Where the two readings leave a value with a placeholder or
with none, the value is refused, for it may well mean the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, product
from typing import Any

import re2  # type: ignore[import-untyped]
from sigma.exceptions import SigmaRegularExpressionError, SigmaValueError
from sigma.modifiers import SigmaExpandModifier as _SigmaExpandModifier
from sigma.modifiers import modifier_mapping
from sigma.types import Placeholder, SigmaExpansion, SigmaRegularExpression, SigmaString

from detector.rules.pipeline import Placeholders

#: Stands for `\%` until the placeholders are found. No text has this character, which Unicode keeps free for such use.
_PERCENT = "\ufdd0"
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\%")
#: Values that one value may come to.
_MOST = 10_000


class SigmaExpandModifier(_SigmaExpandModifier):
    """As pySigma's, whose name it keeps, because pySigma finds a modifier by that."""

    def modify(self, val: SigmaString | SigmaRegularExpression) -> SigmaString | SigmaRegularExpression:
        """Raises SigmaValueError for a value that has no placeholder left."""
        found = super().modify(val)
        text = found.regexp if isinstance(found, SigmaRegularExpression) else found
        if any(isinstance(part, str) and _PERCENT in part for part in text.s):
            if not found.contains_placeholder():
                raise SigmaValueError(
                    r"`\%` is a percent sign, and so the value has no placeholder: write `\\%name%` for a backslash "
                    "and a placeholder, or put the value into an item without `expand`"
                )
            text.s = [part.replace(_PERCENT, "%") if isinstance(part, str) else part for part in text.s]
        return found


modifier_mapping["expand"] = SigmaExpandModifier


def escaped(value: Any, key: str = "") -> Any:
    r"""A detection as pySigma is to read it, or the value of one key: `\%` is marked in whatever has `expand`."""
    if isinstance(value, dict):
        return {name: escaped(one, str(name)) for name, one in value.items()}
    if isinstance(value, list):
        return [escaped(one, key) for one in value]
    expand = isinstance(value, str) and "expand" in key.split("|")[1:]
    return _ESCAPED.sub(rf"\1{_PERCENT}", value) if expand else value


def filled(value: Any, given: Placeholders) -> Any:
    """A value with what was given for its placeholders; any of several will do. Names that were not given stay.

    In a text `*` and `?` of what was given mean what they mean in any value; in an expression it is a part of that.
    Raises SigmaValueError, SigmaRegularExpressionError.
    """
    if isinstance(value, SigmaExpansion):
        return SigmaExpansion([filled(one, given) for one in value.values])
    if not isinstance(value, SigmaString | SigmaRegularExpression) or not value.contains_placeholder():
        return value
    if isinstance(value, SigmaRegularExpression):
        return SigmaExpansion(
            [_expression(one, value) for one in _combined(value.regexp.s, given, lambda text: [text])]
        )
    kind = type(value)
    return SigmaExpansion([_text(one, kind) for one in _combined(value.s, given, lambda text: SigmaString(text).s)])


def _combined(parts: Sequence[Any], given: Placeholders, read: Callable[[str], list[Any]]) -> Iterator[list[Any]]:
    """Every choice of one value for each placeholder."""
    choices = [
        [read(text) for text in given[part.name]] if isinstance(part, Placeholder) and part.name in given else [[part]]
        for part in parts
    ]
    if (number := math.prod(map(len, choices))) > _MOST:
        raise SigmaValueError(f"its placeholders come to {number:,} values, and {_MOST:,} are the most")
    return (list(chain.from_iterable(choice)) for choice in product(*choices))


def _text(parts: list[Any], kind: type[SigmaString]) -> SigmaString:
    text = kind()
    text.s = parts
    return text._merge_strs()


def _expression(parts: list[Any], like: SigmaRegularExpression) -> SigmaRegularExpression:
    text = _text(parts, SigmaString)
    # pySigma tries it too, but its engine then writes to standard error on its own
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text.to_plain_regex(), options)
    except re2.error as exc:
        said = exc.args[0].decode(errors="replace") if isinstance(exc.args[0], bytes) else str(exc.args[0])
        raise SigmaRegularExpressionError(f"with its placeholders filled in it cannot be run: {said}") from None
    return SigmaRegularExpression(text, set(like.flags))
