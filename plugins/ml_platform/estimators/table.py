"""The table of estimators: to add one, add a row here and its name to `specs.tasks.Estimator`.

Boosted trees take ordinal codes, the others one column per category. Linear models and networks need scaled numbers;
trees do not. xgboost and lightgbm handle categories and missing values themselves. Neither is imported here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from ml_platform import RANDOM_STATE
from ml_platform.estimators.feature_effects import EffectsOf, forest, histogram_trees, library_trees, linear, sampled
from ml_platform.estimators.lightgbm_model import LightGBMClassifier, LightGBMRegressor
from ml_platform.estimators.optional_package import OptionalPackage
from ml_platform.estimators.row_probabilities import (
    Matrix,
    Predict,
    Response,
    all_trees_at_once,
    calibrated,
    in_blocks,
    in_one_call,
    mean_of_trees,
)
from ml_platform.estimators.snapshot_ensemble import SnapshotEnsembleClassifier, SnapshotEnsembleRegressor
from ml_platform.estimators.unseen_missing import UnseenMissingImputer
from ml_platform.estimators.xgboost_model import XGBoostClassifier, XGBoostRegressor
from ml_platform.specs.tasks import Estimator

MISSING = "(missing)"


@dataclass(frozen=True)
class EstimatorKind:
    """One row of the table.

    Attributes:
        classifier: the scikit-learn class for classes; None if there is none.
        regressor: the scikit-learn class for numbers; None if there is none.
        defaults: the parameters that the platform sets; a grid may override them.
        encoder: makes the unfitted step for category columns.
        scaler: makes the unfitted step for number columns.
        trusted_types: types in a stored model that skops does not trust by default.
        predict_rows: makes the function that predicts probabilities or scores; see `row_probabilities`.
        effects: makes what explains its outputs; None if there is none; see `feature_effects`.
        needs_reference: whether it is explained by comparison with the mean of the training rows.
        package: the package that it needs besides scikit-learn, or None.
    """

    classifier: type[BaseEstimator] | None
    regressor: type[BaseEstimator] | None
    defaults: Mapping[str, Any]
    encoder: Callable[[], Pipeline]
    scaler: Callable[[], BaseEstimator]
    trusted_types: tuple[str, ...]
    predict_rows: Callable[[Any, Matrix, Response], Predict]
    effects: EffectsOf | None = None
    needs_reference: bool = False
    package: OptionalPackage | None = None

    def build(self, params: Mapping[str, Any], kind: Literal["classifier", "regressor"]) -> BaseEstimator:
        """Return the unfitted estimator; `params` override its defaults.

        Raises:
            ValueError: there is none of this kind.
        """
        model: type[BaseEstimator] | None = getattr(self, kind)
        if model is None:
            raise ValueError(f"it is no {kind}")
        return model(**{**self.defaults, **params})

    def is_of(self, estimator: BaseEstimator) -> bool:
        """Return whether a fitted estimator is of this row."""
        models = (self.classifier, self.regressor)
        return isinstance(estimator, tuple(model for model in models if model))

    def problem(self) -> str | None:
        """Return why it cannot be used here; None if it can."""
        return self.package.problem() if self.package else None


def one_hot_encoder() -> Pipeline:
    """Return the step that makes one column per category; rare and unknown categories share a column."""
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=50, sparse_output=False
    )
    return make_pipeline(_missing_category(), encoder)


def ordinal_encoder() -> Pipeline:
    """Return the step that makes one number per category; an unknown category is -1."""
    # Ordinal codes, not `categorical_features`: with that, skops would have to trust functools.partial.
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=200)
    return make_pipeline(_missing_category(), encoder)


def native_encoder() -> Pipeline:
    """Return the step that makes one number per category; a missing or unknown category is NaN."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=200)
    return make_pipeline(encoder)


def _missing_category() -> SimpleImputer:
    return SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True)


def median_imputer() -> SimpleImputer:
    """Return the step that fills missing numbers with the median, and adds a column that marks them."""
    # Trees need it too: a column without any value in one fold breaks histogram binning in scikit-learn 1.9.
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def scaled_median_imputer() -> Pipeline:
    """Return the step that fills missing numbers with the median, and scales numbers to mean 0 and variance 1."""
    return make_pipeline(median_imputer(), StandardScaler())


def _type_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__name__}"


