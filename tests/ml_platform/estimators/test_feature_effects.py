"""The effects of each kind of estimator are Shapley values of its output."""

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge

from ml_platform.estimators import feature_effects, sklearn_internals
from ml_platform.estimators.feature_effects import (
    Encoding,
    forest,
    histogram_trees,
    library_trees,
    linear,
    sampled,
)
from ml_platform.estimators.snapshot_ensemble import SnapshotEnsembleClassifier
from tests.ml_platform.estimators.boosted import IDS, KINDS, fitted, make_matrix
from tests.ml_platform.estimators.brute_force import shapley_values

RANDOM = np.random.default_rng(0)
MATRIX = RANDOM.normal(0, 1, (400, 5))
SCORES = MATRIX[:, 0] * MATRIX[:, 1] + MATRIX[:, 2] - np.maximum(MATRIX[:, 3], 0)
CLASSES = np.digitize(SCORES, [-0.5, 0.7])
PLAYERS = np.array([0, 0, 1, 2, 3])
KNOWN = Encoding(PLAYERS, 4, MATRIX.mean(axis=0))


def zeros(rows: int) -> np.ndarray:
    return np.zeros(rows, dtype=int)


def test_a_linear_effect_is_the_coefficient_times_the_distance_from_the_mean() -> None:
    model = Ridge().fit(MATRIX, SCORES)
    effects = linear(model, KNOWN, np.eye(1))
    parts = model.coef_ * (MATRIX - MATRIX.mean(axis=0))
    expected = np.column_stack([parts[:, 0] + parts[:, 1], parts[:, 2:]])
    np.testing.assert_allclose(effects.of_rows(MATRIX, zeros(400)), expected, rtol=0, atol=1e-13)
    assert effects.base == pytest.approx([model.predict(MATRIX).mean()])


def test_outputs_are_weighted_sums_of_the_raw_ones() -> None:
    model = LogisticRegression().fit(MATRIX, CLASSES)
    weights = np.eye(3) - 1 / 3
    effects, margins = linear(model, KNOWN, weights), model.decision_function(MATRIX) @ weights
    for output in range(3):
        sums = effects.base[output] + effects.of_rows(MATRIX, np.full(400, output)).sum(axis=1)
        np.testing.assert_allclose(sums, margins[:, output], rtol=0, atol=1e-12)


@pytest.mark.parametrize("make", [linear, sampled])
def test_without_the_means_there_are_no_effects(make) -> None:
    with pytest.raises(ValueError, match="train it again"):
        make(Ridge().fit(MATRIX, SCORES), Encoding(PLAYERS, 4), np.eye(1))


FORESTS = [
    (forest, RandomForestClassifier(5, random_state=0), CLASSES, "predict_proba"),
    (forest, RandomForestRegressor(5, random_state=0), SCORES, "predict"),
    (histogram_trees, HistGradientBoostingClassifier(max_iter=5), CLASSES, "decision_function"),
    (histogram_trees, HistGradientBoostingRegressor(max_iter=5), SCORES, "predict"),
]


@pytest.mark.parametrize(("make", "model", "labels", "response"), FORESTS, ids=[type(f[1]).__name__ for f in FORESTS])
def test_effects_of_trees_add_up(make, model, labels, response) -> None:
    model.fit(MATRIX.astype(np.float32), labels)
    raw = getattr(model, response)(MATRIX).reshape(400, -1)
    effects = make(model, Encoding(PLAYERS, 4), np.eye(raw.shape[1]))
    for output in range(raw.shape[1]):
        found = effects.of_rows(MATRIX, np.full(400, output))
        np.testing.assert_allclose(effects.base[output] + found.sum(axis=1), raw[:, output], rtol=0, atol=1e-12)


def test_trees_that_do_not_tell_their_rows_are_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    model = HistGradientBoostingRegressor(max_iter=2).fit(MATRIX, SCORES)
    monkeypatch.setattr(sklearn_internals, "_COVER_FIELDS", ("removed",))
    with pytest.raises(ValueError, match=r"no longer has the node fields \['removed'\]"):
        histogram_trees(model, Encoding(PLAYERS, 4), np.eye(1))


def test_splits_by_categories_are_not_explained() -> None:
    codes = np.column_stack([np.arange(400) % 4, MATRIX])
    model = HistGradientBoostingRegressor(max_iter=2, categorical_features=[0]).fit(codes, codes[:, 0] % 2)
    with pytest.raises(ValueError, match="splits by categories"):
        histogram_trees(model, Encoding(np.arange(6), 6), np.eye(1))


def test_trees_that_cannot_be_read_are_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_effects, "tree_nodes", lambda _: None)
    with pytest.raises(ValueError, match="cannot be read"):
        histogram_trees(HistGradientBoostingRegressor(), Encoding(PLAYERS, 4), np.eye(1))


@pytest.mark.parametrize(("kind", "target"), KINDS, ids=IDS)
def test_effects_of_a_librarys_trees_add_up_in_any_batch(kind, target) -> None:
    model, matrix = fitted(kind, target), make_matrix(60, seed=3)
    raw = (model.decision_function if hasattr(model, "decision_function") else model.predict)(matrix).reshape(60, -1)
    effects = library_trees(model, Encoding(np.arange(6), 6), np.eye(raw.shape[1]))
    for output in range(raw.shape[1]):
        outputs = np.full(60, output)
        found = effects.of_rows(matrix, outputs)
        np.testing.assert_allclose(
            effects.base[output] + found.sum(axis=1), raw[:, output], rtol=1e-5, atol=1e-5 * np.abs(found).max()
        )
        single = [effects.of_rows(matrix[row : row + 1], outputs[:1]) for row in range(60)]
        assert np.array_equal(np.vstack(single), found)


def test_a_network_is_explained_nearly_as_by_the_definition() -> None:
    model = SnapshotEnsembleClassifier(epochs=10, random_state=0).fit(MATRIX, CLASSES)
    encoding = Encoding(np.arange(5), 5, MATRIX.mean(axis=0))
    effects = sampled(model, encoding, np.eye(3))
    found = effects.of_rows(MATRIX[:10], CLASSES[:10])
    for row, output, estimate in zip(MATRIX[:10], CLASSES[:10], found, strict=True):

        def value(known: set[int], row=row, output=output) -> float:
            inputs = np.where(np.isin(np.arange(5), list(known)), row, MATRIX.mean(axis=0))
            return float(model.predict_proba(inputs[None])[0, output])

        exact = shapley_values(value, 5)
        np.testing.assert_allclose(estimate, exact, rtol=0, atol=0.05)
        assert estimate.sum() == pytest.approx(exact.sum(), abs=1e-12)
    np.testing.assert_allclose(effects.base, model.predict_proba(MATRIX.mean(axis=0)[None])[0])


def test_a_network_with_many_features_is_asked_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    model = SnapshotEnsembleClassifier(epochs=4, random_state=0).fit(MATRIX, CLASSES)
    expected = sampled(model, KNOWN, np.eye(3)).of_rows(MATRIX[:3], zeros(3))
    monkeypatch.setattr(feature_effects, "CALL_ROWS", 7)
    found = sampled(model, KNOWN, np.eye(3)).of_rows(MATRIX[:3], zeros(3))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
