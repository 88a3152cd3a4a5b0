"""Shapley values of trees are those of the definition, and those of a library, in any batch."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ml_platform.estimators import tree_shapley
from ml_platform.estimators.tree_shapley import LEAF, Tree, TreeShapley, sums_by_feature
from ml_platform.estimators.xgboost_model import XGBoostClassifier
from tests.ml_platform.estimators.brute_force import expected_value, random_tree, shapley_values

COLUMNS = 6
OWN = np.arange(COLUMNS)  # each column is a feature
SHARED = np.array([0, 1, 2, 0, 1, 1])  # three features


def make_rows(rows: int = 5, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    matrix = random.normal(0, 1, (rows, COLUMNS))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    return matrix


def make_trees(depths: tuple[int, ...] = (0, 1, 3, 7)) -> list[Tree]:
    return [random_tree(seed, n_columns=COLUMNS, n_outputs=2, depth=depth) for seed, depth in enumerate(depths)]


@pytest.mark.parametrize("players", [OWN, SHARED], ids=["a column per feature", "columns of one feature"])
def test_the_values_are_those_of_the_definition(players) -> None:
    trees, n_players = make_trees(), int(players.max()) + 1
    table, matrix = TreeShapley(trees, players, n_players), make_rows()
    outputs = np.array([0, 1, 0, 1, 1])
    effects = table.effects(matrix, outputs)

    def value(row: Any, output: int, known: set[int]) -> float:
        return float(sum(expected_value(tree, row, players, known)[output] for tree in trees))

    for row, output, found in zip(matrix, outputs, effects, strict=True):
        expected = shapley_values(lambda known: value(row, output, known), n_players)  # noqa: B023 – called at once
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
        everything = set(range(n_players))
        assert table.base[output] + found.sum() == pytest.approx(value(row, output, everything), abs=1e-13)
        assert table.base[output] == pytest.approx(value(row, output, set()), abs=1e-13)


def test_a_row_has_the_same_bits_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    table, matrix = TreeShapley(make_trees(), SHARED, 3), make_rows(70)
    outputs = np.arange(70) % 2
    whole = table.effects(matrix, outputs)
    for size in (1, 2, 3, 33):
        parts = [table.effects(matrix[at : at + size], outputs[at : at + size]) for at in range(0, 70, size)]
        assert np.array_equal(np.vstack(parts), whole)
    monkeypatch.setattr(tree_shapley, "BLOCK_CELLS", 1)
    assert np.array_equal(table.effects(matrix, outputs), whole)


def test_a_tree_without_a_split_explains_nothing() -> None:
    table = TreeShapley(make_trees((0,)), OWN, COLUMNS)
    assert not table.effects(make_rows(), np.zeros(5, dtype=int)).any()
    assert table.base.tolist() == make_trees((0,))[0].value[0].tolist()


def test_no_rows_have_no_effects() -> None:
    table = TreeShapley(make_trees(), OWN, COLUMNS)
    assert table.effects(np.empty((0, COLUMNS)), np.empty(0, dtype=int)).shape == (0, COLUMNS)
    assert sums_by_feature(np.empty((0, 2)), np.array([0, 1]), 3).shape == (0, 3)


def test_a_branch_without_training_rows_is_refused() -> None:
    (tree,) = make_trees((3,))
    cover = tree.cover.copy()
    cover[-1] = 0
    with pytest.raises(ValueError, match="nodes without training rows"):
        TreeShapley([replace(tree, cover=cover)], OWN, COLUMNS)


def xgboost_tree(fields: dict[str, Any]) -> Tree:
    """Return a tree of xgboost's JSON: a value below the condition goes left, and a leaf's condition is its value."""
    conditions = np.array(fields["split_conditions"], dtype=np.float32)
    return Tree(
        left=np.array(fields["left_children"]),
        right=np.array(fields["right_children"]),
        column=np.array(fields["split_indices"]),
        threshold=np.nextafter(conditions, np.float32(-np.inf)).astype(np.float64),
        missing_left=np.array(fields["default_left"], dtype=bool),
        value=np.where(np.array(fields["left_children"]) == LEAF, conditions, 0.0)[:, None].astype(np.float64),
        cover=np.array(fields["sum_hessian"]),
    )


def test_the_values_are_those_of_xgboosts_treeshap() -> None:
    matrix = make_rows(900).astype(np.float32).astype(np.float64)
    labels = (np.nan_to_num(matrix[:, 0] * matrix[:, 1]) + np.nan_to_num(matrix[:, 2]) > 0.2).astype(int)
    model = XGBoostClassifier(n_estimators=30, early_stopping_rounds=None, max_depth=7).fit(matrix, labels)
    learner = json.loads(bytes(model.booster_))["learner"]
    trees = [xgboost_tree(tree) for tree in learner["gradient_booster"]["model"]["trees"]]
    effects = TreeShapley(trees, OWN, COLUMNS).effects(matrix, np.zeros(900, dtype=int))
    expected = model.contributions(matrix)[:, 0, :-1]
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(effects, expected, rtol=0, atol=1e-5)
