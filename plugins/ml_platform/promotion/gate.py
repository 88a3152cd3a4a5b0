"""The gate: a challenger goes live only if it loads, predicts what it did when trained, and beats the champion."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from numpy.typing import NDArray

from ml_platform.evaluation.metrics import Labels, Probabilities, f1
from ml_platform.exceptions import RegistryError
from ml_platform.promotion import smoke_test
from ml_platform.promotion.bootstrap import interval, resampled_gains
from ml_platform.registry import registry
from ml_platform.registry.registry import ChampionModel
from ml_platform.specs.parts import Gate

MIN_ROWS = 5  # of a class, that neither model has seen: with fewer, one row more or less would decide
Verdict = Literal["promoted", "kept", "refused"]
Prediction = tuple[Probabilities, Labels]


@dataclass(frozen=True)
class Holdout:
    """The rows that the challenger was not trained on.

    Attributes:
        ids: what tells entities apart, shape (n_rows,).
        times: event times (UTC), shape (n_rows,).
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,).
        probabilities: what the challenger said of them when it was trained, shape (n_rows,), or with several classes
            (n_rows, n_classes).
    """

    ids: pd.Series
    times: pd.Series
    features: pd.DataFrame
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Decision:
    """What the gate decided, and why.

    Attributes:
        decision: promoted, kept (the champion stays) or refused (the challenger is not fit to go live).
        reason: in words, with the figures.
        version: of the challenger.
        champion_before: version that was live, None if none was.
        min_gain: by how much more than this the challenger had to be better.
        confidence: of the interval of the gain.
        rows: that it was judged on; None if it was not.
        challenger_f1: on these rows; None if it could not be judged.
        champion_f1: on the same rows; None if there is no champion or it could not be judged.
        gain_low: lower end of the interval of the gain; None if there was nothing to compare.
        gain_high: upper end.
    """

    decision: Verdict
    reason: str
    version: int
    champion_before: int | None = None
    min_gain: float = 0.0
    confidence: float = 0.9
    rows: int | None = None
    challenger_f1: float | None = None
    champion_f1: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None

    @property
    def gain(self) -> float | None:
        """By how much F1 is higher than the champion's; None if there was nothing to compare."""
        if self.challenger_f1 is None or self.champion_f1 is None:
            return None
        return self.challenger_f1 - self.champion_f1


@dataclass(frozen=True)
class Judgement:
    """A decision, and the resampled gains that its interval comes from, shape (n_resamples,), if there are any."""

    decision: Decision
    gains: NDArray[np.float64] | None = None


def decide(facts: Decision, champion_problem: str | None = None) -> Decision:
    """Fill in decision and reason from the F1 of two models on the same rows and the interval of their difference.

    The challenger must win by more than `min_gain`, and the lower end of the interval must lie above it too: a tie, a
    NaN or a doubt keeps the champion.

    Args:
        facts: versions, F1 scores and interval. A challenger with NaN or 0 is never good enough.
        champion_problem: why the champion cannot be used, if it cannot; then it gives way.
    """
    version, ours, champion, theirs = facts.version, facts.challenger_f1, facts.champion_before, facts.champion_f1
    if ours is None or not ours > 0:
        shown = None if ours is None or math.isnan(ours) else ours
        reason = f"version {version} has F1 {ours} on the hold-out: not a working model"
        return replace(facts, decision="refused", reason=reason, challenger_f1=shown)
    if champion is None:
        reason = f"version {version} is the first to go live, with F1 {ours:.4f}"
        return replace(facts, decision="promoted", reason=reason)
    if theirs is None and champion_problem is not None:
        reason = (
            f"version {version} takes over with F1 {ours:.4f}: champion {champion} cannot be used ({champion_problem})"
        )
        return replace(facts, decision="promoted", reason=reason)
    if theirs is None or math.isnan(theirs):
        return _not_compared(replace(facts, champion_f1=None), "its F1 is no number")
    return _compare(facts, f"F1 {ours:.4f} against {theirs:.4f} of champion {champion} on the same rows", ours - theirs)


def _not_compared(facts: Decision, why: str) -> Decision:
    reason = f"version {facts.version} cannot be compared with champion {facts.champion_before}: {why}"
    return replace(facts, decision="kept", reason=reason)


