"""Shapley values by their definition: the mean over all sets of other features."""

from collections.abc import Callable
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.tree_shapley import LEAF, Tree


def shapley_values(value: Callable[[set[int]], float], n_players: int) -> NDArray[np.float64]:
    """Return the Shapley values of a game, whose function takes the players that are known, shape (n_players,)."""
    values = np.zeros(n_players)
    for player in range(n_players):
        others = [other for other in range(n_players) if other != player]
        for size in range(n_players):
            share = 1 / n_players / comb(n_players - 1, size)
            for known in map(set, combinations(others, size)):
                values[player] += share * (value(known | {player}) - value(known))
    return values


def expected_value(
    tree: Tree, row: NDArray[np.float64], players: NDArray[np.intp], known: set[int]
) -> NDArray[np.float64]:
    """Return what a tree says if some features are known, shape (n_outputs,): algorithm 1 of Lundberg et al."""

    def below(node: int) -> NDArray[np.float64]:
        if tree.left[node] == LEAF:
            return tree.value[node]
        left, right = tree.left[node], tree.right[node]
        column = tree.column[node]
        if players[column] not in known:
            weighted = tree.cover[left] * below(left) + tree.cover[right] * below(right)
            return np.asarray(weighted / tree.cover[node])
        is_left = tree.missing_left[node] if np.isnan(row[column]) else row[column] <= tree.threshold[node]
        return below(left if is_left else right)

    return below(0)


def random_tree(seed: int, *, n_columns: int, n_outputs: int, depth: int) -> Tree:
    """Draw a tree whose columns repeat on a path, of random thresholds, leaves and shares of the rows."""
    random = np.random.default_rng(seed)
    nodes: list[tuple[int, int, float]] = []  # left, right, cover

    def grow(level: int, cover: float) -> int:
        node = len(nodes)
        nodes.append((LEAF, LEAF, cover))
        if level < depth and (level == 0 or random.random() < 0.85):
            share = random.uniform(0.05, 0.95)
            left = grow(level + 1, cover * share)
            nodes[node] = (left, grow(level + 1, cover * (1 - share)), cover)
        return node

    grow(0, 100.0)
    left, right, cover = zip(*nodes, strict=True)
    size = len(nodes)
    return Tree(
        np.array(left), np.array(right), random.integers(0, n_columns, size), random.normal(0, 0.7, size),
        random.random(size) < 0.5, random.normal(0, 1, (size, n_outputs)), np.array(cover),
    )  # fmt: skip
