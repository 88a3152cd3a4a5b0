"""The gate: a challenger goes live only if it loads, predicts as at its training, and beats the champion."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray

from ml_platform.evaluation.holdout_report import HoldoutRows
from ml_platform.evaluation.metrics import Labels, Probabilities, f1
from ml_platform.exceptions import RegistryError
from ml_platform.promotion import smoke_test
from ml_platform.promotion.bootstrap import interval, resampled_gains
from ml_platform.promotion.decision import Comparison, Decision, decide
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.parts import Gate

MIN_ROWS = 5  # per class, in no training set of the two: with fewer, a single row would decide
Prediction = tuple[Probabilities, Labels]
Gains = NDArray[np.float64]


@dataclass(frozen=True)
class GateOutcome:
    """A decision, and the resampled gains behind its interval, shape (n_resamples,); None if nothing was compared."""

    decision: Decision
    gains: Gains | None = None


def evaluate(
    version: ModelVersion, champion: ModelVersion | None, rows: HoldoutRows, expected: Probabilities, rule: Gate
) -> GateOutcome:
    """Decide about a challenger: it must pass the smoke test and be significantly better than the current champion.

    Args:
        version: of the challenger.
        champion: the version that is live; None if there is none.
        rows: the challenger's hold-out.
        expected: probabilities that the challenger gave to these rows at its training, shape (n_rows,), or with several
            classes (n_rows, n_classes).
        rule: the gate's part of the spec.
    """
    comparison, gains = compare(version, champion, rows, expected, rule.confidence)
    return GateOutcome(decide(comparison, rule), gains)


def compare(
    version: ModelVersion, champion: ModelVersion | None, rows: HoldoutRows, expected: Probabilities, confidence: float
) -> tuple[Comparison, Gains | None]:
    """Measure a challenger and the champion on the rows in both hold-outs; see `evaluate` for the arguments.

    Returns:
        The comparison, and the resampled gains if both were measured.
    """
    facts = Comparison(int(version.version), int(champion.version) if champion else None)
    try:
        smoke_test.check(version, rows.features, expected)
        challenger = registry.load(version)
        alone = replace(facts, rows=len(rows.labels), challenger_f1=_f1(rows.labels, challenger.predict(rows.features)))
    except RegistryError as error:
        return replace(facts, challenger_problem=str(error)), None
    if champion is None:
        return alone, None
    try:
        live = registry.load_recorded(champion)  # so that an edited tag does not end the comparison
        _check_same_target(challenger, live)
    except RegistryError as error:
        return replace(alone, champion_problem=str(error)), None
    common = rows.where(live.holdout.mask(rows.ids, rows.times))
    facts = replace(facts, rows=len(common.labels))
    if too_few := _too_few_rows(challenger, common):
        return replace(facts, not_comparable=too_few), None
    try:
        theirs = live.predict(common.features)
    except RegistryError as error:
        return replace(facts, not_comparable=str(error)), None
    return _with_gains(facts, common.labels, challenger.predict(common.features), theirs, confidence)


def _with_gains(
    facts: Comparison, labels: Labels, ours: Prediction, theirs: Prediction, confidence: float
) -> tuple[Comparison, Gains]:
    n_classes = ours[0].shape[1] if ours[0].ndim == 2 else 2
    gains = resampled_gains(labels, ours[1], theirs[1], n_classes)
    bounds = interval(gains, confidence)
    comparison = replace(
        facts,
        challenger_f1=_f1(labels, ours),
        champion_f1=_f1(labels, theirs),
        gain_low=bounds.low,
        gain_high=bounds.high,
    )
    return comparison, gains


def _check_same_target(challenger: LoadedModel, champion: LoadedModel) -> None:
    ours, theirs = _target(challenger), _target(champion)
    if changed := [field for field, value in ours.items() if value != theirs[field]]:
        raise RegistryError(f"it was trained for another {' and '.join(changed)}")


def _target(model: LoadedModel) -> dict[str, Any]:
    """Return the parts of the spec that must be equal in two models. If not, their F1 cannot be compared."""
    spec = model.dataset
    label = (spec.label.column, spec.label.positive, spec.label.classes)
    return {"label": label, "key": spec.keys, "event time": spec.event_time}


def _too_few_rows(challenger: LoadedModel, common: HoldoutRows) -> str | None:
    counts = np.bincount(common.labels, minlength=len(challenger.classes))
    if counts.min() >= MIN_ROWS:
        return None
    each = ", ".join(f"{count:,} of {name!r}" for name, count in zip(challenger.classes, counts, strict=True))
    return f"in both hold-outs there are {each}; {MIN_ROWS} of each class are needed"


def _f1(labels: Labels, prediction: Prediction) -> float:
    return f1(labels, *prediction)