ESTIMATORS: dict[Estimator, EstimatorKind] = {
    "logistic_regression": EstimatorKind(
        classifier=LogisticRegression,
        regressor=None,
        defaults={"max_iter": 1000, "random_state": RANDOM_STATE},
        encoder=one_hot_encoder,
        scaler=scaled_median_imputer,
        trusted_types=(),
        predict_rows=in_blocks,
        effects=linear,
        needs_reference=True,
    ),
    "ridge": EstimatorKind(
        classifier=None,
        regressor=Ridge,
        defaults={},
        encoder=one_hot_encoder,
        scaler=scaled_median_imputer,
        trusted_types=(),
        predict_rows=in_blocks,
        effects=linear,
        needs_reference=True,
    ),
    "random_forest": EstimatorKind(
        classifier=RandomForestClassifier,
        regressor=RandomForestRegressor,
        defaults={"n_estimators": 150, "n_jobs": 1, "random_state": RANDOM_STATE},
        encoder=one_hot_encoder,
        scaler=median_imputer,
        trusted_types=("sklearn.tree._tree.Tree",),
        predict_rows=mean_of_trees,
        effects=forest,
    ),
    "hist_gradient_boosting": EstimatorKind(
        classifier=HistGradientBoostingClassifier,
        regressor=HistGradientBoostingRegressor,
        defaults={"max_iter": 150, "max_leaf_nodes": 15, "early_stopping": False, "random_state": RANDOM_STATE},
        encoder=ordinal_encoder,
        scaler=median_imputer,
        trusted_types=("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",),
        predict_rows=all_trees_at_once,
        effects=histogram_trees,
    ),
    "xgboost": EstimatorKind(
        classifier=XGBoostClassifier,
        regressor=XGBoostRegressor,
        defaults={"random_state": RANDOM_STATE},
        encoder=native_encoder,
        scaler=UnseenMissingImputer,
        trusted_types=tuple(map(_type_name, (XGBoostClassifier, XGBoostRegressor, UnseenMissingImputer))),
        predict_rows=in_one_call,
        effects=library_trees,
        package=XGBoostClassifier.package,
    ),
    "lightgbm": EstimatorKind(
        classifier=LightGBMClassifier,
        regressor=LightGBMRegressor,
        defaults={"random_state": RANDOM_STATE},
        encoder=native_encoder,
        scaler=UnseenMissingImputer,
        trusted_types=tuple(map(_type_name, (LightGBMClassifier, LightGBMRegressor, UnseenMissingImputer))),
        predict_rows=in_one_call,
        effects=library_trees,
        package=LightGBMClassifier.package,
    ),
    "snapshot_ensemble": EstimatorKind(
        classifier=SnapshotEnsembleClassifier,
        regressor=SnapshotEnsembleRegressor,
        defaults={"random_state": RANDOM_STATE},
        encoder=one_hot_encoder,
        scaler=scaled_median_imputer,
        trusted_types=tuple(map(_type_name, (SnapshotEnsembleClassifier, SnapshotEnsembleRegressor))),
        predict_rows=in_blocks,
        effects=sampled,
        needs_reference=True,
    ),
}


def estimator_kind(estimator: BaseEstimator) -> EstimatorKind | None:
    """Return the row of a fitted estimator; None if it is not in the table."""
    return next((kind for kind in ESTIMATORS.values() if kind.is_of(estimator)), None)


def row_outputs_of(estimator: BaseEstimator, sample: Matrix, calibrators: Sequence[Any] = ()) -> Predict:
    """Return the function that predicts the probabilities of rows, or the numbers of a regressor, shape (n_rows, 1).

    An estimator that is not in the table predicts in blocks.

    Args:
        estimator: fitted.
        sample: of its inputs, shape (n_rows, n_columns).
        calibrators: of its scores; none if its own probabilities are asked for.
    """
    kind = estimator_kind(estimator)
    predict_rows = kind.predict_rows if kind else in_blocks
    if not calibrators:
        return predict_rows(estimator, sample, "predict_proba" if is_classifier(estimator) else "predict")
    if hasattr(estimator, "decision_function"):  # scikit-learn prefers it to the probabilities, too
        return calibrated(predict_rows(estimator, sample, "decision_function"), calibrators)
    probabilities = predict_rows(estimator, sample, "predict_proba")
    return calibrated(lambda matrix: probabilities(matrix)[:, -len(calibrators) :], calibrators)
