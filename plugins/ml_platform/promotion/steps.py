"""The last steps of a training: judge the new model, and let it go live; between them a person may be asked."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from mlflow.entities.model_registry import ModelVersion

from ml_platform.evaluation.holdout_report import predicted
from ml_platform.promotion import alias_log, decisions, gate, gate_card
from ml_platform.promotion.alias_log import Movement
from ml_platform.promotion.approval import Answer, with_answer
from ml_platform.promotion.gate import Decision, Holdout, Judgement
from ml_platform.registry import registry
from ml_platform.specs.parts import Gate
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock
from ml_platform.training import tracking
from ml_platform.training.candidates import Candidate
from ml_platform.training.split import split
from ml_platform.training.training_set import TrainingSet

log = logging.getLogger(__name__)


def judge(training_set: TrainingSet, refitted: Mapping[str, Any], *, by: str = "code") -> dict[str, Any] | None:
    """Judge a new version, and write down that it is not to go live; if it is, `promote` has the last word.

    Args:
        training_set: the one that it was trained on.
        refitted: what `refit` returned.
        by: who started the training.

    Returns:
        Of a version that won: `decision` (the fields of `gate.Decision`), and `subject` and `body` (Markdown) for the
        person who is asked. None of one that lost, or that was decided about before.
    """
    rule = training_set.dataset.gate
    with _at_the_gate(training_set, refitted) as (version, rows), promotion_lock(version.name) as check_lock:
        alias_log.notice(version.name)
        decision = decisions.settled(version)
        if decision is None:
            judgement = gate.judge(version, _champion(version.name), rows, rule)
            decision = judgement.decision
            won = decision.decision == "promoted"
            is_open = won and rule.approval
            gate_card.log_card(version.name, str(version.run_id), judgement, is_open=is_open)
            if won:
                log.info("%s", gate_card.card(version.name, decision, is_open=is_open))
                question = gate_card.question(version.name, decision, rule, refitted["url"])
                return {"decision": asdict(decision), **question}
            check_lock()
            _write_down(version, decision, by)
        _tell(training_set, refitted, version, decision)
        return None


def promote(
    training_set: TrainingSet,
    refitted: Mapping[str, Any],
    *,
    by: str = "code",
    judged: Mapping[str, Any] | None = None,
    answer: Answer | None = None,
) -> dict[str, Any]:
    """Let a new version go live if it is fit and better than the champion of this moment, and write the training card.

    One promotion of a model runs at a time. A judgement holds as long as the champion is the one that it was made
    against; else the version is judged again. Run again for the same version, it returns what it decided; the aliases
    do not move a second time, so a rollback in between is not undone. Killed before the alias moved, it judges anew.

    Args:
        training_set: the one that it was trained on.
        refitted: what `refit` returned.
        by: who started the training; it goes into the history.
        judged: what `judge` returned; the version is judged now if not given.
        answer: of the person who was asked; None if nobody was.

    Returns:
        The card: the fields of `gate.Decision`, `promoted` (bool), and what was tried and trained.

    Raises:
        ConfigurationError: the data set's spec wants an approval, and nobody was asked.
        ServiceError: somebody moved the alias in MLflow while the version was judged; tried again, it is judged anew.
    """
    rule = training_set.dataset.gate
    with _at_the_gate(training_set, refitted) as (version, rows):
        with promotion_lock(version.name) as check_lock:
            alias_log.notice(version.name)
            decision = decisions.settled(version)
            if decision is None:
                judgement = _judgement(version, rows, rule, judged, answer)
                decision = with_answer(judgement.decision, answer, rule, version.name)
                gate_card.log_card(version.name, str(version.run_id), replace(judgement, decision=decision))
                check_lock()
                _write_down(version, decision, by, answer)
        return _tell(training_set, refitted, version, decision)


@contextmanager
def _at_the_gate(training_set: TrainingSet, refitted: Mapping[str, Any]) -> Iterator[tuple[ModelVersion, Holdout]]:
    mlflow, run_id = tracking.client(), refitted["run_id"]
    version = mlflow.get_model_version(refitted["name"], str(refitted["version"]))
    parts = split(training_set, refitted["search"]["folds"])
    with tracking.running(mlflow, run_id):
        yield version, Holdout(parts.ids[parts.held], parts.times[parts.held], *parts.test(), predicted(run_id))


def _champion(name: str) -> ModelVersion | None:
    return registry.alias_version(name, registry.CHAMPION)


def _judgement(
    version: ModelVersion, rows: Holdout, rule: Gate, judged: Mapping[str, Any] | None, answer: Answer | None
) -> Judgement:
    champion = _champion(version.name)
    if judged is not None:
        decision = Decision(**judged["decision"])
        is_refused = answer is not None and not answer.approved
        if is_refused or decision.champion_before == (int(champion.version) if champion else None):
            return Judgement(decision)
        log.info("%s: another champion is live since version %s was judged", version.name, version.version)
    return gate.judge(version, champion, rows, rule)


def _write_down(version: ModelVersion, decision: Decision, by: str, answer: Answer | None = None) -> None:
    movement = None
    with database.transaction() as cursor:
        decision_id = decisions.record(cursor, version, decision, by, answer)
        if decision.decision == "promoted":
            before, after = decision.champion_before, decision.version
            movement = Movement(version.name, before, after, by, "gate", decision.reason, decision_id=decision_id)
            alias_log.begin(cursor, movement)
    if movement:
        alias_log.finish(movement)


def _tell(
    training_set: TrainingSet, refitted: Mapping[str, Any], version: ModelVersion, decision: Decision
) -> dict[str, Any]:
    """Write into the log and into MLflow what was decided, and return the training card."""
    log.info("%s", gate_card.card(version.name, decision))
    mlflow, run_id = tracking.client(), refitted["run_id"]
    _tag(version, decision)
    card = _card(training_set, refitted, decision)
    mlflow.log_dict(run_id, card, "training_card.json")
    tracking.set_tags(
        mlflow, run_id, {"decision": decision.decision, "reason": decision.reason, "model_version": version.version}
    )
    if decision.champion_f1 is not None:
        tracking.log_metrics(mlflow, run_id, {"champion_f1": decision.champion_f1})
    return card


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