def _compare(facts: Decision, compared: str, gain: float) -> Decision:
    version, low, high = facts.version, facts.gain_low, facts.gain_high
    if not gain > facts.min_gain:
        reason = f"version {version} is not better by more than {facts.min_gain:g}: {compared}"
        return replace(facts, decision="kept", reason=reason)
    if low is None or high is None:
        return replace(facts, decision="kept", reason=f"version {version} may be better by chance only: {compared}")
    compared += f", a gain of {low:+.4f} to {high:+.4f} at {facts.confidence:.0%} confidence"
    if not low > facts.min_gain:
        reason = f"version {version} may be better by chance, by no more than {facts.min_gain:g}: {compared}"
        return replace(facts, decision="kept", reason=reason)
    return replace(facts, decision="promoted", reason=f"version {version} is better: {compared}")


def judge(version: ModelVersion, champion: ModelVersion | None, rows: Holdout, rule: Gate) -> Judgement:
    """Judge a challenger: does it answer, and is it better than the champion of this moment beyond chance?

    Args:
        version: of the challenger.
        champion: the version that is live, None if none is.
        rows: the challenger's hold-out.
        rule: of the data set's spec.
    """
    facts = Decision(
        "refused", "", int(version.version), int(champion.version) if champion else None, rule.min_gain, rule.confidence
    )
    try:
        smoke_test.check(version, rows.features, rows.probabilities)
        challenger = registry.load(version)
        alone = replace(facts, rows=len(rows.labels), challenger_f1=_f1(rows.labels, challenger.predict(rows.features)))
    except RegistryError as error:
        return Judgement(replace(facts, reason=f"version {version.version} is not fit to go live: {error}"))
    if champion is None:
        return Judgement(decide(alone))
    try:
        loaded = registry.load(champion)
        _check_question(challenger, loaded)
    except RegistryError as error:
        return Judgement(decide(alone, str(error)))
    common = _unseen(loaded, rows)
    facts = replace(facts, rows=len(common.labels))
    if too_few := _too_few(challenger, common):
        return Judgement(_not_compared(facts, too_few))
    try:
        theirs = loaded.predict(common.features)
    except RegistryError as error:
        return Judgement(_not_compared(facts, str(error)))
    return _compared(facts, common.labels, challenger.predict(common.features), theirs)


def _compared(facts: Decision, labels: Labels, ours: Prediction, theirs: Prediction) -> Judgement:
    facts = replace(facts, challenger_f1=_f1(labels, ours), champion_f1=_f1(labels, theirs))
    n_classes = ours[0].shape[1] if ours[0].ndim == 2 else 2
    gains = resampled_gains(labels, ours[1], theirs[1], n_classes)
    found = interval(gains, facts.confidence)
    return Judgement(decide(replace(facts, gain_low=found.low, gain_high=found.high)), gains)


def _check_question(challenger: ChampionModel, champion: ChampionModel) -> None:
    ours, theirs = _question(challenger), _question(champion)
    if changed := [field for field, value in ours.items() if value != theirs[field]]:
        raise RegistryError(f"it was trained for another {' and '.join(changed)}")


def _question(model: ChampionModel) -> dict[str, Any]:
    """Return what must be equal in two models, or their F1 or their hold-outs mean different things."""
    spec = model.dataset
    label = (spec.label.column, spec.label.positive, spec.label.classes)
    return {"label": label, "key": spec.keys, "event time": spec.event_time}


def _unseen(champion: ChampionModel, rows: Holdout) -> Holdout:
    """Return the rows of the challenger's hold-out that are in the champion's too."""
    mask = champion.holdout.held(rows.ids, rows.times)
    return Holdout(rows.ids[mask], rows.times[mask], rows.features[mask], rows.labels[mask], rows.probabilities[mask])


def _too_few(challenger: ChampionModel, common: Holdout) -> str | None:
    counts = np.bincount(common.labels, minlength=len(challenger.classes))
    if counts.min() >= MIN_ROWS:
        return None
    each = ", ".join(f"{count:,} of {name!r}" for name, count in zip(challenger.classes, counts, strict=True))
    return f"of the rows that neither has seen there are {each}, and {MIN_ROWS} of each are needed"


def _f1(labels: Labels, predicted: Prediction) -> float:
    return f1(labels, *predicted)
