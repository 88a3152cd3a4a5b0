"""The last step of a training: decide whether the new model goes live, and write the training card."""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from mlflow.entities.model_registry import ModelVersion

from ml_platform import database, decisions, gate, gate_card, movements, registry, tracking
from ml_platform.candidates import Candidate
from ml_platform.gate import Decision, Holdout
from ml_platform.judging import predicted
from ml_platform.locks import promotion_lock
from ml_platform.movements import Movement
from ml_platform.spec_parts import Gate
from ml_platform.split import split
from ml_platform.training_set import TrainingSet

log = logging.getLogger(__name__)


def promote(training_set: TrainingSet, refitted: Mapping[str, Any], *, by: str = "code") -> dict[str, Any]:
    """Let a new version go live if it is fit and better than the champion, and write the training card.

    Args:
        training_set: the one that it was trained on.
        refitted: what `refit` returned.
        by: who started the training; it goes into the history.

    Returns:
        The card: the fields of `gate.Decision`, `promoted` (bool), and what was tried and trained.
    """
    name, run_id = refitted["name"], refitted["run_id"]
    mlflow = tracking.client()
    version = mlflow.get_model_version(name, str(refitted["version"]))
    parts = split(training_set, refitted["search"]["folds"])
    with tracking.running(mlflow, run_id):
        rows = Holdout(parts.ids[parts.held], parts.times[parts.held], *parts.test(), predicted(run_id))
        decision = decided(version, rows, training_set.dataset.gate, by=by)
        _tag(version, decision)
        card = _card(training_set, refitted, decision)
        mlflow.log_dict(run_id, card, "training_card.json")
        tracking.set_tags(
            mlflow, run_id, {"decision": decision.decision, "reason": decision.reason, "model_version": version.version}
        )
        if decision.champion_f1 is not None:
            tracking.log_metrics(mlflow, run_id, {"champion_f1": decision.champion_f1})
    return card


def decided(version: ModelVersion, rows: Holdout, rule: Gate, *, by: str) -> Decision:
    """Judge a challenger against the champion of this moment, write the decision down, and move the aliases if it wins.

    One promotion of a model runs at a time. Run again for the same version, it returns what it decided; the aliases
    do not move a second time, so a rollback in between is not undone. Killed before the alias moved, it judges anew.
    """
    name = version.name
    with promotion_lock(name) as check_lock:
        movements.notice(name)
        decision = decisions.settled(version)
        if decision is None:
            judgement = gate.judge(version, registry.alias_version(name, registry.CHAMPION), rows, rule)
            decision = judgement.decision
            gate_card.log_card(name, str(version.run_id), judgement)
            check_lock()
            _write_down(version, decision, by)
    log.info("%s", gate_card.card(name, decision))
    return decision


def _write_down(version: ModelVersion, decision: Decision, by: str) -> None:
    movement = None
    with database.transaction() as cursor:
        decision_id = decisions.record(cursor, version, decision, by)
        if decision.decision == "promoted":
            before, after = decision.champion_before, decision.version
            movement = Movement(version.name, before, after, by, "gate", decision.reason, decision_id=decision_id)
            movements.begin(cursor, movement)
    if movement:
        movements.finish(movement)


def _tag(version: ModelVersion, decision: Decision) -> None:
    figures = {field: value for field, value in asdict(decision).items() if field != "version" and value is not None}
    for field, value in figures.items():
        tag = field if field == "decision" else f"decision_{field}"
        tracking.client().set_model_version_tag(version.name, version.version, tag, str(value)[: tracking.TEXT_LIMIT])


def _card(training_set: TrainingSet, refitted: Mapping[str, Any], decision: Decision) -> dict[str, Any]:
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
