"""The last steps of a training: the gate and the promotion. A person may be asked between them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

from mlflow.entities.model_registry import ModelVersion

from ml_platform import logs
from ml_platform.evaluation.holdout_report import HoldoutRows
from ml_platform.evaluation.task import Outputs
from ml_platform.promotion import alias_log, decisions, gate, gate_card
from ml_platform.promotion.alias_log import AliasChange
from ml_platform.promotion.approval import Answer, with_answer
from ml_platform.promotion.decision import Decision
from ml_platform.promotion.gate import GateOutcome
from ml_platform.promotion.results import GateResult, TrainingCard
from ml_platform.promotion.training_card import log_card, training_card
from ml_platform.registry import registry
from ml_platform.specs.parts import Gate
from ml_platform.storage import database, mlflow_client
from ml_platform.storage.locks import promotion_lock
from ml_platform.training import tracking
from ml_platform.training.results import Challenger
from ml_platform.training.split import split
from ml_platform.training.training_set import TrainingSet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Contender:
    """A challenger at the gate: its version, its hold-out, its outputs at training, and the rule."""

    version: ModelVersion
    rows: HoldoutRows
    expected: Outputs
    rule: Gate

    def evaluate(self) -> GateOutcome:
        """Compare it with the current champion."""
        return gate.evaluate(self.version, _champion(self.version.name), self.rows, self.expected, self.rule)


def run_gate(training_set: TrainingSet, challenger: Challenger, *, by: str = "code") -> GateResult | None:
    """Evaluate a challenger. If it fails, record the decision; if it passes, `promote` decides finally.

    Args:
        training_set: its training set.
        challenger: what `refit` returned.
        by: the user or DAG that started the training.

    Returns:
        The decision and the question to a person; None if the challenger failed, or was decided about before.
    """
    with _contender(training_set, challenger) as contender, promotion_lock(challenger.name) as check_lock:
        version, rule = contender.version, contender.rule
        alias_log.reconcile(version.name)
        decision = decisions.final_decision(version)
        if decision is None:
            outcome = contender.evaluate()
            decision = outcome.decision
            is_open = decision.is_promoted and rule.approval
            gate_card.log_card(version.name, str(version.run_id), outcome, is_open=is_open)
            if decision.is_promoted:
                log.info("%s", gate_card.card(version.name, decision, is_open=is_open))
                card_page = version.tags.get("model_card")
                question = gate_card.question(
                    version.name, decision, rule, url=challenger.url,
                    card_url=mlflow_client.page_url(card_page) if card_page else None,
                )  # fmt: skip
                return GateResult(decision, question.subject, question.body)
            check_lock()
            _record(version, decision, by)
        _publish(training_set, challenger, version, decision)
        return None


def promote(
    training_set: TrainingSet,
    challenger: Challenger,
    *,
    by: str = "code",
    gate_result: GateResult | None = None,
    answer: Answer | None = None,
) -> TrainingCard:
    """Make a challenger the champion if the gate and, where required, a person agree. Log the training card.

    Only one promotion of a model runs at a time. A decision of the gate is valid as long as the champion is the same;
    otherwise the challenger is evaluated again. The function is idempotent: for a challenger that was decided about, it
    returns the same card and moves no alias, so it does not undo a rollback in between. If it is killed before the
    alias moves, the next call evaluates again.

    Args:
        training_set: its training set.
        challenger: what `refit` returned.
        by: the user or DAG that started the training; it is recorded in the history.
        gate_result: what `run_gate` returned; if not given, the challenger is evaluated now.
        answer: of the person who was asked; None if nobody was.

    Raises:
        ConfigurationError: the spec requires an approval, and nobody was asked.
        ServiceError: the alias was moved in MLflow during the evaluation. A retry evaluates again.
    """
    with _contender(training_set, challenger) as contender:
        version, rule = contender.version, contender.rule
        with promotion_lock(version.name) as check_lock:
            alias_log.reconcile(version.name)
            decision = decisions.final_decision(version)
            if decision is None:
                outcome = _valid_outcome(gate_result, answer, version) or contender.evaluate()
                decision = with_answer(outcome.decision, answer, rule, version.name)
                gate_card.log_card(version.name, str(version.run_id), replace(outcome, decision=decision))
                check_lock()
                _record(version, decision, by, answer)
        return _publish(training_set, challenger, version, decision)


def keep(training_set: TrainingSet, challenger: Challenger, decision: Decision, *, by: str) -> None:
    """Record a decision against a winner of the gate, unless it was decided about before; idempotent.

    Args:
        training_set: its training set.
        challenger: what `refit` returned.
        decision: that lets the champion stay.
        by: the user or DAG that started the training.
    """
    version = registry.get_version(challenger.name, challenger.version)
    with promotion_lock(version.name) as check_lock:
        alias_log.reconcile(version.name)
        final = decisions.final_decision(version)
        if final is None:
            check_lock()
            _record(version, decision, by)
    _publish(training_set, challenger, version, final or decision)


@contextmanager
def _contender(training_set: TrainingSet, challenger: Challenger) -> Iterator[_Contender]:
    logs.bind(dataset=challenger.name, model=challenger.version)
    client = mlflow_client.connect()
    version = client.get_model_version(challenger.name, str(challenger.version))
    rows = split(training_set, challenger.search.folds).holdout_rows()
    with mlflow_client.running(client, challenger.run_id):
        expected = tracking.holdout_outputs(challenger.run_id)
        yield _Contender(version, rows, expected, training_set.dataset.gate)


def _champion(name: str) -> ModelVersion | None:
    return registry.live_version(name)


def _valid_outcome(gate_result: GateResult | None, answer: Answer | None, version: ModelVersion) -> GateOutcome | None:
    """Return the gate's decision; None if another champion is live now. A rejection is valid with any champion."""
    if gate_result is None:
        return None
    champion = _champion(version.name)
    is_rejected = answer is not None and not answer.approved
    if is_rejected or gate_result.decision.champion_before == (int(champion.version) if champion else None):
        return GateOutcome(gate_result.decision)
    log.info("%s: another champion is live than when version %s was evaluated", version.name, version.version)
    return None


