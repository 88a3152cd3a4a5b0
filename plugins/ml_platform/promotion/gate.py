"""The gate: a challenger goes live only if it loads, predicts as at its training, and beats the champion."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray

from ml_platform.evaluation.bootstrap import interval
from ml_platform.evaluation.holdout_report import HoldoutRows
from ml_platform.evaluation.task import Outputs
from ml_platform.exceptions import RegistryError
from ml_platform.promotion import smoke_test
from ml_platform.promotion.decision import Comparison, Decision, decide
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.parts import Gate

MIN_ROWS = 5  # per class, in no training set of the two: with fewer, a single row would decide
Gains = NDArray[np.float64]


@dataclass(frozen=True)
class GateOutcome:
    """A decision, and the resampled gains behind its interval, shape (n_resamples,); None if nothing was compared."""

    decision: Decision
    gains: Gains | None = None


def evaluate(
    version: ModelVersion, champion: ModelVersion | None, rows: HoldoutRows, expected: Outputs, rule: Gate
) -> GateOutcome:
    """Decide about a challenger: it must pass the smoke test and be significantly better than the current champion.

    Args:
        version: of the challenger.
        champion: the version that is live; None if there is none.
        rows: the challenger's hold-out.
        expected: outputs of the challenger for these rows at its training.
        rule: the gate's part of the spec.
    """
    comparison, gains = compare(version, champion, rows, expected, rule.confidence)
    return GateOutcome(decide(comparison, rule), gains)


def compare(
    version: ModelVersion, champion: ModelVersion | None, rows: HoldoutRows, expected: Outputs, confidence: float
) -> tuple[Comparison, Gains | None]:
    """Measure a challenger and the champion on the rows in both hold-outs; see `evaluate` for the arguments.

    Returns:
        The comparison, and the resampled gains if both were measured.
    """
    task = rows.task
    facts = Comparison(int(version.version), int(champion.version) if champion else None, metric=task.gate_metric)
    try:
        smoke_test.check(version, rows.features, expected)
        challenger = registry.load(version)
        outputs, _ = challenger.predict(rows.features)
    except RegistryError as error:
        return replace(facts, challenger_problem=str(error)), None
    facts = replace(facts, unskilled=challenger.task.unskilled(rows.labels, outputs))
    alone = replace(facts, rows=len(rows.labels), challenger_score=challenger.task.gate_score(rows.labels, outputs))
    if champion is None:
        return alone, None
    try:
        live = registry.load_recorded(champion)  # so that an edited tag does not end the comparison
        _check_same_target(challenger, live)
    except RegistryError as error:
        return replace(alone, champion_problem=str(error)), None
    common = rows.where(live.holdout.mask(rows.ids, rows.times))
    facts = replace(facts, rows=len(common.labels))
    if too_few := task.too_few(common.labels, MIN_ROWS):
        return replace(facts, not_comparable=f"in both hold-outs: {too_few}"), None
    try:
        theirs, _ = live.predict(common.all_columns())
    except RegistryError as error:
        return replace(facts, not_comparable=str(error)), None
    ours, _ = challenger.predict(common.features)
    gains = challenger.task.resampled_gains(common.labels, ours, theirs, live.task)
    bounds = interval(gains, confidence)
    comparison = replace(
        facts,
        challenger_score=challenger.task.gate_score(common.labels, ours),
        champion_score=live.task.gate_score(common.labels, theirs),
        gain_low=bounds.low,
        gain_high=bounds.high,
    )
    return comparison, gains


def _check_same_target(challenger: LoadedModel, champion: LoadedModel) -> None:
    ours, theirs = _target(challenger), _target(champion)
    if changed := [field for field, value in ours.items() if value != theirs[field]]:
        raise RegistryError(f"it was trained for another {' and '.join(changed)}")


def _target(model: LoadedModel) -> dict[str, Any]:
    """Return the parts of the spec that must be equal in two models. If not, their metrics cannot be compared."""
    spec = model.dataset
    label = (spec.label.column, spec.label.positive, spec.label.classes, spec.label.kind)
    return {"label": label, "key": spec.keys, "event time": spec.event_time}
