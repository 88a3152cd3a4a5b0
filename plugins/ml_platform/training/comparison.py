"""The best candidate of each estimator, side by side: a table and a link on the page of the search in MLflow."""

import logging
from collections.abc import Sequence

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE
from numpy.typing import ArrayLike

from ml_platform.evaluation.fold_intervals import half_width
from ml_platform.specs.tasks import Metric
from ml_platform.storage import mlflow_client
from ml_platform.training import tracking
from ml_platform.training.search import CandidateResult, rank

log = logging.getLogger(__name__)

SHOWN = ("f1", "roc_auc", "mae", "r2")  # those of the kind of problem, besides the metric that compared
COMPARE_URL = "compare_url"


def best_of_each(results: Sequence[CandidateResult], scoring: Metric) -> list[CandidateResult]:
    """Return the result with the highest mean of each estimator, the best first; failed candidates do not count."""
    best: dict[str, CandidateResult] = {}
    for result in rank(results, scoring):
        best.setdefault(result.candidate.estimator, result)
    return list(best.values())


def log_comparison(client: MlflowClient, parent: Run, results: Sequence[CandidateResult], scoring: Metric) -> str:
    """Put table and link on the page of the parent run, and return the link; empty if there is only one estimator."""
    best = best_of_each(results, scoring)
    if len(best) < 2:
        return ""
    runs = tracking.candidate_runs(client, parent)
    url = mlflow_client.compare_url(parent.info.experiment_id, [runs[one.candidate.id].info.run_id for one in best])
    note = f"The best candidate of each estimator: [compare their runs]({url})\n\n{table(best, scoring)}"
    mlflow_client.set_tags(client, parent.info.run_id, {COMPARE_URL: url, MLFLOW_RUN_NOTE: note})
    log.info("the best of each estimator, side by side: %s", url)
    return url


def table(best: Sequence[CandidateResult], scoring: Metric) -> str:
    """Return a table in Markdown: means over the folds, and the distance to the first result on the same folds.

    Args:
        best: the results, the best first.
        scoring: the metric that compared them.
    """
    metrics = [scoring, *(metric for metric in SHOWN if metric in best[0].folds and metric != scoring)]
    lines = [
        f"| candidate | {' | '.join(metrics)} | {scoring} worse than the first | seconds |",
        "|---" * (len(metrics) + 3) + "|",
    ]
    for result in best:
        figures = [_figure(result.folds[metric]) for metric in metrics]
        distance = np.subtract(best[0].fold_scores(scoring), result.fold_scores(scoring))
        cells = [
            str(result.candidate),
            *figures,
            "" if result is best[0] else _figure(distance),
            f"{result.seconds:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", "± is half of the 95 % confidence interval over the folds."])


def _figure(folds: ArrayLike) -> str:
    return f"{np.asarray(folds, dtype=np.float64).mean():.3f} ± {half_width(folds):.3f}"
