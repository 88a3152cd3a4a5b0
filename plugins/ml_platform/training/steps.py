"""The first two steps of a training: search candidates, and refit the chosen one. The gate is the third.

Both are idempotent: a killed search resumes, and a second refit finds the version that the first registered.
"""

import json
import logging
import platform
from dataclasses import replace
from datetime import UTC, datetime
from itertools import accumulate, chain
from typing import TYPE_CHECKING

from mlflow.entities import Param, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_GIT_COMMIT

from ml_platform import RANDOM_STATE, logs
from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.evaluation import charts
from ml_platform.evaluation.holdout_report import holdout_report, outputs_in
from ml_platform.evaluation.metric_intervals import metric_intervals
from ml_platform.evaluation.search_charts import best_over_time
from ml_platform.evaluation.task import Folds
from ml_platform.exceptions import DegenerateDataError
from ml_platform.registry import registry, version_tags
from ml_platform.registry.model_files import package_versions
from ml_platform.specs.tasks import Metric
from ml_platform.storage import mlflow_client
from ml_platform.storage.json_values import to_json
from ml_platform.training import ensembling, strategies, tracking
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate
from ml_platform.training.choice import choose, order_of
from ml_platform.training.comparison import log_comparison
from ml_platform.training.fitting import fit
from ml_platform.training.group_reports import group_reports, sentence
from ml_platform.training.leakage import suspected_leaks
from ml_platform.training.model_card import ModelCard
from ml_platform.training.results import Challenger, SearchResult
from ml_platform.training.search import CandidateResult, log_progress, rank
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.search_state import search_id
from ml_platform.training.split import Split, split
from ml_platform.training.stopwatch import Stopwatch
from ml_platform.training.training_set import TrainingSet
from ml_platform.training.workers import own_workers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)


def search(training_set: TrainingSet, plan: SearchPlan) -> SearchResult:
    """Cross-validate every candidate, and log each result to MLflow as soon as it ends.

    Called again with the same training set, folds, metric and attempt, it resumes: logged candidates are not fitted
    again.

    Raises:
        DegenerateDataError: the data cannot train a model, or no candidate could be fitted.
    """
    parts = split(training_set, plan.folds)
    folds = parts.folds(plan.folds)
    identity = search_id(training_set, plan)
    parent = _parent_run(training_set, parts, plan, identity)
    with mlflow_client.running(mlflow_client.connect(), parent.info.run_id), own_workers():
        leaks = _log_leaks(parent, parts)
        results = _results(parent, plan, parts, folds)
        chosen = _log_choice(training_set.dataset.name, parent, results, plan)
        compare_url = log_comparison(mlflow_client.connect(), parent, results, plan.scoring)
    return SearchResult(
        run_id=parent.info.run_id,
        url=mlflow_client.run_url(parent),
        search_id=identity,
        candidate=(chosen.candidate.estimator, chosen.candidate.params),
        score=chosen.means[plan.scoring],
        score_sd=chosen.sds[plan.scoring],
        scoring=plan.scoring,
        folds=plan.folds,
        jobs=plan.jobs,
        total=len(results),
        failed=sum(result.error is not None for result in results),
        pruned=sum(result.pruned for result in results),
        suspected_leaks=leaks,
        compare_url=compare_url,
    )


