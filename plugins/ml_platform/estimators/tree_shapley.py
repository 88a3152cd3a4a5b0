"""Shapley values of the features for a sum of decision trees: exact, and the same to the bit in any batch.

The game is that of TreeSHAP with path-dependent expectations: a feature that is not known sends a row down both
branches, each weighted by the share of the training rows that took it. Source of the game: S. Lundberg, G. Erion,
S. Lee, Consistent Individualized Feature Attribution for Tree Ensembles (2018), algorithm 1.

A leaf gives its value times a product with one factor per feature on its path, so a Shapley value is the integral of a
polynomial over the share t of features that are known. Source: G. Owen, Multilinear Extensions of Games (1972).
Gauss-Legendre quadrature computes it exactly. Per point each node is visited twice, as in P. Yu et al., Linear TreeSHAP
(2022), so the time grows with the number of nodes; that of TreeSHAP also grows with the square of the depth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Integers = NDArray[np.intp]

BLOCK_CELLS = 2**18  # nodes times rows: a block fits into the cache of a processor
LEAF = -1


@dataclass(frozen=True)
class Tree:
    """One decision tree; the first node is its root.

    Attributes:
        left: index of the child for values up to the threshold, or `LEAF`, shape (n_nodes,).
        right: index of the other child, or `LEAF`, shape (n_nodes,).
        column: that is compared, shape (n_nodes,); any column at a leaf.
        threshold: shape (n_nodes,).
        missing_left: whether a missing value goes left, shape (n_nodes,).
        value: what a leaf adds to each output, shape (n_nodes, n_outputs).
        cover: weight of the training rows that came to the node, shape (n_nodes,).
    """

    left: Integers
    right: Integers
    column: Integers
    threshold: Matrix
    missing_left: NDArray[np.bool_]
    value: Matrix
    cover: Matrix


def sums_by_feature(parts: Matrix, players: Integers, n_players: int) -> Matrix:
    """Return the sum of the parts of each feature, shape (n_rows, n_players).

    Args:
        parts: shape (n_rows, n_parts).
        players: the feature of each part, shape (n_parts,).
        n_players: number of features.
    """
    # One row after the other, in the order of the parts: the order of NumPy's other sums depends on the number of rows.
    return np.array([np.bincount(players, row, n_players) for row in parts]).reshape(len(parts), n_players)


class TreeShapley:
    """All trees in one table, level by level, so that a row takes one step in all of them at the same time.

    Attributes:
        base: the expected sum of the trees, shape (n_outputs,).
    """

    def __init__(self, trees: Sequence[Tree], players: Integers, n_players: int) -> None:
        """Build the table.

        Args:
            trees: at least one.
            players: the feature of each column, shape (n_columns,): the columns of one feature are known together.
            n_players: number of features.

        Raises:
            ValueError: no training row came to a node, so the share of a branch is not known.
        """
        self._n_players = n_players
        sizes = [len(tree.left) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        joined = {name: np.concatenate([getattr(tree, name) for tree in trees]) for name in Tree.__annotations__}
        if not (joined["cover"] > 0).all():
            raise ValueError("the trees have nodes without training rows")
        is_leaf, shift = joined["left"] == LEAF, np.repeat(roots, sizes)
        order, parent = self._order_by_level(roots, joined["left"] + shift, joined["right"] + shift, ~is_leaf)
        above = order[parent]
        self._leaves = np.where(is_leaf[:, None], joined["value"], 0.0)[order]
        # What leads to a node: the comparison at the node above.
        self._column, self._player = joined["column"][above], players[joined["column"][above]]
        self._threshold, self._missing_left = joined["threshold"][above], joined["missing_left"][above]
        self._before = self._last_before(parent)
        reach = self._set_shares(parent, joined["cover"][order] / joined["cover"][above])
        self.base: Matrix = (self._leaves * reach[:, None]).sum(axis=0)

    def _order_by_level(
        self, roots: Integers, left: Integers, right: Integers, is_split: NDArray[np.bool_]
    ) -> tuple[Integers, Integers]:
        """Set `_levels` and `_splits`; return the node at each place of the table, and the place of the node above it.

        The first half of a level are the left children of the splits of the level above, the second half the right
        children. A root is above itself.
        """
        order, parents, sides = [roots], [np.arange(len(roots))], [np.zeros(len(roots), dtype=bool)]
        self._levels, self._splits = [slice(0, len(roots))], list[Integers]()
        while (is_inner := is_split[order[-1]]).any():
            splits, start = order[-1][is_inner], self._levels[-1].stop
            self._splits.append(self._levels[-1].start + np.flatnonzero(is_inner))
            self._levels.append(slice(start, start + 2 * len(splits)))
            order.append(np.concatenate([left[splits], right[splits]]))
            parents.append(np.tile(self._splits[-1], 2))
            sides.append(np.repeat([True, False], len(splits)))
        self._is_left = np.concatenate(sides)
        return np.concatenate(order), np.concatenate(parents)

    def _last_before(self, parent: Integers) -> Integers:
        """Return for each node the last one above it to which the same feature leads; the number of nodes if none."""
        before, n_roots = np.full(len(parent), len(parent)), self._levels[0].stop
        nodes = np.arange(n_roots, len(parent))
        above = parent[nodes]
        while len(nodes := nodes[above >= n_roots]):
            above = above[above >= n_roots]
            is_same = self._player[above] == self._player[nodes]
            before[nodes[is_same]] = above[is_same]
            nodes, above = nodes[~is_same], parent[above[~is_same]]
        return before

    def _set_shares(self, parent: Integers, shares: Matrix) -> Matrix:
        """Set for each node the share of the training rows that the feature's splits led here, and that at `_before`.

        Args:
            parent: the node above, shape (n_nodes,).
            shares: of the training rows of the node above, how many came to the node, shape (n_nodes,).

        Returns:
            The share of all training rows that came to the node, shape (n_nodes,).
        """
        n_nodes = len(parent)
        share, reach, n_features = np.ones(n_nodes + 1), np.ones(n_nodes), np.zeros(n_nodes, dtype=int)
        for level in self._levels[1:]:
            share[level] = share[self._before[level]] * shares[level]
            reach[level] = reach[parent[level]] * shares[level]
            n_features[level] = n_features[parent[level]] + (self._before[level] == n_nodes)
        self._share, self._share_before = share[:-1], share[self._before]
        points, weights = np.polynomial.legendre.leggauss(max(1, -(-int(n_features.max()) // 2)))
        self._points = list(zip((points + 1) / 2, weights / 2, strict=True))
        return reach

    def effects(self, matrix: Matrix, outputs: Integers) -> Matrix:
        """Return the Shapley value of each feature for one output of each row, shape (n_rows, n_players).

        Args:
            matrix: the inputs of the trees, shape (n_rows, n_columns); NaN is missing.
            outputs: index of the output of each row, shape (n_rows,).
        """
        effects = np.empty((len(matrix), self._n_players))
        size = max(1, BLOCK_CELLS // len(self._player))
        for start in range(0, len(matrix), size):
            rows = slice(start, start + size)
            by_node = self._by_node(matrix[rows], outputs[rows])
            effects[rows] = sums_by_feature(by_node.T, self._player, self._n_players)
        return effects

    def _by_node(self, matrix: Matrix, outputs: Integers) -> Matrix:
        """Return what each node adds to the Shapley value of the feature that leads to it, shape (n_nodes, n_rows).

        The factor of a feature is `share + t * (1 - share)` while the row agrees with its splits, and
        `share * (1 - t)` from the first split on that leads the row away from here.
        """
        is_in, was_in = self._agreement(matrix)
        leaves = self._leaves[:, outputs]
        inside, leaving = (np.flatnonzero(cells) for cells in (is_in, was_in & ~is_in))
        share, before = (of_node[inside // len(matrix)] for of_node in (self._share, self._share_before))
        share_out, before_out = (of_node[leaving // len(matrix)] for of_node in (self._share, self._share_before))
        factor, total = np.repeat(self._share / self._share_before, len(matrix)), np.zeros(leaves.size)
        for t, weight in self._points:
            now, earlier, earlier_out = (s + t * (1 - s) for s in (share, before, before_out))
            factor[inside], factor[leaving] = now / earlier, share_out * (1 - t) / earlier_out
            sums = self._sums(factor.reshape(leaves.shape), leaves).ravel()
            total[inside] += weight * sums[inside] * ((1 - share) / now - (1 - before) / earlier)
            total[leaving] -= weight * sums[leaving] * (1 / (1 - t) + (1 - before_out) / earlier_out)
        return total.reshape(leaves.shape)

    def _agreement(self, matrix: Matrix) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return whether a row agrees with all splits by the node's feature: down to the node, and down to `_before`.

        Both have the shape (n_nodes, n_rows).
        """
        cells = np.ascontiguousarray(matrix.T)[self._column]
        is_left = np.where(np.isnan(cells), self._missing_left[:, None], cells <= self._threshold[:, None])
        is_in = np.ones((len(cells) + 1, len(matrix)), dtype=bool)  # the last one stands for no node
        for level in self._levels[1:]:
            is_in[level] = is_in[self._before[level]] & (is_left[level] == self._is_left[level, None])
        return is_in[:-1], is_in[self._before]

    def _sums(self, factor: Matrix, leaves: Matrix) -> Matrix:
        """Return for each node the sum over the leaves below it: value times the product of the factors on the path.

        Args:
            factor: by what a node multiplies the product, shape (n_nodes, n_rows).
            leaves: the values of the leaves, shape (n_nodes, n_rows).
        """
        products = np.ones(leaves.shape)
        for level, splits in zip(self._levels[1:], self._splits, strict=True):
            above, middle = products[splits], level.start + len(splits)
            np.multiply(above, factor[level.start : middle], out=products[level.start : middle])
            np.multiply(above, factor[middle : level.stop], out=products[middle : level.stop])
        sums = products
        sums *= leaves
        for level, splits in zip(self._levels[:0:-1], self._splits[::-1], strict=True):
            middle = level.start + len(splits)
            sums[splits] = sums[level.start : middle] + sums[middle : level.stop]
        return sums
