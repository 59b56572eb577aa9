"""The forest as bytes: skops, the same bytes for the same forest, and nothing read that is not one.

skops trusts every scikit-learn estimator by default and leaves the content of a tree unchecked, though scikit-learn
follows a tree's child indices without looking. So the types in the file are held against a list of our own before
anything is built, and the trees are checked before anything is scored.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any, Final

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.tree import ExtraTreeRegressor

from detector.errors import StateError, Where

#: The one type that skops itself does not trust; its content is checked by `_fits`.
UNTRUSTED_BY_SKOPS: Final = ("sklearn.tree._tree.Tree",)
#: Every type that a forest file may name (skops 0.16, scikit-learn 1.7-1.9).
TRUSTED: Final = frozenset(
    {
        *UNTRUSTED_BY_SKOPS,
        "sklearn.ensemble._iforest.IsolationForest",
        "sklearn.tree._classes.ExtraTreeRegressor",
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.ndarray",
    }
)
MAX_BYTES: Final = 2 << 30
#: What zipfile, skops and numpy raise for content that does not fit together.
_MALFORMED: Final = (
    zipfile.BadZipFile, ValueError, TypeError, LookupError, AttributeError, OSError, EOFError, RecursionError,
)  # fmt: skip
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


def dump_forest(forest: IsolationForest) -> bytes:
    """skops bytes, uncompressed. What skops takes from memory addresses and the clock is replaced by counters."""
    import skops.io

    names: dict[str, str] = {}
    numbers: dict[int, int] = {}
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(forest))) as made:
        schema = json.loads(made.read("schema.json"))
        _renumber(schema, numbers, names)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            text = json.dumps(schema, separators=(",", ":"))
            archive.writestr(zipfile.ZipInfo("schema.json", _EPOCH), text)
            for old, new in names.items():
                archive.writestr(zipfile.ZipInfo(new, _EPOCH), made.read(old))
    return out.getvalue()


def load_forest(data: bytes, *, features: int, where: Where) -> IsolationForest:
    """The forest in `data`, over `features` columns. Raises StateError for anything else."""
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        _check_types(data, where)
        forest = skops.io.loads(data, trusted=list(UNTRUSTED_BY_SKOPS))
    except UntrustedTypesFoundException as exc:
        raise _refusal(str(exc), where) from None
    except _MALFORMED as exc:
        raise _refusal(f"not a skops file of a forest: {exc}", where) from None
    if type(forest) is not IsolationForest:
        raise _refusal(f"holds a {type(forest).__name__}, not an IsolationForest", where)
    _check_forest(forest, features, where)
    return forest


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> None:
    """Replace ids and file names in a skops schema, in place, by their order of appearance."""
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers, names)
    elif isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if str(node.get("file", "")).endswith(".npy"):
            node["file"] = names.setdefault(node["file"], f"{len(names) + 1}.npy")
        for value in node.values():
            _renumber(value, numbers, names)


def _check_types(data: bytes, where: Where) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
            raise _refusal("unpacks to more than 2 GB", where)
        schema = json.loads(archive.read("schema.json"))
    found: set[str] = set()
    stack: list[Any] = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "__class__" in node or "__module__" in node:
                found.add(f"{node.get('__module__')}.{node.get('__class__')}")
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    if found - TRUSTED:
        raise _refusal(f"names types that no forest has: {', '.join(sorted(found - TRUSTED))}", where)


def _check_forest(forest: IsolationForest, features: int, where: Where) -> None:
    try:
        trees = forest.estimators_
        lengths = list(zip(forest._decision_path_lengths, forest._average_path_length_per_tree, strict=True))
        fits = forest.n_features_in_ == forest._max_features == features and 0 < len(trees) == len(lengths)
        fits = fits and int(forest._max_samples) >= 1
        for tree, (depths, averages) in zip(trees, lengths, strict=True):
            fits = fits and type(tree) is ExtraTreeRegressor and _fits(tree.tree_, features)
            fits = fits and len(depths) == len(averages) == tree.tree_.node_count
    except (AttributeError, TypeError, ValueError):
        fits = False
    if not fits:
        raise _refusal(f"the trees are not those of a forest over {features} features", where)


def _fits(tree: Any, features: int) -> bool:
    """Children lie after their parent and within the tree, split features among the columns: no walk goes astray."""
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    count = tree.node_count
    if not (tree.n_features == features and len(left) == len(right) == len(feature) == count > 0):
        return False
    index = np.arange(count)
    inner = left != -1
    later = (left[inner] > index[inner]) & (right[inner] > index[inner])
    within = (left[inner] < count) & (right[inner] < count)
    splits = (feature[inner] >= 0) & (feature[inner] < features)
    return bool(later.all() and within.all() and splits.all())


def _refusal(message: str, where: Where) -> StateError:
    return StateError(message, where=where, hint="Move the model's folder away; the next scan trains anew.")
