"""Check stored trees before a library of C++ reads them: malformed ones would end the process, or read foreign memory.

Each function takes the bytes, the number of columns of the inputs, and the number of sums per row: one per class, but
one alone for two classes and for a number. It raises an error that says what is malformed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_NUMBERS = re.compile(r"((-?inf|[-+.e0-9]+)( (-?inf|[-+.e0-9]+))*)?")
_LIGHTGBM_HEADER = {
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names",
    "feature_infos", "tree_sizes",
}  # fmt: skip
_PER_SPLIT = {
    "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child", "internal_value",
    "internal_weight", "internal_count",
}  # fmt: skip
_PER_LEAF = {"leaf_value", "leaf_weight", "leaf_count"}
_PER_CATEGORICAL_SPLIT = {"cat_boundaries", "cat_threshold"}
_PER_NODE = {
    "base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children", "split_conditions",
    "split_indices", "split_type", "sum_hessian",
}  # fmt: skip
_CATEGORIES = {"categories", "categories_nodes", "categories_segments", "categories_sizes"}
_OBJECTIVES = {"binary", "multiclass", "regression", "binary:logistic", "multi:softprob", "reg:squarederror"}


def _require(is_sound: Any, what: str) -> None:
    if not is_sound:
        raise ValueError(f"malformed {what}")


def _check_range(values: NDArray[Any], low: float, high: float, what: str) -> None:
    """Check that all values are at least `low`, and below `high`."""
    _require(((values >= low) & (values < high)).all(), what)


def check_lightgbm(text: bytes, n_columns: int, n_sums: int) -> None:
    """Check trees in lightgbm's text format, without anything behind the trees."""
    header, blank_line, body = text.decode("ascii").partition("\n\n")
    fields = _lines(header.removeprefix("tree\n"))
    _require(header.startswith("tree\n") and blank_line and set(fields) == _LIGHTGBM_HEADER, "header")
    _require(fields["version"] == "v4" and fields["objective"].split(" ")[0] in _OBJECTIVES, "version or objective")
    counts = [fields[name] for name in ("num_class", "num_tree_per_iteration", "max_feature_idx")]
    _require(counts == [str(n_sums), str(n_sums), str(n_columns - 1)], "number of classes or columns")
    names = " ".join(f"Column_{number}" for number in range(n_columns))
    _require(fields["feature_names"] == names and len(fields["feature_infos"].split(" ")) == n_columns, "columns")
    sizes = _integers(fields, "tree_sizes")
    _require(len(sizes) > 0 and len(sizes) % n_sums == 0, "number of trees")
    _check_range(sizes, 1, len(body) + 1, "tree_sizes")
    ends = np.cumsum(sizes)
    for number, (start, end) in enumerate(zip(ends - sizes, ends, strict=True)):
        block, title = body[start:end], f"Tree={number}\n"
        _require(block.startswith(title) and block.endswith("\n\n\n"), f"tree {number}")
        _check_lightgbm_tree(_lines(block.removeprefix(title).removesuffix("\n\n\n")), n_columns)
    _require(body[ends[-1] :] == "end of trees\n", "end of the trees")


def _check_lightgbm_tree(fields: Mapping[str, str], n_columns: int) -> None:
    scalars = {"num_leaves", "num_cat", "is_linear", "shrinkage"}
    n_leaves, n_categorical = (int(_integers(fields, name)[0]) for name in ("num_leaves", "num_cat"))
    optional = _PER_CATEGORICAL_SPLIT if n_categorical else set[str]()
    _require(
        set(fields) == scalars | _PER_SPLIT | _PER_LEAF | optional and fields["is_linear"] == "0", "fields of a tree"
    )
    _require(n_leaves >= 1 and np.isfinite(_numbers(fields, "shrinkage")).sum() == 1, "tree")
    leaves = {name: _numbers(fields, name) for name in _PER_LEAF}
    splits = {name: _numbers(fields, name) for name in _PER_SPLIT}
    _require(all(len(values) == n_leaves - 1 for values in splits.values()), "number of splits")
    is_stump = n_leaves == 1  # it has a value, but lightgbm writes no weight
    _require(all(len(values) == n_leaves for name, values in leaves.items() if not is_stump or name != "leaf_weight"),
             "number of leaves")  # fmt: skip
    _require(all(np.isfinite(values).all() for values in leaves.values()), "number")
    _check_range(_integers(fields, "split_feature"), 0, n_columns, "split_feature")
    kinds, positions = _integers(fields, "decision_type"), np.arange(n_leaves - 1)
    _check_range(kinds, 0, 16, "decision_type")
    for name in ("left_child", "right_child"):  # a leaf is ~number; a split comes before those below it
        children = _integers(fields, name)
        _require(np.where(children < 0, ~children < n_leaves, (children > positions) & (children < n_leaves - 1)).all(),
                 name)  # fmt: skip
    _check_range(splits["threshold"][kinds % 2 == 1], 0, n_categorical, "threshold of categories")
    if n_categorical:
        bounds, words = (_integers(fields, name) for name in ("cat_boundaries", "cat_threshold"))
        _require(len(bounds) == n_categorical + 1 and bounds[0] == 0 and bounds[-1] == len(words), "cat_boundaries")
        _require((np.diff(bounds) > 0).all(), "cat_boundaries")
        _check_range(words, 0, 2**32, "cat_threshold")


