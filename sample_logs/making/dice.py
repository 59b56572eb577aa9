"""Chance that falls the same on every machine: everything is drawn from `random.Random.random()`.

That one method is the only one whose sequence Python promises to keep; NumPy promises none across its versions.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """One stream of chance, from a seed and a name."""

    def __init__(self, seed: int, name: str) -> None:
        self._random = random.Random(f"{seed}/{name}").random  # noqa: S311 - invented data, no secret

    def chance(self, share: float) -> bool:
        return self._random() < share

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def one(self, things: Sequence[T]) -> T:
        return things[int(self._random() * len(things))]

    def some(self, things: Sequence[T], count: int) -> list[T]:
        """`count` different things, or all where there are fewer, in the order drawn."""
        left = list(things)
        return [left.pop(int(self._random() * len(left))) for _ in range(min(count, len(left)))]

    def digits(self, count: int) -> str:
        return "".join(self.one("0123456789") for _ in range(count))

    def letters(self, count: int) -> str:
        return "".join(self.one("ABCDEFGHJKLMNOPRSTUVWXYZ") for _ in range(count))

    def uuid(self) -> str:
        text = "".join(self.one("0123456789abcdef") for _ in range(30))
        return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:30]}"
