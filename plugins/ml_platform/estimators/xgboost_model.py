"""Estimators of xgboost; the trees are stored as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ml_platform.estimators.boosters import Boosted, BoostedClassifier, BoostedRegressor, Matrix, Rows
from ml_platform.estimators.optional_package import OptionalPackage
from ml_platform.estimators.param_types import NotNegative, Share
from ml_platform.estimators.stored_trees import check_xgboost

LARGEST = 1e38  # xgboost holds numbers as float32, whose largest is 3.4e38, and adds two of them


@dataclass(eq=False, repr=False, kw_only=True)
class XGBoost(Boosted):
    """Parameters, and access to the library. Source: T. Chen, C. Guestrin, XGBoost (2016).

    Attributes:
        max_depth: depth of a tree at most.
        min_child_weight: least sum of the second derivatives of the loss in a leaf.
        gamma: least gain of a split.
        subsample: share of the rows that a tree uses.
        colsample_bytree: share of the columns that a tree uses.
        reg_alpha: L1 regularization of the leaves.
        reg_lambda: L2 regularization of the leaves.
    """

    max_depth: Annotated[int, Field(ge=1, le=64)] = 6
    min_child_weight: NotNegative = 1.0
    gamma: NotNegative = 0.0
    subsample: Share = 1.0
    colsample_bytree: Share = 1.0
    reg_alpha: NotNegative = 0.0
    reg_lambda: NotNegative = 1.0

    package: ClassVar[OptionalPackage] = OptionalPackage("xgboost-cpu", "xgboost")

    def _train(
        self, rows: Rows, n_trees: int, objective: Mapping[str, Any], validation: Rows | None
    ) -> tuple[Any, int]:
        own = ("learning_rate", "max_depth", "min_child_weight", "gamma", "subsample", "colsample_bytree", "reg_alpha")
        params = {name: getattr(self, name) for name in (*own, "reg_lambda")}
        params |= {"tree_method": "hist", "nthread": 1, "seed": self.random_state, "verbosity": 0, **objective}
        xgboost, stopping = self.package.load(), self.early_stopping_rounds if validation else None
        booster = xgboost.train(
            params,
            self._matrix(rows),
            n_trees,
            evals=[(self._matrix(validation), "validation")] if validation else [],
            early_stopping_rounds=stopping,
            verbose_eval=False,
        )
        return booster, booster.best_iteration + 1 if validation else n_trees

    def _matrix(self, rows: Rows) -> Any:
        return self._data(rows.matrix, label=rows.target, weight=rows.weights)

    def _data(self, matrix: Matrix, **more: NDArray[Any]) -> Any:
        n_numbers = matrix.shape[1] - self.n_categories
        return self.package.load().DMatrix(
            _narrow(matrix),
            feature_types=["c"] * self.n_categories + ["q"] * n_numbers,
            enable_categorical=True,
            nthread=1,
            **more,
        )

    def _dump(self, booster: Any) -> bytes:
        return bytes(booster.save_raw("json"))

    def _check(self, text: bytes, n_columns: int, n_sums: int) -> None:
        check_xgboost(text, n_columns, n_sums)

    def _parse(self, text: bytes) -> Any:
        booster = self.package.load().Booster({"nthread": 1, "verbosity": 0})
        booster.load_model(bytearray(text))
        return booster

    def _sums(self, booster: Any, matrix: Matrix) -> NDArray[Any]:
        sums: NDArray[Any] = booster.inplace_predict(_narrow(matrix), predict_type="margin")
        return sums

    def _contributions(self, booster: Any, matrix: Matrix) -> NDArray[Any]:
        parts: NDArray[Any] = booster.predict(self._data(matrix), pred_contribs=True)
        return parts


def _narrow(matrix: Matrix) -> NDArray[np.float32]:
    return np.clip(matrix, -LARGEST, LARGEST).astype(np.float32)


@dataclass(eq=False, repr=False, kw_only=True)
class XGBoostClassifier(XGBoost, BoostedClassifier):
    """Classifier of xgboost, by logistic loss."""

    def _objective(self, n_classes: int) -> Mapping[str, Any]:
        if n_classes == 2:
            return {"objective": "binary:logistic", "eval_metric": "logloss"}
        return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": n_classes}


@dataclass(eq=False, repr=False, kw_only=True)
class XGBoostRegressor(XGBoost, BoostedRegressor):
    """Regressor of xgboost, by squared error."""

    objective: ClassVar[Mapping[str, Any]] = {"objective": "reg:squarederror", "eval_metric": "rmse"}
