"""What labels of two and of more classes have in common."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.specs.parts import Label

TWO, THREE = Binary(("no", "yes")), Multiclass(("a", "b", "c"))


@pytest.mark.parametrize(
    ("label", "named", "labels", "classes", "indices"),
    [
        ({"positive": 1}, [1], [0, 1, 0], ["0", "1"], [0, 1, 0]),
        ({"positive": "y"}, ["y"], ["n", "y", "?", "n"], ["n", "y"], [0, 1, None, 0]),
        ({"positive": 1}, [1], [1, 1], ["not 1", "1"], [1, 1]),
        ({"positive": 1, "negative": 0}, [0, 1], [1, 2], ["0", "1"], [1, None]),
        ({"classes": ["a", "b", "c"]}, ["a", "b", "c"], ["c", "a", "d"], ["a", "b", "c"], [2, 0, None]),
        ({"positive": True}, [True], [False, True], ["false", "true"], [0, 1]),
    ],
    ids=["positive", "a third value", "one value", "both named", "classes", "boolean"],
)
def test_labels_become_class_indices(label, named, labels, classes, indices):
    texts, values = TWO.encode(Label(column="x", **label), named, pd.Series(labels))
    assert texts == classes
    assert [None if pd.isna(value) else int(value) for value in values] == indices


def test_too_few_rows_of_a_class_are_named_with_their_number():
    assert THREE.too_few(np.array([0, 0, 1, 1, 2]), 2) == (
        "2 rows of each class are needed; of 5 rows 2 are 'a', 2 are 'b', 1 are 'c'"
    )
    assert THREE.too_few(np.array([0, 0, 1, 1, 2, 2]), 2) is None
    assert TWO.described(np.array([1, 1, 0])) == "no: 1, yes: 2"


def test_rows_of_a_rare_class_show_nothing_about_the_label():
    labels = np.array(["a"] * 5 + ["b"] * 5 + ["c"])
    assert TWO.learnable(labels).tolist() == [True] * 10 + [False]
    assert not TWO.learnable(np.array(["a"] * 5 + ["b"])).any()


def test_a_model_without_f1_has_no_skill():
    decided = Binary(("no", "yes"), 0.5)
    assert decided.unskilled(np.array([0, 1]), np.array([0.1, 0.2])) == "F1 0.0 on the hold-out"
    assert decided.unskilled(np.array([0, 1]), np.array([0.1, np.nan])) == "F1 nan on the hold-out"
    assert decided.unskilled(np.array([0, 1]), np.array([0.1, 0.9])) is None


def test_an_estimator_of_other_classes_is_refused():
    features = np.zeros((3, 1))
    assert THREE.check_estimator(DummyClassifier().fit(features, [0, 1, 2])) is None
    assert "not the 3 of the tag" in THREE.check_estimator(DummyClassifier().fit(features, [0, 1, 1]))
