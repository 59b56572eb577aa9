from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from forest_builders import NOW, look_ups, trained
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression

from detector.anomaly.artifact import load, save, saved_models
from detector.anomaly.forestfile import TRUSTED, dump_forest, load_forest
from detector.anomaly.model import TrainedModel
from detector.anomaly.score import score
from detector.errors import StateError, Where

HERE = Where("model.skops")


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return trained(look_ups(1500))


@pytest.fixture
def saved(model: TrainedModel, tmp_path: Path) -> tuple[Path, TrainedModel]:
    return tmp_path / "models", save(model, tmp_path / "models")


def test_what_is_loaded_scores_and_says_as_what_was_saved(saved: tuple[Path, TrainedModel]) -> None:
    models, one = saved
    again = load(models, one.version)
    night = look_ups(500, seed=2)
    assert np.array_equal(score(again, night), score(one, night))
    for name in (
        "calibration",
        "bins",
        "left_out",
        "specification",
        "recipe",
        "through",
        "first_night",
        "nights",
        "rows",
    ):
        assert getattr(again, name) == getattr(one, name), name
    assert (again.version, again.created_at, again.peers.groups) == (one.version, NOW, one.peers.groups)


def test_the_folder_holds_the_four_files_and_nothing_else(saved: tuple[Path, TrainedModel]) -> None:
    models, one = saved
    assert sorted(path.name for path in models.iterdir()) == [one.version]
    names = sorted(path.name for path in (models / one.version).iterdir())
    assert names == ["manifest.json", "model.skops", "model_card.md", "peers.json"]


def test_the_manifest_says_what_was_learned_from_what(saved: tuple[Path, TrainedModel]) -> None:
    models, one = saved
    manifest = json.loads((models / one.version / "manifest.json").read_text())
    assert manifest["trained_through"] == "2026-09-14"
    assert manifest["first_night"] == "2026-09-01"
    assert (manifest["nights"], manifest["rows"], manifest["seed"]) == (14, 1500, 20261101)
    assert list(manifest["features"]) == list(one.features)
    assert manifest["specification"]["trees"] == 60
    assert set(manifest["libraries"]) == {"numpy", "scikit-learn", "skops"}
    digest = hashlib.sha256((models / one.version / "model.skops").read_bytes()).hexdigest()
    assert manifest["files"]["model.skops"] == digest
    peers = json.loads((models / one.version / "peers.json").read_text())
    assert [group["level"] for group in peers["groups"]] == ["everybody", "organisation", "peers", "peers"]


def test_the_card_is_filled_in(saved: tuple[Path, TrainedModel]) -> None:
    models, one = saved
    card = (models / one.version / "model_card.md").read_text()
    assert card.startswith(f"# Model card: isolation-forest, version {one.version}\n")
    assert "2026-09-01 to 2026-09-14 (14 nights, 1,500 look-ups, 40 actors)" in card
    assert "- `gap_days` (strange when low)" in card
    assert "## Features left out\n\nNone.\n" in card
    assert "$" not in card


def test_same_rows_same_version_and_bytes_in_another_process_at_another_time(
    saved: tuple[Path, TrainedModel], tmp_path: Path, root: Path
) -> None:
    models, one = saved
    script = (
        "import sys; from pathlib import Path; from datetime import timedelta; from dataclasses import replace\n"
        "from forest_builders import look_ups, trained; from detector.anomaly.artifact import save\n"
        "model = trained(look_ups(1500)); later = replace(model, created_at=model.created_at + timedelta(days=9))\n"
        "print(save(later, Path(sys.argv[1])).version)"
    )
    path = os.pathsep.join([str(root), str(Path(__file__).parent)])
    env = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "77"}
    other = tmp_path / "other"
    run = subprocess.run(
        [sys.executable, "-c", script, str(other)], env=env, check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == one.version
    for name in ("model.skops", "peers.json"):
        assert (other / one.version / name).read_bytes() == (models / one.version / name).read_bytes()


def test_saving_again_changes_nothing_and_sweeps_what_a_killed_run_left(saved: tuple[Path, TrainedModel]) -> None:
    models, one = saved
    (models / ".new-2026-01-01-000000000000").mkdir()
    (models / ".new-2026-01-01-000000000000" / "model.skops").write_bytes(b"half")
    before = (models / one.version / "manifest.json").read_bytes()
    assert save(replace(one, created_at=NOW + timedelta(days=1)), models).version == one.version
    assert (models / one.version / "manifest.json").read_bytes() == before
    assert [path.name for path in models.iterdir()] == [one.version]


@pytest.mark.parametrize("name", ["model.skops", "peers.json"])
def test_an_altered_byte_is_refused_by_name(saved: tuple[Path, TrainedModel], name: str) -> None:
    models, one = saved
    path = models / one.version / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(StateError, match="altered since it was trained") as caught:
        load(models, one.version)
    assert str(caught.value).startswith(str(path))
    assert "the next scan trains anew" in str(caught.value)


def test_a_manifest_that_fits_altered_files_no_longer_fits_its_version(saved: tuple[Path, TrainedModel]) -> None:
    models, one = saved
    folder = models / one.version
    peers = (folder / "peers.json").read_bytes().replace(b"response", b"burglary")
    (folder / "peers.json").write_bytes(peers)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["peers.json"] = hashlib.sha256(peers).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StateError, match=f"does not belong to version {one.version}"):
        load(models, one.version)


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "Invalid JSON"), ("{}", "Field required"), ('{"format": 2}', "Input should be 1")],
)
def test_a_damaged_manifest_stops_the_listing(saved: tuple[Path, TrainedModel], text: str, said: str) -> None:
    models, one = saved
    (models / one.version / "manifest.json").write_text(text)
    with pytest.raises(StateError, match=said):
        saved_models(models)


