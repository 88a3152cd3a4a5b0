"""The last step of a training: decide whether the new model goes live, and write the training card."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ml_platform import gate, tracking
from ml_platform.candidates import Candidate
from ml_platform.judging import predicted
from ml_platform.split import split
from ml_platform.training_set import TrainingSet


def promote(training_set: TrainingSet, refitted: Mapping[str, Any]) -> dict[str, Any]:
    """Let a new version go live if it is fit and better than the champion, and write the training card.

    Args:
        training_set: the one that it was trained on.
        refitted: what `refit` returned.

    Returns:
        The card: the fields of `gate.Decision`, `promoted` (bool), and what was tried and trained.
    """
    name, run_id = refitted["name"], refitted["run_id"]
    mlflow = tracking.client()
    version = mlflow.get_model_version(name, str(refitted["version"]))
    parts = split(training_set, refitted["search"]["folds"])
    with tracking.running(mlflow, run_id):
        rows = gate.Holdout(parts.ids[parts.held], parts.times[parts.held], *parts.test(), predicted(run_id))
        decision = gate.promote(version, rows, training_set.dataset.gate)
        card = _card(training_set, refitted, decision)
        mlflow.log_dict(run_id, card, "training_card.json")
        tracking.set_tags(
            mlflow, run_id, {"decision": decision.decision, "reason": decision.reason, "model_version": version.version}
        )
        if decision.champion_f1 is not None:
            tracking.log_metrics(mlflow, run_id, {"champion_f1": decision.champion_f1})
    return card


def _card(training_set: TrainingSet, refitted: Mapping[str, Any], decision: gate.Decision) -> dict[str, Any]:
    searched = refitted["search"]
    return {
        "model": refitted["name"], **asdict(decision), "promoted": decision.decision == "promoted",
        "metrics": refitted["metrics"], "threshold": refitted["threshold"],
        "best_candidate": str(Candidate(*searched["candidate"])), "candidate": searched["candidate"],
        "candidates_tried": searched["total"], "candidates_failed": searched["failed"],
        "scoring": searched["scoring"], "cv_score": searched["score"], "cv_score_sd": searched["score_sd"],
        "suspected_leaks": searched["suspected_leaks"],
        "training_set": training_set.uri, "training_set_sha256": training_set.sha256, "sources": training_set.sources,
        "run_id": refitted["run_id"], "url": refitted["url"],
    }  # fmt: skip
