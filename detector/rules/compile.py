"""A rule's condition tree as one boolean over the fields of an event. Never NULL, so that NOT means what it says."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import SigmaCasedString, SigmaExpansion, SigmaFieldReference, SigmaString

from detector.rules.fields import Fields, Part
from detector.rules.values import fold, keyword, match, parts_of, plain


def condition_boolean(trees: Sequence[Any], fields: Fields) -> ir.BooleanValue:
    """One boolean for a rule: any of its conditions (usually the only one) holds."""
    return _any([_node(tree, fields) for tree in trees])


def field_parts(trees: Sequence[Any]) -> Mapping[str, frozenset[Part]]:
    """Every field that the trees compare, those of `fieldref` included, with the parts that its matchers look at."""
    parts: dict[str, frozenset[Part]] = defaultdict(frozenset)
    for leaf in leaves(trees):
        if isinstance(leaf, ConditionFieldEqualsValueExpression):
            parts[leaf.field] |= parts_of(leaf.value)
            if isinstance(leaf.value, SigmaFieldReference):
                parts[leaf.value.field] |= parts_of(leaf.value)
    return dict(parts)


def has_keywords(trees: Sequence[Any]) -> bool:
    return any(isinstance(leaf, ConditionValueExpression) for leaf in leaves(trees))


def leaves(trees: Sequence[Any]) -> Iterator[Any]:
    """The comparisons at the ends of the trees."""
    todo = list(trees)
    while todo:
        node = todo.pop()
        if isinstance(node, ConditionOR | ConditionAND | ConditionNOT):
            todo += node.args
        else:
            yield node


def _node(node: Any, fields: Fields) -> ir.BooleanValue:
    if isinstance(node, ConditionNOT):
        return ~_node(node.args[0], fields)
    if isinstance(node, ConditionAND):
        return _all([_node(arg, fields) for arg in node.args])
    if isinstance(node, ConditionOR):
        return _any(list(_alternatives(node, fields)))
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _value(node.value, lambda value: match(fields.view(node.field), value, fields))
    if isinstance(node, ConditionValueExpression):
        return _value(node.value, lambda value: keyword(value, fields))
    raise TypeError(f"no such condition: {type(node).__name__}")


def _value(value: Any, one: Callable[[Any], ir.BooleanValue]) -> ir.BooleanValue:
    if isinstance(value, SigmaExpansion):
        return _any([_value(item, one) for item in value.values])
    return one(value)


def _alternatives(node: ConditionOR, fields: Fields) -> Iterator[ir.BooleanValue]:
    """The operands of an OR; plain texts of one field become one look-up in a set, however many they are."""
    sets: dict[str, list[str]] = defaultdict(list)
    for arg in node.args:
        literal = _plain_text(arg)
        if literal is None or fields.view(arg.field).kind not in ("text", "document"):  # type: ignore[union-attr]
            yield _node(arg, fields)
        else:
            sets[arg.field].append(literal)  # type: ignore[union-attr]
    for name, literals in sets.items():
        yield fields.view(name).folded.isin(literals).fill_null(False)


def _plain_text(node: Any) -> str | None:
    if isinstance(node, ConditionFieldEqualsValueExpression) and isinstance(node.value, SigmaString):
        literal = None if isinstance(node.value, SigmaCasedString) else plain(node.value)
        return None if literal is None else fold(literal)
    return None


def _any(terms: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
    return balanced(terms, operator.or_) if terms else ibis.literal(False)


def _all(terms: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
    return balanced(terms, operator.and_) if terms else ibis.literal(True)


def balanced(terms: Sequence[Any], join: Callable[[Any, Any], Any]) -> Any:
    """Terms joined as a balanced tree: a list of ten thousand is fourteen deep, not ten thousand."""
    level = list(terms)
    while len(level) > 1:
        pairs = [join(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) - len(level) % 2 :]
    return level[0]
