"""Streams of chance by name, and the few draws that everything here is made of.

Each stream is PCG64, seeded by the SHA-256 of seed and name: adding a stream changes no other, and a day can be made
without those before it. NumPy promises the bits of PCG64 for ever, its distributions only within a version.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

Rng = np.random.Generator
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def stream(seed: int, *name: object) -> Rng:
    """The stream of that seed and name."""
    digest = hashlib.sha256("/".join(map(str, (seed, *name))).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def whole(values: Any) -> Ints:
    """As int64, cut toward zero."""
    return np.asarray(values).astype(np.int64)


def below(rng: Rng, counts: Ints) -> Ints:
    """For each count a whole number from 0 to count - 1; 0 for a count of 0."""
    return whole(rng.random(len(counts)) * counts)


def heavy(rng: Rng, counts: Ints, power: float) -> Ints:
    """For each count a rank from 0: few ranks take most. The share of rank r falls as r^(1/power - 1).

    A power of 3 gives the first hundredth of the ranks a fifth of all draws: the bounded Zipf shape that look-ups of
    persons known to the police have.
    """
    return np.minimum(whole(rng.random(len(counts)) ** power * counts), np.maximum(counts - 1, 0))


def one_of(rng: Rng, weights: Any, size: int) -> Ints:
    """Indices drawn in proportion to the weights."""
    edges = np.cumsum(np.asarray(weights, dtype=np.float64))
    return whole(np.searchsorted(edges, rng.random(size) * edges[-1], side="right"))


def happens(rng: Rng, share: Any, size: int) -> Bools:
    """True with that chance; `share` is one number or one for each."""
    return np.asarray(rng.random(size) < share)


def repeat(values: Ints, counts: Ints) -> Ints:
    """Each value as often as its count says."""
    return np.repeat(values, counts)


def within(counts: Ints) -> Ints:
    """0, 1, … within each group of that count, laid end to end."""
    total = int(counts.sum())
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return np.arange(total, dtype=np.int64) - starts


def distinct(rng: Rng, size: int, limit: int) -> Ints:
    """`size` different numbers below `limit`, without a table of `limit`: an affine map with a prime for its stride."""
    stride = 1_000_003 if limit % 1_000_003 else 7_368_787
    return (int(rng.integers(0, limit)) + np.arange(size) * stride) % limit


def scramble(values: Ints, salt: int) -> npt.NDArray[np.uint64]:
    """SplitMix64: a bijection of 64 bits without visible pattern (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        z = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt & 0xFFFFFFFFFFFFFFFF)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))
