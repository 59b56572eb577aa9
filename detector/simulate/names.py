"""Invented names, made of syllables so that none is a real person's; plates that begin with ZZ, as none does."""

from __future__ import annotations

from itertools import product
from typing import Final

_FIRST: Final = (
    "Ald",
    "Bram",
    "Corv",
    "Dunm",
    "Elst",
    "Farr",
    "Grims",
    "Holl",
    "Ister",
    "Jarv",
    "Keld",
    "Lorn",
    "Morv",
    "Nesk",
    "Oster",
    "Pell",
    "Quarm",
    "Rusk",
    "Sorv",
    "Tarn",
    "Umber",
    "Vesk",
    "Wend",
    "Yarl",
)
_LAST: Final = (
    "abeth",
    "ock",
    "ulon",
    "erwick",
    "andrel",
    "isk",
    "omere",
    "uthen",
    "aday",
    "ever",
    "ingar",
    "oldane",
    "ister",
    "umble",
    "enthorn",
    "akes",
    "illow",
    "ordane",
    "avel",
    "esby",
)
SURNAMES: Final = tuple(a + b for a, b in product(_FIRST, _LAST))
FORENAMES_F: Final = tuple(
    a + b
    for a, b in product(
        ("Al", "Bre", "Cei", "Dor", "Eni", "Fia", "Gwe", "Hel", "Isi", "Jun"), ("da", "lise", "nora", "wyn")
    )
)
FORENAMES_M: Final = tuple(
    a + b
    for a, b in product(("Ar", "Bor", "Cad", "Dav", "Ed", "Fen", "Gar", "Hob", "Iv", "Jor"), ("an", "ick", "old", "us"))
)
FORENAMES: Final = FORENAMES_F + FORENAMES_M

#: Surnames of a community where a few are shared by many (see indices.py).
COMMUNITY: Final = (7, 19, 40, 61, 88, 107)
#: Letters of a plate; I and Q are not used.
LETTERS: Final = "ABCDEFGHJKLMNOPRSTUVWXYZ"
