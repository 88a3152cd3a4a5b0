"""The first two steps of a training: search the grid, and refit the best candidate; `promotion` is the third.

Each takes and returns what fits into JSON (beside the training set) and can be run twice: a search goes on where it
stopped, a second refit finds the version that the first one registered, a second promotion returns the first decision.
"""

import json
import logging
import platform
import tempfile
from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.entities import Param, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT
from numpy.typing import NDArray
from sklearn.model_selection import TunedThresholdClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform import charts, registry, tracking
from ml_platform.candidates import RANDOM_STATE, Candidate, candidates
from ml_platform.exceptions import DegenerateDataError
from ml_platform.fitting import fit, importance
from ml_platform.metrics import judge
from ml_platform.models import versions
from ml_platform.search import Outcome, Progress, best, search, tell
from ml_platform.split import Split, split
from ml_platform.training_set import TrainingSet

log = logging.getLogger(__name__)

_DECIDING_FILES = ("candidates.py", "holdout.py", "metrics.py", "search.py", "split.py")


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash of what decides a candidate's scores beside the data: our code and the libraries' versions."""
    digest = sha256(json.dumps([versions(), RANDOM_STATE]).encode())
    for name in _DECIDING_FILES:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()


def run_search(
    training_set: TrainingSet,
    *,
    estimators: Collection[str] = (),
    folds: int | None = None,
    scoring: str | None = None,
    jobs: int | None = None,
    quick: bool = False,
    attempt_id: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Cross-validate every candidate of the data set's grid and log each to MLflow the moment it ends.

    Called again with the same training set, folds, scoring and attempt, it goes on where it stopped: what has been
    logged is not fitted again. Whatever is not given is taken from the data set's YAML.

    Args:
        training_set: what to learn from.
        estimators: the ones to try; all in the grid if empty.
        folds: of the stratified cross-validation.
        scoring: the metric whose mean chooses the best candidate.
        jobs: candidates fitted side by side.
        quick: the first value of each parameter only, `class_weight` excepted.
        attempt_id: tells searches apart that are equal in all else, such as the id of a DAG run.
        progress: called with (done, total, outcome) after each candidate.

    Returns:
        `run_id` and `url` of the parent run, `candidate` (estimator and parameters of the best), `score`, `score_sd`,
        `scoring`, `folds`, `jobs`, `total` and `failed` (numbers of candidates), `search_id`.

    Raises:
        ConfigurationError: a candidate is not accepted by its estimator.
        DegenerateDataError: the data cannot train a model, or no candidate could be fitted.
    """
    options = training_set.dataset.search
    folds, scoring, jobs = folds or options.folds, scoring or options.scoring, jobs or options.jobs
    wanted = candidates(options, estimators=estimators, quick=quick)
    parts = split(training_set, folds)
    search_id = _search_id(training_set, folds, scoring, attempt_id)
    mlflow = tracking.client()
    parent = _parent(training_set, parts, search_id, {"folds": folds, "scoring": scoring})
    with tracking.running(mlflow, parent.info.run_id):
        outcomes = _outcomes(parent, wanted, training_set, parts, folds, jobs, scoring, progress)
        found = _winner(training_set.dataset.name, parent, outcomes, scoring)
    return {
        "run_id": parent.info.run_id, "url": tracking.run_url(parent), "search_id": search_id,
        "candidate": [found.candidate.estimator, found.candidate.params],
        "score": found.means[scoring], "score_sd": found.sds[scoring], "scoring": scoring, "folds": folds, "jobs": jobs,
        "total": len(wanted), "failed": sum(outcome.error is not None for outcome in outcomes),
    }  # fmt: skip


def _search_id(training_set: TrainingSet, folds: int, scoring: str, attempt_id: str) -> str:
    dataset = training_set.dataset
    parts = [dataset.name, training_set.sha256, dataset.gate.holdout, folds, scoring, code_version(), attempt_id]
    return sha256(json.dumps(parts).encode()).hexdigest()