def _parent_run(training_set: TrainingSet, parts: Split, plan: SearchPlan, identity: str) -> Run:
    client, dataset = mlflow_client.connect(), training_set.dataset
    tags = {
        "dataset": dataset.name, "training_set_sha256": training_set.sha256, "training_set_uri": training_set.uri,
        "sources": json.dumps(to_json(training_set.sources))[: mlflow_client.TEXT_LIMIT],
        MLFLOW_GIT_COMMIT: tracking.commit(), "python": platform.python_version(),
        "packages": json.dumps(package_versions()),
    }  # fmt: skip
    experiment = mlflow_client.experiment_id(client, dataset.name)
    run = tracking.parent_run(client, experiment, identity, f"{dataset.name} {identity[:8]}", tags)
    params = {
        "strategy": plan.strategy, "folds": plan.folds, "scoring": plan.scoring,
        "rows_train": int((~parts.in_holdout).sum()), "rows_holdout": int(parts.in_holdout.sum()),
        "random_state": RANDOM_STATE,
        "holdout_by": parts.rule.by, "holdout_share": parts.rule.share, "task": parts.task.name,
        "classes": ", ".join(parts.task.classes)[:500],
    }  # fmt: skip
    if parts.rule.start is not None:
        params["holdout_from"] = parts.rule.start.isoformat()
    client.log_batch(run.info.run_id, params=[Param(name, str(value)) for name, value in params.items()])
    tracking.log_input(
        client, run.info.run_id, dataset.name, training_set.sha256, training_set.uri, {"num_rows": len(parts.labels)}
    )
    return run


def _log_leaks(parent: Run, parts: Split) -> dict[str, float]:
    leaks = suspected_leaks(*parts.train(), type(parts.task))
    for column, score in leaks.items():
        log.warning(
            "%s alone reveals the label (%.2f): if it is known only with the label, list it under `leaks`",
            column, score,
        )  # fmt: skip
    text = json.dumps({column: round(score, 4) for column, score in leaks.items()})[: mlflow_client.TEXT_LIMIT]
    mlflow_client.set_tags(mlflow_client.connect(), parent.info.run_id, {"suspected_leaks": text})
    return leaks


def _results(parent: Run, plan: SearchPlan, parts: Split, folds: Folds) -> list[CandidateResult]:
    client, run_id = mlflow_client.connect(), parent.info.run_id
    logged = tracking.logged_results(client, parent)
    if logged:
        log.info("%d candidates are already logged and are not fitted again", len(logged))
    watch = Stopwatch(max((result.elapsed for result in logged.values()), default=0.0))
    results, kept = list[CandidateResult](), ensembling.KeptOutputs(plan.scoring)
    tracking.log_counts(client, run_id, plan.total, results)
    singles = map(kept.add, strategies.results(plan, parts, folds, logged, watch))
    for result in chain(singles, ensembling.results(plan, parts, folds, kept, logged)):
        if result.candidate.id in logged:
            results.append(result)
            continue
        results.append(replace(result, elapsed=watch.seconds()))
        tracking.log_candidate(client, parent, results[-1])
        tracking.log_counts(client, run_id, plan.total, results)
        log_progress(len(results), plan.total, result, plan.scoring)
    tracking.log_counts(client, run_id, len(results), results)
    return results


def _log_choice(name: str, parent: Run, results: list[CandidateResult], plan: SearchPlan) -> CandidateResult:
    scoring = plan.scoring
    chosen = choose(results, order_of(plan, results), scoring)
    if chosen is None:
        errors = [(result.candidate, result.error or f"no {scoring}") for result in results]
        reasons = "; ".join(f"{candidate}: {error.splitlines()[-1]}" for candidate, error in errors)
        raise DegenerateDataError(f"{name}: none of {len(results)} candidates could be fitted: {reasons}")
    client, run_id, best_first = mlflow_client.connect(), parent.info.run_id, rank(results, scoring)
    best = best_first[0]
    chart = charts.candidates(
        [str(result.candidate) for result in best_first],
        [result.means[scoring] for result in best_first],
        [result.sds[scoring] for result in best_first],
        scoring,
        chosen=best_first.index(chosen),
    )
    mlflow_client.log_charts(
        client, run_id, {"candidates": chart, "best_over_time": _best_over_time(best_first, scoring)}
    )
    mlflow_client.set_tags(
        client, run_id, {"best_candidate": str(best.candidate), "chosen_candidate": str(chosen.candidate)}
    )
    figures = {"best": best, "chosen": chosen}
    mlflow_client.log_metrics(
        client, run_id,
        {f"{which}_cv_{metric}": mean for which, result in figures.items() for metric, mean in result.means.items()},
    )  # fmt: skip
    log.info("best of %d candidates: %s, %s %.3f", len(results), best.candidate, scoring, best.means[scoring])
    if chosen is not best:
        log.info(
            "chosen, because it is simpler and within one standard error of the best: %s, %s %.3f",
            chosen.candidate, scoring, chosen.means[scoring],
        )  # fmt: skip
    return chosen


