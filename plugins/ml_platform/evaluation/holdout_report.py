"""How a new model does on the hold-out: figures, charts and predictions, kept with its run."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ml_platform.evaluation import charts
from ml_platform.evaluation.metrics import judge, predictions_of, probabilities_of
from ml_platform.training import tracking
from ml_platform.training.fitting import importance, threshold_of
from ml_platform.training.split import Split

PREDICTIONS = "holdout_predictions.parquet"
PROBABILITY = "probability"  # of two classes the column's name; of several, how the names begin


def log_holdout(run_id: str, model: BaseEstimator, parts: Split) -> dict[str, float]:
    """Judge a model on the hold-out, keep figures, charts and predictions with its run, and return the metrics."""
    features, labels = parts.test()
    threshold = threshold_of(model)
    with threadpool_limits(1):
        probabilities = probabilities_of(model, features)
    predictions = predictions_of(probabilities, threshold)
    metrics = judge(labels, probabilities, predictions)
    figures = {f"holdout_{name}": value for name, value in metrics.items()}
    if threshold is not None:
        figures |= {"threshold": threshold, "holdout_positives": float(labels.mean())}
    mlflow = tracking.client()
    tracking.log_metrics(mlflow, run_id, figures)
    if threshold is None:
        pictures = charts.of_several_classes(labels, predictions, parts.classes)
    else:
        pictures = charts.of_two_classes(labels, probabilities, threshold, model.cv_results_)
    names = [str(name) for name in features]
    pictures["feature_importance"] = charts.feature_importance(names, *importance(model, features, labels))
    tracking.log_charts(mlflow, run_id, pictures)
    _log_predictions(run_id, parts, labels, probabilities)
    return metrics


def _log_predictions(run_id: str, parts: Split, labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> None:
    frame = pd.DataFrame({"key": parts.ids[parts.held], "event_timestamp": parts.times[parts.held], "label": labels})
    if probabilities.ndim == 1:
        frame[PROBABILITY] = probabilities
    else:
        frame[[f"{PROBABILITY} {name}" for name in parts.classes]] = probabilities
    with tempfile.TemporaryDirectory() as folder:
        frame.to_parquet(Path(folder) / PREDICTIONS, index=False)
        tracking.client().log_artifact(run_id, str(Path(folder) / PREDICTIONS))


def predicted(run_id: str) -> NDArray[np.float64]:
    """Return the probabilities that a model gave to the hold-out when it was trained, in the shape it gave them."""
    with tempfile.TemporaryDirectory() as folder:
        path = tracking.client().download_artifacts(run_id, PREDICTIONS, folder)
        frame = pd.read_parquet(path)
    found = frame.loc[:, frame.columns.str.startswith(PROBABILITY)].to_numpy(dtype=np.float64)
    return found[:, 0] if found.shape[1] == 1 else found
