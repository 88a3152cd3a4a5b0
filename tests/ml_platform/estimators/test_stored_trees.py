"""Malformed trees are refused before a library of C++ reads them: each of these would end this process, or could."""

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.ml_platform.estimators.boosted import CLASSIFIERS, IDS, KINDS, fitted, make_matrix

GARBAGE = [
    b"",
    b"x",
    b"tree",
    b"{}",
    b"[]",
    b"null",
    b"{L",
    b"\x80\x04N.",
    b"[" * 100_000,
    b'{"learner": 1}',
    "ä".encode(),
]
every_kind = pytest.mark.parametrize(("kind", "target"), KINDS, ids=IDS)


def load(model: Any, text: Any) -> Any:
    """Load a model with other trees, as a model file does."""
    back = type(model).__new__(type(model))
    back.__setstate__(model.__getstate__() | {"booster_": text})
    return back


@every_kind
def test_garbage_is_refused(kind, target) -> None:
    model = fitted(kind, target, n_estimators=3)
    for text in (*GARBAGE, "a text", 5, None, [1]):
        with pytest.raises(ValueError, match=f"the stored trees of {kind.__name__} are malformed"):
            load(model, text)


@every_kind
def test_trees_that_are_cut_off_are_refused(kind, target) -> None:
    model = fitted(kind, target, n_estimators=3)
    for length in range(0, len(model.booster_), 97):
        with pytest.raises(ValueError, match="are malformed"):
            load(model, model.booster_[:length])


@every_kind
def test_changed_bytes_are_refused_or_harmless(kind, target) -> None:
    model, random, matrix = fitted(kind, target, n_estimators=4), np.random.default_rng(0), make_matrix(50)
    digits = np.flatnonzero([chr(byte).isdigit() for byte in model.booster_])
    refused = 0
    for number in range(150):
        text = bytearray(model.booster_)
        for position in random.choice(digits, number % 3 + 1):
            text[position] = random.choice(list(b"0123456789-. e,"))
        try:
            load(model, bytes(text)).predict(matrix)
        except ValueError as error:
            refused += "are malformed" in str(error)
    assert 50 < refused < 150


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_trees_of_other_inputs_or_classes_are_refused(kind) -> None:
    model, several = fitted(kind, "two classes", n_estimators=3), fitted(kind, "three classes", n_estimators=3)
    with pytest.raises(ValueError, match="number of classes or columns"):
        load(model, several.booster_)
    back = type(model).__new__(type(model))
    with pytest.raises(ValueError, match="number of classes or columns"):
        back.__setstate__(model.__getstate__() | {"n_features_in_": 9})


XGBOOST: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
    "a child that does not exist": lambda model, tree: tree["left_children"].__setitem__(0, 10**6),
    "a negative child": lambda model, tree: tree["left_children"].__setitem__(0, -7),
    "a circle": lambda model, tree: tree["left_children"].__setitem__(1, 0),
    "a child of two": lambda model, tree: tree["left_children"].__setitem__(0, tree["right_children"][0]),
    "half a leaf": lambda model, tree: tree["right_children"].__setitem__(0, -1),
    "another column": lambda model, tree: tree["split_indices"].__setitem__(0, 6),
    "a negative column": lambda model, tree: tree["split_indices"].__setitem__(0, -1),
    "too few thresholds": lambda model, tree: tree["split_conditions"].pop(),
    "a threshold that is no number": lambda model, tree: tree["split_conditions"].__setitem__(0, float("nan")),
    "a text as a number": lambda model, tree: tree["split_conditions"].__setitem__(0, "1"),
    "a fraction as a child": lambda model, tree: tree["left_children"].__setitem__(0, 1.5),
    "another kind of split": lambda model, tree: tree["split_type"].__setitem__(0, 2),
    "categories beyond the end": lambda model, tree: tree.update(categories_sizes=[10**6]),
    "a negative category": lambda model, tree: tree.update(categories=[-1] * len(tree["categories"])),
    "a huge category": lambda model, tree: tree.update(categories=[2**30] * len(tree["categories"])),
    "another size": lambda model, tree: tree["tree_param"].update(num_nodes="1000000"),
    "a vector in each leaf": lambda model, tree: tree["tree_param"].update(size_leaf_vector="3"),
    "a field that is missing": lambda model, tree: tree.pop("parents"),
    "an unknown field": lambda model, tree: tree.update(more=[]),
    "no node": lambda model, tree: tree.update({name: [] for name, value in tree.items() if isinstance(value, list)}),
    "a class that does not exist": lambda model, tree: model["tree_info"].__setitem__(0, 5),
    "another order of the trees": lambda model, tree: model["iteration_indptr"].__setitem__(1, 9),
    "a tree too few": lambda model, tree: model["trees"].pop(),
    "names of categories": lambda model, tree: model["cats"].update(enc=[1]),
}