def _parent(training_set: TrainingSet, parts: Split, search_id: str, settings: Mapping[str, Any]) -> Run:
    mlflow, dataset = tracking.client(), training_set.dataset
    tags = {
        "dataset": dataset.name, "training_set_sha256": training_set.sha256, "training_set_uri": training_set.uri,
        "sources": json.dumps(training_set.sources)[: tracking.TEXT_LIMIT],
        MLFLOW_GIT_COMMIT: tracking.commit(), "python": platform.python_version(),
        "packages": json.dumps(versions()),
    }  # fmt: skip
    experiment = tracking.experiment_id(mlflow, dataset.name)
    run = tracking.parent_run(mlflow, experiment, search_id, f"{dataset.name} {search_id[:8]}", tags)
    rows = {"rows_train": int((~parts.held).sum()), "rows_holdout": int(parts.held.sum())}
    facts = {**settings, **rows, "holdout_share": dataset.gate.holdout, "random_state": RANDOM_STATE}
    mlflow.log_batch(run.info.run_id, params=[Param(name, str(value)) for name, value in facts.items()])
    tracking.log_input(
        mlflow, run.info.run_id, dataset.name, training_set.sha256, training_set.uri, {"num_rows": len(parts.labels)}
    )
    return run


def _outcomes(
    parent: Run, wanted: list[Candidate], training_set: TrainingSet, parts: Split,
    folds: int, jobs: int, scoring: str, progress: Progress | None,
) -> list[Outcome]:  # fmt: skip
    mlflow, total = tracking.client(), len(wanted)
    before = tracking.remembered(mlflow, parent)
    outcomes = [before[candidate.id] for candidate in wanted if candidate.id in before]
    pending = [candidate for candidate in wanted if candidate.id not in before]
    if outcomes:
        log.info("%d of %d candidates were logged before and are not fitted again", len(outcomes), total)
    tracking.log_counts(mlflow, parent.info.run_id, total, outcomes)
    for outcome in search(pending, training_set.dataset, *parts.train(), folds=folds, jobs=jobs):
        tracking.log_outcome(mlflow, parent, outcome)
        outcomes.append(outcome)
        tracking.log_counts(mlflow, parent.info.run_id, total, outcomes)
        tell(len(outcomes), total, outcome, scoring)
        if progress:
            progress(len(outcomes), total, outcome)
    return outcomes


def _winner(name: str, parent: Run, outcomes: list[Outcome], scoring: str) -> Outcome:
    found = best(outcomes, scoring)
    if found is None:
        reasons = "; ".join(f"{outcome.candidate}: {(outcome.error or '').splitlines()[-1]}" for outcome in outcomes)
        raise DegenerateDataError(f"{name}: none of {len(outcomes)} candidates could be fitted: {reasons}")
    mlflow, run_id = tracking.client(), parent.info.run_id
    ranked = sorted((one for one in outcomes if not one.error), key=lambda one: (-one.score(scoring), one.candidate.id))
    picture = charts.candidates(
        [str(one.candidate) for one in ranked],
        [one.means[scoring] for one in ranked],
        [one.sds[scoring] for one in ranked],
        scoring,
    )
    tracking.log_charts(mlflow, run_id, {"candidates": picture})
    tracking.set_tags(mlflow, run_id, {"best_candidate": str(found.candidate)})
    tracking.log_metrics(mlflow, run_id, {f"best_cv_{metric}": mean for metric, mean in found.means.items()})
    log.info("best of %d candidates: %s, %s %.3f", len(outcomes), found.candidate, scoring, found.means[scoring])
    return found


