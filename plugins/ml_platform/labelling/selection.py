"""Which rows are worth asking about: uncertain ones that are not alike.

Zhdanov, "Diverse mini-batch active learning", 2019 (arXiv 1901.05954): of the most uncertain rows, as many clusters are
made as rows are wanted, by k-means with the uncertainty as weight. Of each cluster the row nearest to its centre is
taken.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_object_dtype
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.metrics import pairwise_distances

from ml_platform import RANDOM_STATE
from ml_platform.estimators.table import one_hot_encoder, scaled_median_imputer

CHOICE = 10  # the most uncertain rows are this many times those that are wanted; as in the paper's experiments
LEAST_WEIGHT = 1e-6  # k-means needs some weight


def select(features: pd.DataFrame, uncertainty: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the positions of the rows to ask about, the most uncertain first; no two have the same features.

    Args:
        features: of the candidates, as `model_input` returns them, shape (n_rows, n_features).
        uncertainty: from 0 (certain) to 1, shape (n_rows,).
        count: number of rows wanted; fewer come if there are not so many different ones.
    """
    order = np.random.default_rng(RANDOM_STATE).permutation(len(features))  # equally uncertain rows: by chance
    order = order[np.argsort(-uncertainty[order], kind="stable")]
    different = ~features.iloc[order].duplicated().to_numpy()
    chosen = order[different][: CHOICE * count]
    if len(chosen) > count:
        chosen = chosen[_nearest_to_centres(_space(features.iloc[chosen]), uncertainty[chosen], count)]
    by_uncertainty: NDArray[np.intp] = chosen[np.argsort(-uncertainty[chosen], kind="stable")]
    return by_uncertainty


def _space(features: pd.DataFrame) -> NDArray[np.float64]:
    """Return the features as a linear model sees them: numbers scaled, a column per category."""
    categories = [name for name, kind in features.dtypes.items() if is_object_dtype(kind)]
    numbers = [name for name in features if name not in categories]
    steps = [(one_hot_encoder(), categories), (scaled_median_imputer(), numbers)]
    transformer = make_column_transformer(*(step for step in steps if step[1]))
    return np.asarray(transformer.fit_transform(features), dtype=np.float64)


def _nearest_to_centres(space: NDArray[np.float64], uncertainty: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the position of one row per cluster, each another one."""
    different = len(np.unique(space, axis=0))  # rare categories share a column, so that rows may look the same here
    clusters = KMeans(min(count, different), n_init=1, random_state=RANDOM_STATE)
    clusters.fit(space, sample_weight=np.maximum(uncertainty, LEAST_WEIGHT))
    distances = pairwise_distances(clusters.cluster_centers_, space)
    nearest = dict.fromkeys(int(position) for position in distances.argmin(axis=1))
    rest = (position for position in range(len(space)) if position not in nearest)  # the most uncertain first
    return np.array([*nearest, *rest][:count], dtype=np.intp)
