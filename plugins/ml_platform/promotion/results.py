"""The values that the last steps of a training pass on. This module is light, so a DAG file can import it."""

from dataclasses import dataclass
from typing import Any

from ml_platform.promotion.decision import Decision, Verdict
from ml_platform.specs.tasks import Metric
from ml_platform.training.results import Source


@dataclass(frozen=True)
class GateResult:
    """The gate's decision in favour of a challenger, and the question whether it may go live.

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
    """The versions with the two aliases; None for an alias that is not set.

    Attributes:
        champion: the version that scores.
        previous: the champion before it.
    """

    champion: int | None
    previous: int | None


@dataclass(frozen=True)
class TrainingCard:
    """The result of a training, stored with its run as `training_card.json`.

    Attributes:
        model: name of the registered model.
        version: of the challenger.
        promoted: whether it went live.
        decision: of the gate; this, the next nine fields and `metric` are those of `Decision`.
        reason: in words.
        champion_before: the version that was live; None if there was none.
        min_gain: the gain must be larger than this.
        confidence: of the interval of the gain.
        rows: number of rows on which both were evaluated.
        challenger_score: its metric on these rows.
        champion_score: the same of the champion.
        gain_low: lower end of the interval of the gain.
        gain_high: upper end.
        metric: that both are compared by.
        metrics: value by name, of the challenger on its hold-out.
        threshold: a row is positive from this probability on; None without one.
        best_candidate: the candidate in words.
        candidate: its estimator and parameters.
        candidates_tried: their number.
        candidates_failed: number of those that could not be fitted or scored.
        scoring: the metric that chose the best.
        cv_score: mean of this metric over the folds.
        cv_score_sd: standard deviation over the folds.
        suspected_leaks: score by column, of columns that predict the label suspiciously well.
        training_set: URI of the frozen training set.
        training_set_sha256: hash of its content.
        sources: the uploads that its labels come from.
        run_id: id of the run in MLflow.
        url: page of that run.
        compare_url: page with the best candidate of each estimator side by side; empty if there is only one estimator.
        candidates_pruned: number of those that were stopped after their first folds.
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
    challenger_score: float | None
    champion_score: float | None
    gain_low: float | None
    gain_high: float | None
    metric: Metric
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
    compare_url: str = ""
    candidates_pruned: int = 0