def _lines(text: str) -> dict[str, str]:
    return _no_duplicates([(name, value) for name, _, value in (line.partition("=") for line in text.split("\n"))])


def _numbers(fields: Mapping[str, str], name: str) -> NDArray[np.float64]:
    _require(name in fields and _NUMBERS.fullmatch(fields[name]), name)
    return np.array(fields[name].split(), dtype="float64")


def _integers(fields: Mapping[str, str], name: str) -> Integers:
    _require(name in fields and _NUMBERS.fullmatch(fields[name]), name)
    return np.array(fields[name].split(), dtype="int64")


def check_xgboost(text: bytes, n_columns: int, n_sums: int) -> None:
    """Check trees in xgboost's JSON format."""
    learner = json.loads(text, object_pairs_hook=_no_duplicates)["learner"]
    numbers, booster = learner["learner_model_param"], learner["gradient_booster"]
    _require(learner["objective"]["name"] in _OBJECTIVES and booster["name"] == "gbtree", "objective or booster")
    counts = [numbers[name] for name in ("num_class", "num_feature", "num_target")]
    _require(counts == [str(n_sums if n_sums > 1 else 0), str(n_columns), "1"], "number of classes or columns")
    base = re.fullmatch(r"\[(.*)\]", numbers["base_score"])
    _require(base and np.isfinite(np.array(base[1].split(","), dtype=float)).sum() == n_sums, "base_score")
    kinds = learner["feature_types"]
    _require(len(kinds) == n_columns and set(kinds) <= {"c", "q"} and not learner["feature_names"], "feature_types")
    model = booster["model"]
    trees, classes, ends = model["trees"], _array(model, "tree_info"), _array(model, "iteration_indptr")
    _require(model["gbtree_model_param"] == {"num_parallel_tree": "1", "num_trees": str(len(trees))}, "number of trees")
    _require(not any(model["cats"].values()), "cats")
    _require(classes.tolist() == [number % n_sums for number in range(len(trees))], "tree_info")
    _require(ends.tolist() == list(range(0, len(trees) + 1, n_sums)), "iteration_indptr")
    for tree in trees:
        _check_xgboost_tree(tree, n_columns)


def _check_xgboost_tree(tree: Mapping[str, Any], n_columns: int) -> None:
    _require(set(tree) == _PER_NODE | _CATEGORIES | {"id", "tree_param"}, "fields of a tree")
    nodes = {name: _array(tree, name) for name in _PER_NODE}
    n_nodes = len(nodes["parents"])
    size = {"num_deleted": "0", "num_feature": str(n_columns), "num_nodes": str(n_nodes), "size_leaf_vector": "1"}
    _require(n_nodes > 0 and tree["tree_param"] == size, "tree_param")
    _require(all(len(values) == n_nodes for values in nodes.values()), "number of nodes")
    left, right, positions = nodes["left_children"], nodes["right_children"], np.arange(n_nodes)
    is_leaf = left == -1
    _require(((right == -1) == is_leaf).all(), "leaf")
    parents = np.full(n_nodes, 2**31 - 1)
    for children in (left, right):  # a node comes before those below it
        _require((is_leaf | (children > positions) & (children < n_nodes)).all(), "child")
        parents[children[~is_leaf]] = positions[~is_leaf]
    _require(len({*left[~is_leaf], *right[~is_leaf]}) == n_nodes - 1 and (nodes["parents"] == parents).all(), "parents")
    _check_range(nodes["split_indices"], 0, n_columns, "split_indices")
    _require(not np.isnan(nodes["split_conditions"]).any(), "split_conditions")
    _require(all(np.isin(nodes[name], (0, 1)).all() for name in ("default_left", "split_type")), "kind of a split")
    values, owners, starts, lengths = (_array(tree, name) for name in sorted(_CATEGORIES))
    _require(owners.tolist() == np.flatnonzero(nodes["split_type"] == 1).tolist(), "categories_nodes")
    _require(len(starts) == len(lengths) == len(owners) and (lengths > 0).all(), "categories_sizes")
    _require(starts.tolist() == (np.cumsum(lengths) - lengths).tolist() and lengths.sum() == len(values), "categories")
    _check_range(values, 0, 2**24, "categories")


def _array(fields: Mapping[str, Any], name: str) -> NDArray[Any]:
    values = fields[name]
    _require(isinstance(values, list) and all(type(value) in (int, float) for value in values), name)
    is_integer = name not in ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
    _require(not is_integer or all(type(value) is int for value in values), name)
    return np.array(values, dtype="int64" if is_integer else "float64")


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    _require(len(dict(pairs)) == len(pairs), "field: it is there twice")
    return dict(pairs)