def test_a_folder_without_a_manifest_stops_the_listing(saved: tuple[Path, TrainedModel]) -> None:
    models, _ = saved
    (models / "2026-09-01-0123456789ab").mkdir()
    with pytest.raises(StateError, match=r"manifest.json: cannot be read: No such file"):
        saved_models(models)


@pytest.mark.parametrize("name", ["model.pkl", "old.joblib", "x.PICKLE"])
def test_pickles_are_refused_unread(tmp_path: Path, name: str) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "exploded"),))

    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(StateError, match="pickle and joblib files are never read"):
        load(tmp_path, name)
    with pytest.raises(StateError, match="not a skops file of a forest"):
        load_forest((tmp_path / name).read_bytes(), features=5, where=HERE)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("version", ["..", "../../etc", "", "2026-09-14", "2026-09-14-0123456789ab/x"])
def test_a_name_that_is_no_version_leads_nowhere(tmp_path: Path, version: str) -> None:
    with pytest.raises(StateError, match="is no model version"):
        load(tmp_path, version)


def test_a_version_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="is not there\n  Restore it from a backup, or train"):
        load(tmp_path, "2026-09-14-0123456789ab")


def test_a_model_of_another_scikit_learn_is_refused(model: TrainedModel, tmp_path: Path, monkeypatch: Any) -> None:
    old = {"numpy": "2.0", "scikit-learn": "1.2.0", "skops": "0.9"}
    with monkeypatch.context() as patched:
        patched.setattr("detector.anomaly.artifact.libraries", lambda: old)
        one = save(model, tmp_path)
    with pytest.raises(StateError, match=r"made by scikit-learn 1\.2\.0, and this is"):
        load(tmp_path, one.version)


def test_the_types_of_a_forest_are_exactly_those_listed(model: TrainedModel) -> None:
    with zipfile.ZipFile(io.BytesIO(dump_forest(model.forest))) as archive:
        text = archive.read("schema.json").decode()
    found: set[str] = set()

    def collect(node: dict[str, Any]) -> dict[str, Any]:
        if "__class__" in node:
            found.add(f"{node['__module__']}.{node['__class__']}")
        return node

    json.loads(text, object_hook=collect)
    assert found == TRUSTED


def test_another_estimator_is_refused_though_skops_trusts_it(model: TrainedModel) -> None:
    data = skops.io.dumps(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    with pytest.raises(StateError, match=r"names types that no forest has: .*LinearRegression"):
        load_forest(data, features=1, where=HERE)
    lone = skops.io.dumps(model.forest.estimators_[0])
    with pytest.raises(StateError, match="holds a ExtraTreeRegressor, not an IsolationForest"):
        load_forest(lone, features=5, where=HERE)


def test_an_untrusted_function_is_refused_before_it_is_imported(model: TrainedModel) -> None:
    data = dump_forest(model.forest)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as changed:
        for name in archive.namelist():
            body = archive.read(name)
            if name == "schema.json":
                body = body.replace(b'"IsolationForest"', b'"system"').replace(b"sklearn.ensemble._iforest", b"os")
            changed.writestr(name, body)
    with pytest.raises(StateError, match=r"names types that no forest has: os\.system"):
        load_forest(out.getvalue(), features=5, where=HERE)


@pytest.mark.parametrize("fault", ["left_child", "right_child", "feature", "loop"])
def test_a_tree_that_leads_out_of_its_arrays_is_refused_before_it_is_walked(model: TrainedModel, fault: str) -> None:
    forest = load_forest(dump_forest(model.forest), features=5, where=HERE)
    tree = forest.estimators_[3].tree_
    state = tree.__getstate__()
    column, value = ("left_child", 0) if fault == "loop" else (fault, 10**6)
    state["nodes"][column][0] = value
    tree.__setstate__(state)
    with pytest.raises(StateError, match="not those of a forest over 5 features"):
        load_forest(skops.io.dumps(forest), features=5, where=HERE)


def test_a_forest_over_another_number_of_features_is_refused(model: TrainedModel) -> None:
    other = IsolationForest(n_estimators=10, random_state=1).fit(np.zeros((20, 3), np.float32))
    with pytest.raises(StateError, match="not those of a forest over 5 features"):
        load_forest(dump_forest(other), features=5, where=HERE)
    with pytest.raises(StateError, match="not those of a forest over 6 features"):
        load_forest(dump_forest(model.forest), features=6, where=HERE)


def test_a_file_that_cannot_be_written_is_told_without_a_traceback(model: TrainedModel, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(StateError, match="the model cannot be written: File exists"):
        save(model, tmp_path / "models")


def test_no_models_is_no_error(tmp_path: Path) -> None:
    assert saved_models(tmp_path / "models") == ()