def _record(version: ModelVersion, decision: Decision, by: str, answer: Answer | None = None) -> None:
    change = None
    with database.transaction() as cursor:
        decision_id = decisions.record(cursor, version, decision, by, answer)
        if decision.is_promoted:
            before, after = decision.champion_before, decision.version
            change = AliasChange(version.name, before, after, by, "gate", decision.reason, decision_id=decision_id)
            alias_log.record_intent(cursor, change)
    if change:
        alias_log.apply(change)


def _publish(
    training_set: TrainingSet, challenger: Challenger, version: ModelVersion, decision: Decision
) -> TrainingCard:
    """Write the decision into the log and into MLflow, and return the training card."""
    log.info("%s", gate_card.card(version.name, decision))
    client = mlflow_client.connect()
    _tag(version, decision)
    card = training_card(training_set, challenger, decision)
    log_card(card)
    tags = {"decision": decision.decision, "reason": decision.reason, "model_version": version.version}
    mlflow_client.set_tags(client, challenger.run_id, tags)
    if decision.champion_score is not None:
        mlflow_client.log_metrics(client, challenger.run_id, {f"champion_{decision.metric}": decision.champion_score})
    return card


def _tag(version: ModelVersion, decision: Decision) -> None:
    figures = {field: value for field, value in asdict(decision).items() if field != "version" and value is not None}
    for field, value in figures.items():
        tag = field if field == "decision" else f"decision_{field}"
        text = str(value)[: mlflow_client.TEXT_LIMIT]
        mlflow_client.connect().set_model_version_tag(version.name, version.version, tag, text)
    decided = {"decision": decision.decision, "decision_reason": decision.reason}
    registry.describe(version, {**version.tags, **decided})
