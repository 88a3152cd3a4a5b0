"""The reference of reasons: what is usual for each input of an estimator, kept in the fitted model.

It is the mean over the training rows, or the most frequent category where one number stands for each. Trees know how
many rows went where. A linear model, a network and an ensemble do not know what is usual, so it is kept with them, as
an attribute of the fitted step that encodes the columns. So it is in the model's file, and its digest protects it.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OrdinalEncoder

from ml_platform.estimators.model_parts import weighted_members

Matrix = NDArray[np.float64]
NAME = "reference_"


def keep_reference(model: BaseEstimator, features: pd.DataFrame) -> None:
    """Keep the reference in a fitted pipeline, or in each of an ensemble, also inside of calibrators and the like.

    Args:
        model: fitted on these rows.
        features: shape (n_rows, n_features).
    """
    for _, pipeline in weighted_members(model):
        setattr(pipeline[0], NAME, _usual_inputs(pipeline[0], features))


def _usual_inputs(transformer: Any, features: pd.DataFrame) -> Matrix:
    matrix = np.asarray(transformer.transform(features), dtype="float64")
    usual: Matrix = matrix.mean(axis=0)
    for i in np.flatnonzero(np.isnan(usual)):
        known = matrix[~np.isnan(matrix[:, i]), i]
        usual[i] = known.mean() if len(known) else np.nan
    encoder = transformer.named_transformers_.get("categories")
    if encoder is not None and isinstance(encoder[-1], OrdinalEncoder):
        coded = transformer.output_indices_["categories"]
        usual[coded] = [_most_frequent(column) for column in matrix[:, coded].T]
    return usual


def _most_frequent(codes: Matrix) -> float:
    values, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return float(values[counts.argmax()]) if len(values) else float("nan")


def reference_of(transformer: Any) -> Matrix | None:
    """Return the reference that a fitted step for the columns keeps, shape (n_columns,).

    Returns:
        None if it keeps none, as in versions that were trained before, and they do not follow from the step: scaled
        numbers have the mean 0, categories do not.
    """
    kept = getattr(transformer, NAME, None)
    if kept is not None:
        return np.asarray(kept, dtype="float64")
    names = {name for name, _, _ in transformer.transformers_ if name != "remainder"}
    return np.zeros(transformer.output_indices_["numbers"].stop) if names == {"numbers"} else None
