"""A row gets the same probabilities to the bit, whatever the batch and its size, and scikit-learn's values."""

from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.row_probabilities import (
    BLOCK_ROWS,
    FEW_ROWS,
    all_trees_at_once,
    calibrated,
    in_blocks,
    mean_of_trees,
)
from ml_platform.estimators.sklearn_internals import calibrated_parts

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.normal(0, 1, (200, 7))
CLASSES = {
    2: (MATRIX[:, 0] > 0).astype(int),
    3: np.digitize(MATRIX[:, 0] + MATRIX[:, 1], [-0.5, 0.5]),
    10: np.digitize(MATRIX[:, 0] + RANDOM.normal(0, 0.5, 200), np.linspace(-1.5, 1.5, 9)),
}
KINDS = {
    "blocks": (in_blocks, LogisticRegression()),
    "forest": (mean_of_trees, RandomForestClassifier(n_estimators=9, random_state=0)),
    "boosting": (all_trees_at_once, HistGradientBoostingClassifier(max_iter=9, random_state=0)),
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.mark.parametrize(
    ("name", "response"),
    [(name, "predict_proba") for name in KINDS] + [(name, "decision_function") for name in ("blocks", "boosting")],
)
@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("size", [1, 2, FEW_ROWS, FEW_ROWS + 1, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_a_row_has_the_same_response_in_any_batch(name, response, n_classes, size) -> None:
    make, classifier = KINDS[name]
    predict = make(classifier.fit(MATRIX, CLASSES[n_classes]), MATRIX[:20], response)
    whole = predict(MATRIX)
    assert whole.shape == (200, 1 if (response, n_classes) == ("decision_function", 2) else n_classes)
    parts = [predict(MATRIX[start : start + size]) for start in range(0, 200, size)]
    assert np.array_equal(np.vstack(parts), whole)
    np.testing.assert_allclose(whole, getattr(classifier, response)(MATRIX).reshape(whole.shape), rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_classes", CLASSES)
@pytest.mark.parametrize("size", [1, 2, 7, 200])
def test_calibrated_scores_are_those_of_scikit_learn_in_any_batch(n_classes, size) -> None:
    model = CalibratedClassifierCV(LogisticRegression(), cv=2, ensemble=False).fit(MATRIX, CLASSES[n_classes])
    parts = calibrated_parts(model)
    predict = calibrated(in_blocks(parts.classifier, MATRIX[:20], "decision_function"), parts.calibrators)
    whole = predict(MATRIX)
    rows = [predict(MATRIX[start : start + size]) for start in range(0, 200, size)]
    assert np.array_equal(np.vstack(rows), whole)
    np.testing.assert_allclose(whole, model.predict_proba(MATRIX), rtol=0, atol=1e-12)


def test_a_row_that_no_calibrator_knows_has_even_probabilities() -> None:
    class Never:
        def predict(self, scores):
            return np.zeros(len(scores))

    assert calibrated(lambda matrix: matrix, [Never()] * 4)(np.ones((2, 4))).tolist() == [[0.25] * 4] * 2


@pytest.mark.parametrize("rows", [1, FEW_ROWS, 100])
def test_boosted_trees_give_the_bits_of_scikit_learn(rows) -> None:
    classifier = HistGradientBoostingClassifier(max_iter=9, random_state=0).fit(MATRIX, CLASSES[3])
    predict_proba = all_trees_at_once(classifier, MATRIX[:20], "predict_proba")
    assert np.array_equal(predict_proba(MATRIX[:rows]), classifier.predict_proba(MATRIX)[:rows])


def test_a_table_of_trees_that_is_not_exact_is_not_used(monkeypatch) -> None:
    classifier = HistGradientBoostingClassifier(max_iter=9, random_state=0).fit(MATRIX, CLASSES[10])
    monkeypatch.setattr(BoostedTrees, "predict_proba", lambda _, matrix: np.zeros((len(matrix), 10)))
    predict_proba = all_trees_at_once(classifier, MATRIX[:20], "predict_proba")
    single_rows = [predict_proba(MATRIX[[i]]) for i in range(20)]
    assert np.array_equal(np.vstack(single_rows), classifier.predict_proba(MATRIX)[:20])


def test_a_number_beyond_float32_is_infinite_to_a_forest_and_leaves_other_rows_alone() -> None:
    forest = RandomForestClassifier(n_estimators=9, random_state=0).fit(MATRIX, CLASSES[2])
    predict_proba = mean_of_trees(forest, MATRIX[:20], "predict_proba")
    matrix = MATRIX[:3].copy()
    matrix[1, 0] = 1e300
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="too large"):
        forest.predict_proba(matrix)
    probabilities = predict_proba(matrix)
    matrix[1, 0] = 1e30
    assert np.array_equal(probabilities, forest.predict_proba(matrix))


def test_missing_values_are_scored_by_trees() -> None:
    holes = np.where(RANDOM.random(MATRIX.shape) < 0.2, np.nan, MATRIX)
    for make, classifier in (KINDS["forest"], KINDS["boosting"]):
        predict_proba = make(classifier.fit(holes, CLASSES[2]), holes[:20], "predict_proba")
        np.testing.assert_allclose(predict_proba(holes), classifier.predict_proba(holes), rtol=0, atol=1e-12)
