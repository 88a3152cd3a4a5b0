"""The searches of a data set, and the best candidate of each family of models in them, from MLflow."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from mlflow.entities import Run

from ml_platform.exceptions import RegistryError
from ml_platform.records.version_details import VersionDetails
from ml_platform.specs.tasks import CandidateKind, Metric
from ml_platform.storage import mlflow_client
from ml_platform.training import tracking
from ml_platform.training.comparison import COMPARE_URL, best_of_each
from ml_platform.training.search import CandidateResult


@dataclass(frozen=True)
class Search:
    """A search.

    Attributes:
        run_id: of its run in MLflow.
        experiment_id: of that run.
        name: of that run.
        started_at: when (UTC).
        status: of that run: FINISHED, RUNNING or FAILED.
        scoring: the metric that compared the candidates.
        folds: number of folds of the cross-validation.
        strategy: grid or tpe.
        rows: rows that the candidates were trained on; None if that was not logged.
        training_set_sha256: content hash of the training set.
        candidates: number that has ended.
        failed: number of those that could not be fitted.
        url: of the run, for browsers.
        compare_url: of MLflow's comparison of the best of each family; None if there is only one.
    """

    run_id: str
    experiment_id: str
    name: str
    started_at: datetime
    status: str
    scoring: Metric
    folds: int
    strategy: str
    rows: int | None
    training_set_sha256: str
    candidates: int
    failed: int
    url: str
    compare_url: str | None


@dataclass(frozen=True)
class Contender:
    """A candidate that is compared with others.

    Attributes:
        title: the family, or the version.
        estimator: the family.
        candidate: estimator and parameters, as a text.
        params: the parameters that the search has set, as texts by name.
        means: mean of each metric over the folds, by name.
        folds: each metric's value per fold, by name.
        seconds: time of all its fits and predictions.
        of: number of candidates of this family in the search.
        run_id: of the candidate's run in MLflow.
        search: that it comes from.
        holdout: metrics on the hold-out, by name; empty of a candidate that became no version.
        intervals: of these metrics, low and high, by name.
    """

    title: str
    estimator: CandidateKind
    candidate: str
    params: dict[str, str]
    means: dict[str, float]
    folds: dict[str, list[float]]
    seconds: float
    of: int
    run_id: str
    search: Search
    holdout: dict[str, float]
    intervals: dict[str, tuple[float, float]]


def searches(name: str, limit: int = 20) -> list[Search]:
    """Return the newest searches of a data set in which a candidate has ended, the newest first.

    Raises:
        MlflowException: MLflow is not available.
    """
    client = mlflow_client.connect()
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return []
    ids, order = [experiment.experiment_id], ["start_time DESC"]
    runs = client.search_runs(ids, "tags.kind = 'search'", max_results=limit, order_by=order)
    return [found for found in map(_search, runs) if found.candidates > found.failed]


def families(search: Search) -> list[Contender]:
    """Return the best candidate of each family in a search, the best first.

    Raises:
        MlflowException: MLflow is not available, or the run was deleted.
    """
    ended = _ended(search)
    runs = {result.candidate.id: run for run, result in ended}
    numbers = Counter(result.candidate.estimator for _, result in ended)
    best = best_of_each([result for _, result in ended], search.scoring)
    return [
        _contender(one.candidate.estimator, one, runs[one.candidate.id], search, numbers[one.candidate.estimator])
        for one in best
    ]


def of_version(version: VersionDetails) -> Contender:
    """Return the candidate that became a version, with the version's metrics on the hold-out.

    Raises:
        RegistryError: its search is not in MLflow any more.
        MlflowException: MLflow is not available, or the run was deleted.
    """
    search = _search(mlflow_client.connect().get_run(version.run_id))
    ended = _ended(search)
    for run, result in ended:
        if result.candidate.id == version.candidate_id:
            number = sum(other.candidate.estimator == result.candidate.estimator for _, other in ended)
            title = f"version {version.version}"
            return _contender(title, result, run, search, number, version.metrics, version.intervals)
    raise RegistryError(f"{version.model} version {version.version}: its candidate is not in MLflow any more")


def _ended(search: Search) -> list[tuple[Run, CandidateResult]]:
    client = mlflow_client.connect()
    return tracking.ended_results(client, client.get_run(search.run_id))


def _search(run: Run) -> Search:
    params, metrics, tags = run.data.params, run.data.metrics, run.data.tags
    return Search(
        run_id=run.info.run_id, experiment_id=run.info.experiment_id, name=run.info.run_name or run.info.run_id,
        started_at=datetime.fromtimestamp(run.info.start_time / 1000, UTC), status=run.info.status,
        scoring=cast("Metric", params.get("scoring", "f1")),
        folds=int(params.get("folds", 0)), strategy=params.get("strategy", "grid"),
        rows=int(params["rows_train"]) if "rows_train" in params else None,
        training_set_sha256=tags.get("training_set_sha256", ""), candidates=int(metrics.get("candidates_done", 0)),
        failed=int(metrics.get("candidates_failed", 0)), url=mlflow_client.run_url(run),
        compare_url=tags.get(COMPARE_URL) or None,
    )  # fmt: skip


def _contender(
    title: str,
    result: CandidateResult,
    run: Run,
    search: Search,
    of: int,
    holdout: dict[str, float] | None = None,
    intervals: dict[str, tuple[float, float]] | None = None,
) -> Contender:
    return Contender(
        title=title, estimator=result.candidate.estimator, candidate=str(result.candidate),
        params=result.candidate.texts(), means=result.means, folds=result.folds, seconds=result.seconds, of=of,
        run_id=run.info.run_id, search=search, holdout=holdout or {}, intervals=intervals or {},
    )  # fmt: skip
