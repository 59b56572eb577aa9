"""Truth tables as whole numbers: bit i of a number is the outcome under the i-th assignment of its atoms.

With n atoms a table has 2^n bits, and `&`, `|` and `^` work on all of them at once: sixteen atoms are eight kilobytes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
)

from detector.rules.checks.possible import Pattern, compared, patterns
from detector.rules.compile import leaves

#: Atoms of a condition that are looked at in full; 2^16 assignments.
MOST_ATOMS = 16

Key = Hashable


@dataclass(frozen=True)
class Atom:
    """Comparisons of one field (or part of a time) that only ever occur together, as the values of one list: any of
    them holds."""

    field: str | None
    values: tuple[Any, ...]


@dataclass
class Table:
    """The atoms of a rule's trees, their columns, and which assignments an event can have (`possible`)."""

    atoms: tuple[Atom, ...]
    places: Mapping[Key, int]
    columns: tuple[int, ...] = field(init=False)
    full: int = field(init=False)
    possible: int = field(init=False)

    def __post_init__(self) -> None:
        size = 1 << len(self.atoms)
        self.full = (1 << size) - 1
        self.columns = tuple(_column(index, size) for index in range(len(self.atoms)))
        self.possible = self._possible()

    @classmethod
    def of(cls, trees: Sequence[Any]) -> Table | None:
        """None where there are more than MOST_ATOMS."""
        groups = _grouped(trees)
        places = {key: index for index, group in enumerate(groups) for key in group}
        atoms = tuple(Atom(next(iter(group))[0], tuple(group.values())) for group in groups)
        return cls(atoms, places) if len(atoms) <= MOST_ATOMS else None

    def of_tree(self, node: Any) -> int:
        """The outcome of a condition tree."""
        if isinstance(node, ConditionNOT):
            return self.full ^ self.of_tree(node.args[0])
        if isinstance(node, ConditionAND):
            return self._all(map(self.of_tree, node.args))
        if isinstance(node, ConditionOR):
            return _any(map(self.of_tree, node.args))
        return self.columns[self.places[key_of(node)]]

    def of_structure(self, node: Any, of_name: Callable[[str], int], names: Sequence[str]) -> int:
        """The outcome of a condition as written, over the outcomes of its selections."""
        if isinstance(node, ConditionIdentifier):
            return of_name(node.identifier)
        if isinstance(node, ConditionSelector):
            chosen = [of_name(name) for name in selected(node, names)]
            return _any(chosen) if node.cond_class is ConditionOR else self._all(chosen)
        outcomes = [self.of_structure(arg, of_name, names) for arg in node.args]
        if isinstance(node, ConditionNOT):
            return self.full ^ outcomes[0]
        return self._all(outcomes) if isinstance(node, ConditionAND) else _any(outcomes)

    def can_hold(self, outcome: int) -> bool:
        return bool(outcome & self.possible)

    def same(self, one: int, other: int) -> bool:
        """No event tells the two apart."""
        return not (one ^ other) & self.possible

    def _all(self, outcomes: Iterable[int]) -> int:
        found = self.full
        for outcome in outcomes:
            found &= outcome
        return found

    def _possible(self) -> int:
        possible = self.full
        for name in {atom.field for atom in self.atoms if atom.field is not None}:
            mine = [index for index, atom in enumerate(self.atoms) if atom.field == name]
            allowed = patterns(name, [self.atoms[index].values for index in mine])
            possible &= _any(self._pattern(mine, pattern) for pattern in allowed)
        return possible

    def _pattern(self, atoms: Sequence[int], pattern: Pattern) -> int:
        fixed = self._all(
            self.columns[index] if holds else self.full ^ self.columns[index]
            for index, holds in zip(atoms, pattern.holds, strict=True)
            if holds is not None
        )
        for one, other, implied in pattern.ties:
            a, b = self.columns[atoms[one]], self.columns[atoms[other]]
            fixed &= (self.full ^ a) | (b if implied else self.full ^ b)
        return fixed


def key_of(leaf: Any) -> tuple[str | None, str]:
    """Two leaves of one key are one comparison."""
    if not isinstance(leaf, ConditionFieldEqualsValueExpression):
        return None, f"{type(leaf.value).__name__}:{leaf.value!r}"
    return compared(leaf.field, leaf.value), f"{type(leaf.value).__name__}:{leaf.value!r}"


def selected(node: ConditionSelector, names: Sequence[str]) -> list[str]:
    """The selections that `1 of x_*` or `all of them` means."""
    import re

    pattern = ".*" if node.pattern == "them" else ".*".join(map(re.escape, node.pattern.split("*")))
    return [name for name in names if re.fullmatch(pattern, name) and not name.startswith("_")]


def _grouped(trees: Sequence[Any]) -> list[dict[Any, Any]]:
    """Key -> value of the leaves, those in one group that are values of one list and occur nowhere else."""
    uses: dict[Any, int] = {}
    for leaf in leaves(trees):
        uses[key_of(leaf)] = uses.get(key_of(leaf), 0) + 1
    groups: list[dict[Any, Any]] = []
    seen: set[Any] = set()
    todo = list(trees)
    while todo:
        node = todo.pop()
        if not isinstance(node, ConditionOR | ConditionAND | ConditionNOT):
            todo_leaves = [node]
        else:
            todo += [arg for arg in node.args if isinstance(arg, ConditionOR | ConditionAND | ConditionNOT)]
            todo_leaves = [arg for arg in node.args if not isinstance(arg, ConditionOR | ConditionAND | ConditionNOT)]
        lists: dict[str, dict[Any, Any]] = {}
        for leaf in todo_leaves:
            key = key_of(leaf)
            if isinstance(node, ConditionOR) and key[0] is not None and uses[key] == 1:
                lists.setdefault(key[0], {})[key] = leaf.value
            elif key not in seen:
                groups.append({key: leaf.value})
            seen.add(key)
        groups += lists.values()
    return groups


def _column(index: int, size: int) -> int:
    """The bits of the assignments in which the atom of this index holds: 2^index without, 2^index with, and so on."""
    block = 1 << index
    one = ((1 << block) - 1) << block
    return one * (((1 << size) - 1) // ((1 << 2 * block) - 1))


def _any(outcomes: Iterable[int]) -> int:
    found = 0
    for outcome in outcomes:
        found |= outcome
    return found
