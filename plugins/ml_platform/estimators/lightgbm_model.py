"""Estimators of lightgbm; the trees are stored as its text format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from numpy.typing import NDArray
from pydantic import Field

from ml_platform.estimators.boosters import Boosted, BoostedClassifier, BoostedRegressor, Matrix, Rows
from ml_platform.estimators.optional_package import OptionalPackage
from ml_platform.estimators.param_types import Count, NotNegative, Share
from ml_platform.estimators.stored_trees import check_lightgbm


@dataclass(eq=False, repr=False, kw_only=True)
class LightGBM(Boosted):
    """Parameters, and access to the library. Source: G. Ke et al., LightGBM (2017).

    Attributes:
        num_leaves: leaves of a tree at most.
        max_depth: depth of a tree at most; -1 is without a limit.
        min_child_samples: least number of rows in a leaf.
        min_child_weight: least sum of the second derivatives of the loss in a leaf.
        min_split_gain: least gain of a split.
        min_data_per_group: least number of rows of a category, or group of categories, in a split of more than 4.
        cat_smooth: smooths the effect of categories with few rows.
        subsample: share of the rows that a tree uses; drawn for each tree, which lightgbm by itself would not do.
        colsample_bytree: share of the columns that a tree uses.
        reg_alpha: L1 regularization of the leaves.
        reg_lambda: L2 regularization of the leaves.
    """

    num_leaves: Annotated[int, Field(ge=2, le=131072)] = 31
    max_depth: Annotated[int, Field(ge=-1, le=64)] = -1
    min_child_samples: Count = 20
    min_child_weight: NotNegative = 0.001
    min_split_gain: NotNegative = 0.0
    min_data_per_group: Count = 100
    cat_smooth: NotNegative = 10.0
    subsample: Share = 1.0
    colsample_bytree: Share = 1.0
    reg_alpha: NotNegative = 0.0
    reg_lambda: NotNegative = 0.0

    package: ClassVar[OptionalPackage] = OptionalPackage("lightgbm", "lightgbm")

    def _train(
        self, rows: Rows, n_trees: int, objective: Mapping[str, Any], validation: Rows | None
    ) -> tuple[Any, int]:
        lightgbm = self.package.load()
        params = {
            **{"learning_rate": self.learning_rate, "num_leaves": self.num_leaves, "max_depth": self.max_depth},
            **{"min_data_in_leaf": self.min_child_samples, "min_sum_hessian_in_leaf": self.min_child_weight},
            **{"min_gain_to_split": self.min_split_gain, "lambda_l1": self.reg_alpha, "lambda_l2": self.reg_lambda},
            **{"min_data_per_group": self.min_data_per_group, "cat_smooth": self.cat_smooth},
            **{"feature_fraction": self.colsample_bytree, "bagging_fraction": self.subsample},
            **{"bagging_freq": 1 if self.subsample < 1 else 0, "seed": self.random_state},
            **{"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1},
            **objective,
        }
        categories = list(range(self.n_categories))
        data = lightgbm.Dataset(
            rows.matrix, rows.target, weight=rows.weights, categorical_feature=categories, params=params
        )
        if validation is None:
            return lightgbm.train(params, data, n_trees), n_trees
        booster = lightgbm.train(
            params,
            data,
            n_trees,
            valid_sets=[data.create_valid(validation.matrix, validation.target, weight=validation.weights)],
            callbacks=[lightgbm.early_stopping(self.early_stopping_rounds, verbose=False)],
        )
        return booster, max(booster.best_iteration, 1)

    def _dump(self, booster: Any) -> bytes:
        trees, end, _ = str(booster.model_to_string()).partition("end of trees\n")
        return (trees + end).encode("ascii")  # what follows is for people

    def _check(self, text: bytes, n_columns: int, n_sums: int) -> None:
        check_lightgbm(text, n_columns, n_sums)

    def _parse(self, text: bytes) -> Any:
        lightgbm = self.package.load()
        try:
            return lightgbm.Booster(model_str=text.decode("ascii"))
        except lightgbm.basic.LightGBMError as error:
            raise ValueError(str(error)) from None

    def _sums(self, booster: Any, matrix: Matrix) -> NDArray[Any]:
        sums: NDArray[Any] = booster.predict(matrix, raw_score=True, num_threads=1)
        return sums

    def _contributions(self, booster: Any, matrix: Matrix) -> NDArray[Any]:
        parts: NDArray[Any] = booster.predict(matrix, pred_contrib=True, num_threads=1)
        return parts


@dataclass(eq=False, repr=False, kw_only=True)
class LightGBMClassifier(LightGBM, BoostedClassifier):
    """Classifier of lightgbm, by logistic loss."""

    def _objective(self, n_classes: int) -> Mapping[str, Any]:
        return {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}


@dataclass(eq=False, repr=False, kw_only=True)
class LightGBMRegressor(LightGBM, BoostedRegressor):
    """Regressor of lightgbm, by squared error."""

    objective: ClassVar[Mapping[str, Any]] = {"objective": "regression"}