def refit(training_set: TrainingSet, searched: Mapping[str, Any]) -> dict[str, Any]:
    """Fit the best candidate on all rows outside the hold-out, choose its threshold, judge and register it.

    The threshold maximises F1 out-of-fold (`TunedThresholdClassifierCV`). The new version gets the alias `challenger`.

    Args:
        training_set: the one that was searched on.
        searched: what `run_search` returned.

    Returns:
        `run_id`, `url`, `name` and `version` of the registered model, `threshold`, `metrics` (name to value, on the
        hold-out) and `search` (what was passed in).

    Raises:
        DegenerateDataError: the data cannot train a model, or not one with a threshold.
    """
    name, candidate = training_set.dataset.name, Candidate(*searched["candidate"])
    parts = split(training_set, searched["folds"])
    mlflow, run_id = tracking.client(), searched["run_id"]
    run = mlflow.get_run(run_id)
    version = registry.version_of_run(name, run_id, candidate.id)
    if version is None:
        with tracking.running(mlflow, run_id):
            version = _register(run, training_set, parts, candidate, searched)
    registry.set_alias(name, registry.CHALLENGER, int(version.version))
    return {
        "run_id": run_id, "url": tracking.run_url(run), "name": name, "version": int(version.version),
        "threshold": float(version.tags["threshold"]), "metrics": json.loads(version.tags["holdout_metrics"]),
        "search": dict(searched),
    }  # fmt: skip


def _register(
    run: Run, training_set: TrainingSet, parts: Split, candidate: Candidate, searched: Mapping[str, Any]
) -> ModelVersion:
    dataset = training_set.dataset
    log.info("fitting %s on %s rows; its threshold is chosen out-of-fold", candidate, f"{int((~parts.held).sum()):,}")
    model = fit(candidate, dataset, parts, searched["folds"], searched["jobs"])
    features, labels = parts.test()
    with threadpool_limits(1):
        probabilities = model.predict_proba(features)[:, 1]
    threshold = float(model.best_threshold_)
    metrics = judge(labels, probabilities, threshold)
    _log_holdout(run, model, parts, probabilities, metrics)
    tags = {
        "candidate_id": candidate.id, "candidate": str(candidate), "training_set_sha256": training_set.sha256,
        "threshold": repr(threshold), "holdout_share": repr(dataset.gate.holdout), "holdout_f1": repr(metrics["f1"]),
        "holdout_metrics": json.dumps(metrics), "git_commit": run.data.tags.get(MLFLOW_GIT_COMMIT, "unknown"),
    }  # fmt: skip
    version = registry.register(run, dataset, model, features.head(3), tags)
    log.info(
        "%s version %s: F1 %.3f, ROC AUC %.3f on %s rows of the hold-out at threshold %.3f",
        dataset.name, version.version, metrics["f1"], metrics["roc_auc"], f"{len(labels):,}", threshold,
    )  # fmt: skip
    return version


def _log_holdout(
    run: Run,
    model: TunedThresholdClassifierCV,
    parts: Split,
    probabilities: NDArray[np.float64],
    metrics: dict[str, float],
) -> None:
    mlflow, run_id = tracking.client(), run.info.run_id
    features, labels = parts.test()
    threshold = float(model.best_threshold_)
    figures = {f"holdout_{name}": value for name, value in metrics.items()}
    figures |= {"threshold": threshold, "holdout_positives": float(labels.mean())}
    tracking.log_metrics(mlflow, run_id, figures)
    pictures = charts.holdout_charts(labels, probabilities, threshold)
    pictures |= charts.training_charts(
        model.cv_results_, threshold, [str(name) for name in features], importance(model, features, labels)
    )
    tracking.log_charts(mlflow, run_id, pictures)
    predictions = pd.DataFrame({"key": parts.keys[parts.held], "label": labels, "probability": probabilities})
    with tempfile.TemporaryDirectory() as folder:
        predictions.to_parquet(Path(folder) / tracking.PREDICTIONS, index=False)
        mlflow.log_artifact(run_id, str(Path(folder) / tracking.PREDICTIONS))
