from __future__ import annotations

from pathlib import Path

import pytest
from forest_builders import CATALOGUE, FakeFeature, specification

from detector.anomaly.specification import ModelSpecification, load_specification, model_features, recipe
from detector.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "forest.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_says_the_defaults() -> None:
    assert load_specification() == ModelSpecification(name="isolation-forest")


def test_an_unknown_key_is_refused_with_file_line_and_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, "name: mine\ntrees: 50\nfindings:\n  threshhold: 70\n")
    with pytest.raises(ConfigError) as caught:
        load_specification(path)
    assert str(caught.value) == f"{path}:4 at findings.threshhold: unknown key\n  Did you mean threshold?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: mine\nmin_nights: 90\n", "min_nights (90) cannot be more than window_nights (60)"),
        ("name: mine\nfindings:\n  levels: {low: 60, medium: 50}\n", "levels must rise"),
        ("name: mine\nfindings:\n  levels: {low: 70}\n", "lowest level must start at or below the threshold (50)"),
        ("name: mine\nfindings:\n  levels: {critical: 60}\n", "'informational', 'low', 'medium' or 'high'"),
        ("name: mine\ntrees: 50\ntrees: 60\n", "given twice"),
        ("- trees\n", "expected a mapping"),
        ("trees: 50\n", "Field required"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"forest\.yaml") as caught:
        load_specification(written(tmp_path, text))
    assert said in str(caught.value)


def test_all_features_are_those_that_the_catalogue_offers_to_models() -> None:
    assert list(model_features(specification(), CATALOGUE)) == [
        "rate_1h",
        "unexplained",
        "off_shift",
        "gap_days",
        "surprisal",
    ]


def test_a_list_of_features_keeps_its_order_and_names_what_is_wrong() -> None:
    asked = specification(features=["surprisal", "rate_1h"])
    assert model_features(asked, CATALOGUE) == {"surprisal": "both", "rate_1h": "high"}
    with pytest.raises(ConfigError, match=r"'rate_1' is no feature of the catalogue\n  Did you mean rate_1h\?"):
        model_features(specification(features=["rate_1"]), CATALOGUE)
    with pytest.raises(ConfigError, match="'secret' is not offered to models"):
        model_features(specification(features=["secret"]), CATALOGUE)
    with pytest.raises(ConfigError, match="'up' is no direction"):
        model_features(specification(), {"odd": FakeFeature("up")})


def test_the_recipe_changes_with_what_is_learned_and_with_nothing_else() -> None:
    features = {"a": "high", "b": "low"}
    base = recipe(specification(), features, ["scikit-learn 1.9"])
    assert recipe(specification(threads=1, findings={"max_actors": 3}), features, ["scikit-learn 1.9"]) == base
    assert recipe(specification(seed=2), features, ["scikit-learn 1.9"]) != base
    assert recipe(specification(), {"a": "high", "b": "both"}, ["scikit-learn 1.9"]) != base
    assert recipe(specification(), features, ["scikit-learn 1.8"]) != base