def _best_over_time(results: list[CandidateResult], scoring: Metric) -> "Figure":
    by_time = sorted(results, key=lambda result: result.elapsed)
    best = accumulate(by_time, lambda *pair: max(pair, key=lambda result: result.score(scoring)))
    return best_over_time(
        [result.elapsed for result in by_time],
        [result.means[scoring] for result in by_time],
        [result.means[scoring] for result in best],
        scoring,
    )


def refit(training_set: TrainingSet, search_result: SearchResult) -> Challenger:
    """Fit the chosen candidate on all rows outside the hold-out, calibrate, evaluate and register it.

    Threshold or interval are chosen out of fold. The new version gets the alias `challenger`.

    Args:
        training_set: the one of the search.
        search_result: the result of `search`.

    Raises:
        DegenerateDataError: the data cannot train a model, or it predicts the same for every row.
    """
    name, candidate = training_set.dataset.name, Candidate(*search_result.candidate)
    parts = split(training_set, search_result.folds)
    client = mlflow_client.connect()
    run = client.get_run(search_result.run_id)
    version = registry.version_of_run(name, search_result.run_id, candidate.id)
    if version is None:
        with mlflow_client.running(client, search_result.run_id), own_workers():
            version = _fit_and_register(run, training_set, parts, candidate, search_result)
    logs.bind(model=int(version.version))
    registry.set_alias(name, registry.CHALLENGER, int(version.version))
    return Challenger(
        run_id=search_result.run_id,
        url=mlflow_client.run_url(run),
        name=name,
        version=int(version.version),
        threshold=version_tags.read_threshold(version.tags),
        metrics=json.loads(version.tags["holdout_metrics"]),
        search=search_result,
    )


def _fit_and_register(
    run: Run, training_set: TrainingSet, parts: Split, candidate: Candidate, search_result: SearchResult
) -> ModelVersion:
    dataset = training_set.dataset
    log.info("fitting %s on %s rows outside the hold-out", candidate, f"{int((~parts.in_holdout).sum()):,}")
    calibration = calibrate(candidate, parts, search_result.folds, search_result.jobs)
    model = fit(candidate, parts, search_result.folds, search_result.jobs, calibration)
    rows = parts.holdout_rows()
    report = holdout_report(model, rows, calibration, uncalibrated(model) if calibration.method else None)
    report = replace(report, groups=group_reports(report, parts))
    for one in report.groups:
        log.info("%s", sentence(one))
    tracking.log_holdout_report(mlflow_client.connect(), run.info.run_id, report)
    intervals = metric_intervals(report.task, rows.labels, outputs_in(report.predictions))
    tracking.log_model_card(
        run.info.run_id,
        ModelCard(
            training_set=training_set, parts=parts, candidate=candidate, search=search_result, report=report,
            intervals=intervals, run_url=mlflow_client.run_url(run),
            trained=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        ).texts(),
    )  # fmt: skip
    tags = {
        "candidate_id": candidate.id, "candidate": str(candidate), "training_set_sha256": training_set.sha256,
        "holdout_metrics": json.dumps(report.metrics), "model_card": tracking.model_card_page(run),
        "holdout_intervals": json.dumps({name: [one.low, one.high] for name, one in intervals.items()}),
        "calibration": calibration.method or "none", "git_commit": run.data.tags.get(MLFLOW_GIT_COMMIT, "unknown"),
        **version_tags.required_tags(calibration.task, parts.rule),
    }  # fmt: skip
    version = registry.register(run, dataset, model, rows.features.head(3), tags)
    log.info(
        "%s version %s: %s; on %s rows of the hold-out",
        dataset.name, version.version, calibration.task.summary(report.metrics), f"{len(rows.labels):,}",
    )  # fmt: skip
    return version
