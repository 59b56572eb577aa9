"""The catalogue and what is written of it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from detector.features.catalogue import FEATURES, MODEL_FEATURES
from detector.features.document import catalogue_page
from detector.features.explain import in_words, sentence
from detector.schema import EVENT_SCHEMA, REFERENCE_TABLES


def test_every_feature_is_documented_as_it_is(root: Path) -> None:
    page = (root / "docs" / "features.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", page.partition("## Catalogue")[2], re.MULTILINE)
    assert documented == list(FEATURES)
    assert catalogue_page() in page, "run `make docs`"


def test_there_are_enough_features_that_need_the_log_alone() -> None:
    assert len([feature for feature in FEATURES.values() if not feature.needs]) >= 22


def test_the_forest_is_kept_from_what_follows_communities_and_from_nothing_else() -> None:
    """See docs/model.md, which says why, and of the counts that were tried without."""
    assert set(FEATURES) - set(MODEL_FEATURES) == {"surname_rarity", "demographic_llr"}


@pytest.mark.parametrize("name", list(FEATURES))
def test_a_feature_says_what_it_is(name: str) -> None:
    feature = FEATURES[name]
    assert feature.name == name
    assert feature.unit
    assert feature.definition
    assert feature.needs <= set(REFERENCE_TABLES)
    assert set(feature.columns) <= set(EVENT_SCHEMA.names)
    full, short = sentence(name, 3, 1, 2), sentence(name, 3, None, None)
    assert full.startswith(short)
    assert "{" not in full
    if feature.unit == "0 or 1":  # it is or it is not: a number would say nothing
        assert full == short
    else:
        assert in_words(name, 3) in short
        assert full.endswith(f"for this actor {in_words(name, 1)}, for peers {in_words(name, 2)}")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("export_excess", 9.8, "890 times"),
        ("breadth", -0.22, "0.86 times"),
        ("reason_surprisal", 18.3, "one in 320,000"),
        ("hour_surprisal", 1.0, "one in 2"),
        ("onbehalf_share", 0.255, "26 %"),
        ("lookups_24h", 1234.0, "1,234"),
        ("crowd", math.nan, "unknown"),
        ("crowd", None, "unknown"),
    ],
)
def test_a_number_is_said_as_people_say_it(name: str, value: float | None, said: str) -> None:
    assert in_words(name, value) == said


def test_a_sentence_reads_like_one() -> None:
    assert sentence("lookups_1h", 14, 3, 2.25) == "14 look-ups in one hour; usual for this actor 3, for peers 2.2"
    assert sentence("lookups_1h", 14, None, 2) == "14 look-ups in one hour; usual for this actor unknown, for peers 2"
    assert sentence("lookups_1h", 14, None, None) == "14 look-ups in one hour"
