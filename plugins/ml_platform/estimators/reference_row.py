"""The reference of reasons: the mean of each input of an estimator over the training rows, kept in the fitted model.

Trees know how many rows went where. A linear model and a network do not know what is usual, so it is kept with them. It
is an attribute of the fitted step that encodes the columns, so it is in the model's file, and its digest protects it.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ml_platform.estimators.model_parts import uncalibrated

Matrix = NDArray[np.float64]
NAME = "reference_"


def keep_reference(model: BaseEstimator, features: pd.DataFrame) -> None:
    """Keep the means in a fitted pipeline, alone or inside of calibrators, threshold or interval.

    Args:
        model: fitted on these rows.
        features: shape (n_rows, n_features).
    """
    transformer = uncalibrated(model)[0]
    setattr(transformer, NAME, np.asarray(transformer.transform(features), dtype="float64").mean(axis=0))


def reference_of(transformer: Any) -> Matrix | None:
    """Return the means that a fitted step for the columns keeps, shape (n_columns,).

    Returns:
        None if it keeps none, as in versions that were trained before, and they do not follow from the step: scaled
        numbers have the mean 0, categories do not.
    """
    kept = getattr(transformer, NAME, None)
    if kept is not None:
        return np.asarray(kept, dtype="float64")
    names = {name for name, _, _ in transformer.transformers_ if name != "remainder"}
    return np.zeros(transformer.output_indices_["numbers"].stop) if names == {"numbers"} else None
