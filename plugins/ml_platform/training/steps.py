"""The first two steps of a training: search the grid, and refit the best candidate; `promotion` is the third.

Each takes and returns what fits into JSON (beside the training set) and can be run twice: a search goes on where it
stopped, a second refit finds the version that the first one registered, a second promotion returns the first decision.
"""

import json
import logging
import platform
from collections.abc import Collection, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from mlflow.entities import Param, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT

from ml_platform.evaluation import charts
from ml_platform.evaluation.holdout_report import log_holdout
from ml_platform.exceptions import DegenerateDataError
from ml_platform.registry import registry, version_tags
from ml_platform.registry.model_files import versions
from ml_platform.training import tracking
from ml_platform.training.candidates import RANDOM_STATE, Candidate, candidates
from ml_platform.training.fitting import fit, threshold_of
from ml_platform.training.leakage import suspected_leaks
from ml_platform.training.search import Outcome, Progress, best, search, tell
from ml_platform.training.split import Folds, Split, split
from ml_platform.training.training_set import TrainingSet

log = logging.getLogger(__name__)

_DECIDING_FILES = (
    "evaluation/metrics.py", "specs/holdout.py", "training/candidates.py", "training/search.py", "training/split.py",
)  # fmt: skip


@lru_cache(maxsize=1)
def code_version() -> str:
    """Return a hash of what decides a candidate's scores beside the data: our code and the libraries' versions."""
    digest = sha256(json.dumps([versions(), RANDOM_STATE]).encode())
    for name in _DECIDING_FILES:
        digest.update((Path(__file__).parents[1] / name).read_bytes())
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
        `scoring`, `folds`, `jobs`, `total` and `failed` (numbers of candidates), `search_id`, `suspected_leaks`
        (score by column).

    Raises:
        ConfigurationError: a candidate is not accepted by its estimator.
        DegenerateDataError: the data cannot train a model, or no candidate could be fitted.
    """
    options = training_set.dataset.search
    folds, scoring, jobs = folds or options.folds, scoring or options.scoring, jobs or options.jobs
    wanted = candidates(options, estimators=estimators, quick=quick)
    parts = split(training_set, folds)
    fold_rows = parts.folds(folds)
    search_id = _search_id(training_set, folds, scoring, attempt_id)
    mlflow = tracking.client()
    parent = _parent(training_set, parts, search_id, {"folds": folds, "scoring": scoring})
    with tracking.running(mlflow, parent.info.run_id):
        leaks = _leaks(parent, parts)
        outcomes = _outcomes(parent, wanted, parts, fold_rows, jobs, scoring, progress)
        found = _winner(training_set.dataset.name, parent, outcomes, scoring)
    return {
        "run_id": parent.info.run_id, "url": tracking.run_url(parent), "search_id": search_id,
        "candidate": [found.candidate.estimator, found.candidate.params],
        "score": found.means[scoring], "score_sd": found.sds[scoring], "scoring": scoring, "folds": folds, "jobs": jobs,
        "total": len(wanted), "failed": sum(outcome.error is not None for outcome in outcomes),
        "suspected_leaks": leaks,
    }  # fmt: skip


def _search_id(training_set: TrainingSet, folds: int, scoring: str, attempt_id: str) -> str:
    dataset = training_set.dataset
    held = [dataset.holdout_by, dataset.gate.holdout]
    parts = [dataset.name, training_set.sha256, *held, folds, scoring, code_version(), attempt_id]
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
    facts = {**settings, **rows, "random_state": RANDOM_STATE}
    facts |= {"holdout_by": parts.rule.by, "holdout_share": parts.rule.share, "classes": ", ".join(parts.classes)[:500]}
    if parts.rule.start is not None:
        facts["holdout_from"] = parts.rule.start.isoformat()
    mlflow.log_batch(run.info.run_id, params=[Param(name, str(value)) for name, value in facts.items()])
    tracking.log_input(
        mlflow, run.info.run_id, dataset.name, training_set.sha256, training_set.uri, {"num_rows": len(parts.labels)}
    )
    return run


def _leaks(parent: Run, parts: Split) -> dict[str, float]:
    found = suspected_leaks(*parts.train())
    for column, score in found.items():
        log.warning(
            "%s alone gives the label away (%.2f): if it is known only with the label, list it under `leaks`",
            column, score,
        )  # fmt: skip
    told = json.dumps({column: round(score, 4) for column, score in found.items()})
    tracking.set_tags(tracking.client(), parent.info.run_id, {"suspected_leaks": told[: tracking.TEXT_LIMIT]})
    return found


def _outcomes(
    parent: Run, wanted: list[Candidate], parts: Split,
    folds: Folds, jobs: int, scoring: str, progress: Progress | None,
) -> list[Outcome]:  # fmt: skip
    mlflow, total = tracking.client(), len(wanted)
    before = tracking.remembered(mlflow, parent)
    outcomes = [before[candidate.id] for candidate in wanted if candidate.id in before]
    pending = [candidate for candidate in wanted if candidate.id not in before]
    if outcomes:
        log.info("%d of %d candidates were logged before and are not fitted again", len(outcomes), total)
    tracking.log_counts(mlflow, parent.info.run_id, total, outcomes)
    for outcome in search(pending, parts.dataset, *parts.train(), folds=folds, jobs=jobs):
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

    The threshold maximises F1 out-of-fold; with several classes the most probable one is predicted. The new version
    gets the alias `challenger`.

    Args:
        training_set: the one that was searched on.
        searched: what `run_search` returned.

    Returns:
        `run_id`, `url`, `name` and `version` of the registered model, `threshold` (None with several classes),
        `metrics` (name to value, on the hold-out) and `search` (what was passed in).

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
        "threshold": version_tags.read_threshold(version.tags), "metrics": json.loads(version.tags["holdout_metrics"]),
        "search": dict(searched),
    }  # fmt: skip


def _register(
    run: Run, training_set: TrainingSet, parts: Split, candidate: Candidate, searched: Mapping[str, Any]
) -> ModelVersion:
    dataset = training_set.dataset
    log.info("fitting %s on %s rows outside the hold-out", candidate, f"{int((~parts.held).sum()):,}")
    model = fit(candidate, parts, searched["folds"], searched["jobs"])
    threshold = threshold_of(model)
    metrics = log_holdout(run.info.run_id, model, parts)
    tags = {
        "candidate_id": candidate.id, "candidate": str(candidate), "training_set_sha256": training_set.sha256,
        "holdout_f1": repr(metrics["f1"]), "holdout_metrics": json.dumps(metrics),
        "git_commit": run.data.tags.get(MLFLOW_GIT_COMMIT, "unknown"),
        **version_tags.recorded(parts.classes, threshold, parts.rule),
    }  # fmt: skip
    features, labels = parts.test()
    version = registry.register(run, dataset, model, features.head(3), tags)
    log.info(
        "%s version %s: F1 %.3f, ROC AUC %.3f on %s rows of the hold-out%s",
        dataset.name, version.version, metrics["f1"], metrics["roc_auc"], f"{len(labels):,}",
        "" if threshold is None else f" at threshold {threshold:.3f}",
    )  # fmt: skip
    return version
