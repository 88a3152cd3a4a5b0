"""What the last steps of a training pass on: plain values, which a DAG file can name without loading a library."""

from dataclasses import dataclass
from typing import Any

from ml_platform.promotion.decision import Decision, Verdict
from ml_platform.specs.parts import Metric
from ml_platform.training.results import Source


@dataclass(frozen=True)
class GateResult:
    """A challenger that has passed the gate, and the question to a person whether it may go live.

    Attributes:
        decision: of the gate.
        subject: of the question.
        body: of the question, in Markdown.
    """

    decision: Decision
    subject: str
    body: str


@dataclass(frozen=True)
class LiveVersions:
    """The versions that two aliases name now; None if an alias names none.

    Attributes:
        champion: the version that scores.
        previous: the champion before it.
    """

    champion: int | None
    previous: int | None


@dataclass(frozen=True)
class TrainingCard:
    """What came of a training, kept with its run as `training_card.json`.

    Attributes:
        model: name of the registered model.
        version: of the challenger.
        promoted: whether it went live.
        decision: of the gate; this and the next nine as in `Decision`.
        reason: in words.
        champion_before: the version that was live.
        min_gain: the gain must be larger than this.
        confidence: of the interval of the gain.
        rows: that both were evaluated on.
        challenger_f1: on these rows.
        champion_f1: on the same rows.
        gain_low: lower end of the interval of the gain.
        gain_high: upper end.
        metrics: of the challenger on its hold-out, by name.
        threshold: the probability from which a row is positive; None with several classes.
        best_candidate: in words.
        candidate: its estimator and parameters.
        candidates_tried: their number.
        candidates_failed: of these, how many could not be fitted or scored.
        scoring: the metric that chose the best.
        cv_score: its mean of it over the folds.
        cv_score_sd: its standard deviation over the folds.
        suspected_leaks: score by column.
        training_set: where the frozen training set is.
        training_set_sha256: hash of its content.
        sources: the uploads whose labels are in it.
        run_id: the run in MLflow.
        url: where a browser finds that run.
    """

    model: str
    version: int
    promoted: bool
    decision: Verdict
    reason: str
    champion_before: int | None
    min_gain: float
    confidence: float
    rows: int | None
    challenger_f1: float | None
    champion_f1: float | None
    gain_low: float | None
    gain_high: float | None
    metrics: dict[str, float]
    threshold: float | None
    best_candidate: str
    candidate: tuple[str, dict[str, Any]]
    candidates_tried: int
    candidates_failed: int
    scoring: Metric
    cv_score: float
    cv_score_sd: float
    suspected_leaks: dict[str, float]
    training_set: str
    training_set_sha256: str
    sources: list[Source]
    run_id: str
    url: str