@pytest.mark.parametrize("change", XGBOOST)
def test_malformed_trees_of_xgboost_are_refused(change) -> None:
    model = fitted(CLASSIFIERS[0], "two classes", n_estimators=3)
    described = json.loads(model.booster_)
    booster = described["learner"]["gradient_booster"]["model"]
    assert load(model, json.dumps(described).encode()).booster_
    XGBOOST[change](booster, booster["trees"][0])
    with pytest.raises(ValueError, match="are malformed"):
        load(model, json.dumps(described).encode())


def test_a_field_of_xgboost_that_is_there_twice_is_refused() -> None:
    model = fitted(CLASSIFIERS[0], "two classes", n_estimators=3)
    with pytest.raises(ValueError, match="it is there twice"):
        load(model, model.booster_.replace(b'"left_children"', b'"left_children":[7],"left_children"', 1))


LIGHTGBM = {
    "a child that does not exist": ("left_child", "1000000"),
    "a leaf that does not exist": ("left_child", "-1000000"),
    "a circle": ("right_child", "0"),
    "another column": ("split_feature", "6"),
    "a negative column": ("split_feature", "-1"),
    "no number": ("threshold", "nan"),
    "an infinite leaf": ("leaf_value", "inf"),
    "a huge leaf": ("leaf_value", "-1e999"),
    "a number that Python reads otherwise": ("split_feature", "0_1"),
    "two numbers in place of one": ("leaf_value", "1 2"),
    "another kind of split": ("decision_type", "99"),
    "fewer leaves": ("num_leaves", "1"),
    "more leaves": ("num_leaves", "1000000"),
    "no leaf": ("num_leaves", "0"),
    "categories beyond the end": ("cat_boundaries", "5"),
    "a huge word of categories": ("cat_threshold", "99999999999"),
    "linear leaves": ("is_linear", "1"),
    "another size": ("tree_sizes", "1000000"),
    "a negative size": ("tree_sizes", "-5"),
    "more classes": ("num_class", "3"),
    "more columns": ("max_feature_idx", "1000000"),
    "an unknown objective": ("objective", "custom"),
    "another version": ("version", "v9"),
    "an unknown field": ("shrinkage", "1\nmore=1"),
    "a field that is there twice": ("shrinkage", "1\nshrinkage=1"),
}


@pytest.mark.parametrize("change", LIGHTGBM)
def test_malformed_trees_of_lightgbm_are_refused(change) -> None:
    model = fitted(CLASSIFIERS[1], "two classes", n_estimators=3)
    name, value = LIGHTGBM[change]
    text, count = re.subn(rf"(?m)^({name}=)[^ \n]+", rf"\g<1>{value}", model.booster_.decode(), count=1)
    assert count == 1
    # The sizes stay right, so that the tree itself is looked at.
    start, end = text.index("Tree=0\n"), text.index("Tree=1\n")
    if name != "tree_sizes":
        text = re.sub(r"(?m)^(tree_sizes=)[0-9]+", rf"\g<1>{end - start}", text)
    with pytest.raises(ValueError, match="are malformed"):
        load(model, text.encode())
