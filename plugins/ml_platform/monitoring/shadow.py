"""A winner of the gate in shadow: it scores the files of the champion, into a log only; then the truth decides."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from mlflow.entities.model_registry import ModelVersion

from ml_platform.evaluation.bootstrap import interval
from ml_platform.exceptions import ContractError, RegistryError
from ml_platform.monitoring import shadow_records, shadow_scoring, shadow_truth
from ml_platform.monitoring.shadow_records import Shadow
from ml_platform.promotion import decisions, steps
from ml_platform.promotion.decision import Comparison, Decision, decide, with_verdict
from ml_platform.promotion.gate import MIN_ROWS
from ml_platform.promotion.results import GateResult
from ml_platform.registry import registry
from ml_platform.specs import shadow as specs
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.spec import Dataset
from ml_platform.training.results import Challenger
from ml_platform.training.training_set import TrainingSet

log = logging.getLogger(__name__)


def is_needed(result: GateResult) -> bool:
    """Return whether a challenger must be in shadow: not if no champion can score beside it."""
    return result.decision.champion_score is not None


def look(dataset: Dataset, rule: specs.Shadow, challenger: Challenger, result: GateResult) -> bool:
    """Score new files in shadow, and return whether it can be decided; idempotent.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        rule: its part on shadows.
        challenger: a winner of the gate.
        result: what the gate decided.

    Raises:
        ServiceError, MlflowException: a server failed; run it again.
    """
    champion = result.decision.champion_before
    if not is_needed(result) or champion is None:
        return True
    version = registry.get_version(challenger.name, challenger.version)
    shadow = shadow_records.begin(version, champion, timedelta_of(rule.within))
    if shadow is None or shadow.problem or _live(version.name) != champion:
        return True
    registry.set_alias(version.name, shadow_records.ALIAS, shadow.version)
    try:
        shadow_scoring.score_new(dataset, version, shadow)
    except (RegistryError, ContractError) as error:
        log.warning("version %d is dropped: %s", shadow.version, error)
        shadow_records.drop(shadow, str(error))
        return True
    known, end = shadow_truth.count(dataset, shadow), shadow.began_at + timedelta_of(rule.within)
    log.info("version %d: %s of %s rows have a truth; it lasts until %s", shadow.version, known, rule.rows, end)
    return known >= rule.rows or datetime.now(UTC) >= end


def compare(training_set: TrainingSet, challenger: Challenger, result: GateResult, *, by: str) -> GateResult | None:
    """Decide about a challenger after its shadow; a decision against it is recorded.

    Args:
        training_set: of the challenger; its spec has the rule of the gate.
        challenger: a winner of the gate.
        result: what the gate decided.
        by: the user or DAG that started the training.

    Returns:
        The decision on the truth, and the question to a person; the gate's own if there was nothing to compare with.
        None if the champion stays.

    Raises:
        ServiceError, MlflowException: a server failed; run it again.
    """
    if not is_needed(result):
        return result
    version = registry.get_version(challenger.name, challenger.version)
    if decisions.final_decision(version):
        return None
    shadow = shadow_records.find(version)
    decision = _decide(training_set.dataset, version, shadow, result.decision)
    if not decision.is_promoted:
        steps.keep(training_set, challenger, decision, by=by)
    if shadow:
        shadow_records.end(shadow, decision.reason)
        registry.remove_alias(version.name, shadow_records.ALIAS)
    log.info("%s", decision.reason)
    body = f"**In shadow**: {decision.reason}.\n\nAt the gate:\n\n{result.body}"
    return replace(result, decision=decision, body=body) if decision.is_promoted else None


def _decide(dataset: Dataset, version: ModelVersion, shadow: Shadow | None, gate: Decision) -> Decision:
    if shadow is None:
        return with_verdict(gate, "kept", f"another version was in shadow when version {gate.version} had won the gate")
    if shadow.problem:
        return with_verdict(gate, "refused", f"version {gate.version} was dropped in shadow: {shadow.problem}")
    if (live := _live(version.name)) != shadow.champion:
        return with_verdict(gate, "kept", f"version {live} became live while version {gate.version} was in shadow")
    try:
        decision = decide(_comparison(dataset, version, shadow, dataset.gate.confidence), dataset.gate)
    except RegistryError as error:
        return with_verdict(gate, "refused", f"version {gate.version} was dropped in shadow: {error}")
    return with_verdict(decision, decision.decision, f"in shadow, {decision.reason}")


def _comparison(dataset: Dataset, version: ModelVersion, shadow: Shadow, confidence: float) -> Comparison:
    """Compare the logged predictions of both, by the paired test of the gate."""
    ours = registry.load(version).task
    theirs = registry.load_recorded(registry.get_version(version.name, shadow.champion)).task
    rows = shadow_truth.pairs(dataset, shadow, ours)
    facts = Comparison(shadow.version, shadow.champion, rows=len(rows.labels), metric=ours.gate_metric)
    if not len(rows.labels):
        return replace(facts, not_comparable="no truth has come about rows that both have scored")
    if too_few := ours.too_few(rows.labels, MIN_ROWS):
        return replace(facts, not_comparable=f"of rows with a truth that both have scored: {too_few}")
    bounds = interval(ours.resampled_gains(rows.labels, rows.ours, rows.theirs, theirs), confidence)
    return replace(
        facts,
        challenger_score=ours.gate_score(rows.labels, rows.ours),
        champion_score=theirs.gate_score(rows.labels, rows.theirs),
        gain_low=bounds.low,
        gain_high=bounds.high,
    )


def _live(name: str) -> int | None:
    live = registry.live_version(name)
    return int(live.version) if live else None
