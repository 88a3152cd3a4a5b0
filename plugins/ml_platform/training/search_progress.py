"""How far the newest search of a data set is, and when it may end, from the counts that it logs to MLflow.

It imports no library of models: pages and the demo ask it often.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlflow.entities import Metric, Run

from ml_platform.storage import mlflow_client

DONE = "candidates_done"


@dataclass(frozen=True)
class SearchProgress:
    """The progress of a search that runs.

    Attributes:
        done: number of candidates that are logged.
        total: number of candidates in all; with a time limit, at most so many.
        remaining: estimated time to the end, at the pace so far; None before the second candidate.
        url: the run of the search in MLflow, for browsers.
    """

    done: int
    total: int
    remaining: timedelta | None
    url: str


def newest_search(name: str) -> dict[str, float]:
    """Return the metrics of a data set's newest search, such as `candidates_done`; empty if there is no search."""
    run = _newest_run(name)
    return dict(run.data.metrics) if run else {}


def progress(name: str) -> SearchProgress | None:
    """Return the progress of a data set's newest search; None if it does not run, or has not counted yet."""
    run = _newest_run(name)
    if run is None or run.info.status != "RUNNING" or not run.data.metrics.get("candidates_total"):
        return None
    total, history = int(run.data.metrics["candidates_total"]), _history(run)
    done = int(history[-1].value) if history else 0
    return SearchProgress(done, total, remaining(history, total, datetime.now(UTC)), mlflow_client.run_url(run))


def _newest_run(name: str) -> Run | None:
    client = mlflow_client.connect()
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return None
    runs = client.search_runs(
        [experiment.experiment_id], "tags.kind = 'search'", max_results=1, order_by=["start_time DESC"]
    )
    return runs[0] if runs else None


def _history(run: Run) -> list[Metric]:
    """Return the counts of this attempt, oldest first. Each attempt begins with a count of 0."""
    points = sorted(mlflow_client.connect().get_metric_history(run.info.run_id, DONE), key=lambda p: p.timestamp)
    begins = [number for number, point in enumerate(points) if point.value == 0]
    return points[begins[-1] if begins else 0 :]


def remaining(history: Sequence[Metric], total: int, now: datetime) -> timedelta | None:
    """Return the estimated time to the end of a search: candidates that are left, at the mean pace of this attempt.

    Args:
        history: the counts of done candidates of this attempt, oldest first, with their time in milliseconds.
        total: number of candidates.
        now: the moment of the estimate.
    """
    counted = [point for point in history if point.value]
    # an attempt that resumes counts the candidates of earlier ones at once, so its pace is that of the later counts
    first = history[0] if counted and counted[0].value == 1 else next(iter(counted), None)
    if first is None or counted[-1].value <= first.value:
        return None
    pace = (counted[-1].timestamp - first.timestamp) / (counted[-1].value - first.value)
    end = counted[-1].timestamp + pace * (total - counted[-1].value)
    return max(timedelta(milliseconds=end) - timedelta(seconds=now.timestamp()), timedelta())
