"""The catalogue and what is written of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detector.features.catalogue import FEATURES, MODEL_FEATURES
from detector.features.document import catalogue_page
from detector.features.explain import sentence
from detector.schema import EVENT_SCHEMA, REFERENCE_TABLES


def test_every_feature_is_documented_as_it_is(root: Path) -> None:
    page = (root / "docs" / "features.md").read_text()
    documented = re.findall(r"^\| `(\w+)` \|", page.partition("## Catalogue")[2], re.MULTILINE)
    assert documented == list(FEATURES)
    assert catalogue_page() in page, "run `make docs`"


def test_there_are_enough_features_that_need_the_log_alone() -> None:
    assert len([feature for feature in FEATURES.values() if not feature.needs]) >= 22
    assert set(MODEL_FEATURES) < set(FEATURES)


@pytest.mark.parametrize("name", list(FEATURES))
def test_a_feature_says_what_it_is(name: str) -> None:
    feature = FEATURES[name]
    assert feature.name == name
    assert feature.unit
    assert feature.definition
    assert feature.needs <= set(REFERENCE_TABLES)
    assert set(feature.columns) <= set(EVENT_SCHEMA.names)
    full, short = sentence(name, 3, 1, 2), sentence(name, 3, None, None)
    assert "3" in full
    assert full.startswith(short)
    assert "{" not in full
    assert full.endswith("for this actor 1, for peers 2")


def test_a_sentence_reads_like_one() -> None:
    assert sentence("lookups_1h", 14, 3, 2.25) == "14 look-ups in one hour; usual for this actor 3, for peers 2.2"
    assert sentence("lookups_1h", 14, None, 2) == "14 look-ups in one hour; usual for this actor unknown, for peers 2"
    assert sentence("lookups_1h", 14, None, None) == "14 look-ups in one hour"
