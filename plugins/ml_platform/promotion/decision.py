"""The decision that follows from the comparison of two models. Pure: no model is loaded here."""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal, cast

from pydantic import AliasChoices, Field
from pydantic.fields import FieldInfo

from ml_platform.specs.parts import Gate
from ml_platform.specs.tasks import ERRORS, METRIC_TITLES, Metric, gain

Verdict = Literal["promoted", "kept", "refused"]


def _also_named(*names: str) -> FieldInfo:
    return cast("FieldInfo", Field(validation_alias=AliasChoices(*names)))


@dataclass(frozen=True)
class Comparison:
    """The measurements of a challenger and of the current champion.

    Attributes:
        version: of the challenger.
        champion_before: the version that is live; None if there is none.
        rows: number of rows on which both were evaluated; None if they were not.
        challenger_score: its metric on these rows; None if it was not measured.
        champion_score: the same of the champion; None if there is no champion or it was not measured.
        gain_low: lower end of the interval of the gain; None if there was nothing to compare.
        gain_high: upper end.
        challenger_problem: why the challenger must not go live; None if it may.
        champion_problem: why the champion cannot be used any more; None if it can.
        not_comparable: why the two cannot be compared, although both can be used; None if they can.
        unskilled: why the challenger is no working model; None if it is one.
        metric: that both are compared by.
    """

    version: int
    champion_before: int | None = None
    rows: int | None = None
    challenger_score: float | None = None
    champion_score: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    challenger_problem: str | None = None
    champion_problem: str | None = None
    not_comparable: str | None = None
    unskilled: str | None = None
    metric: Metric = "f1"


@dataclass(frozen=True)
class Decision:
    """A decision of the gate with its figures, as `models.decisions` records it.

    Attributes:
        decision: promoted, kept (the champion stays) or refused (the challenger must not go live).
        reason: in words, with the figures.
        version: of the challenger.
        champion_before: the version that was live; None if there was none.
        min_gain: the gain must be larger than this.
        confidence: of the interval of the gain.
        rows: number of rows on which both were evaluated; None if they were not.
        challenger_score: its metric on these rows; None if it could not be measured.
        champion_score: the same of the champion; None if there is no champion or it could not be measured.
        gain_low: lower end of the interval of the gain; None if there was nothing to compare.
        gain_high: upper end.
        metric: that both are compared by.
    """

    decision: Verdict
    reason: str
    version: int
    champion_before: int | None = None
    min_gain: float = 0.0
    confidence: float = 0.9
    rows: int | None = None
    # a training that waited for an approval during an upgrade has the names that these had before
    challenger_score: Annotated[float | None, _also_named("challenger_score", "challenger_f1")] = None
    champion_score: Annotated[float | None, _also_named("champion_score", "champion_f1")] = None
    gain_low: float | None = None
    gain_high: float | None = None
    metric: Metric = "f1"

    @property
    def is_promoted(self) -> bool:
        """Whether the challenger goes live."""
        return self.decision == "promoted"

    @property
    def gain(self) -> float | None:
        """By how much the challenger is better, see `metrics.gain`; None if there was nothing to compare."""
        if self.challenger_score is None or self.champion_score is None:
            return None
        return gain(self.metric, self.challenger_score, self.champion_score)


def decide(comparison: Comparison, rule: Gate) -> Decision:
    """Decide whether a challenger goes live.

    Its gain must be larger than `min_gain`, and so must the lower end of the gain's interval. So the champion stays if
    the two are equal, if a figure is NaN, or if the gain is not statistically significant. A challenger without skill
    never goes live. A champion that cannot be used is replaced.
    """
    verdict, reason = _verdict(comparison, rule)
    return Decision(
        decision=verdict,
        reason=reason,
        version=comparison.version,
        champion_before=comparison.champion_before,
        min_gain=rule.min_gain,
        confidence=rule.confidence,
        rows=comparison.rows,
        challenger_score=_finite(comparison.challenger_score),
        champion_score=_finite(comparison.champion_score),
        gain_low=comparison.gain_low,
        gain_high=comparison.gain_high,
        metric=comparison.metric,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _verdict(comparison: Comparison, rule: Gate) -> tuple[Verdict, str]:
    version, ours, champion = comparison.version, comparison.challenger_score, comparison.champion_before
    if comparison.challenger_problem is not None:
        return "refused", f"version {version} is not fit to go live: {comparison.challenger_problem}"
    if comparison.not_comparable is not None:
        return "kept", f"version {version} cannot be compared with champion {champion}: {comparison.not_comparable}"
    if ours is None or math.isnan(ours) or comparison.unskilled is not None:
        why = comparison.unskilled or f"{METRIC_TITLES[comparison.metric]} {ours} on the hold-out"
        return "refused", f"version {version} is not a working model: {why}"
    score = _score(comparison.metric, ours)
    if champion is None:
        return "promoted", f"version {version} is the first to go live, with {score}"
    if comparison.champion_problem is not None:
        why = f"champion {champion} cannot be used ({comparison.champion_problem})"
        return "promoted", f"version {version} takes over with {score}: {why}"
    theirs = comparison.champion_score
    if theirs is None or math.isnan(theirs):
        title = METRIC_TITLES[comparison.metric]
        return "kept", f"version {version} cannot be compared with champion {champion}: its {title} is no number"
    return _verdict_on_gain(comparison, rule, ours, theirs)


def _verdict_on_gain(comparison: Comparison, rule: Gate, ours: float, theirs: float) -> tuple[Verdict, str]:
    version, low, high = comparison.version, comparison.gain_low, comparison.gain_high
    champion = f"{theirs:.4{_form(comparison.metric)}} of champion {comparison.champion_before}"
    figures = f"{_score(comparison.metric, ours)} against {champion} on the same rows"
    if not gain(comparison.metric, ours, theirs) > rule.min_gain:
        return "kept", f"version {version} is not better by more than {rule.min_gain:g}: {figures}"
    if low is None or high is None:
        return "kept", f"version {version} is not significantly better by more than {rule.min_gain:g}: {figures}"
    figures += f", a gain of {low:+.4f} to {high:+.4f} at {rule.confidence:.0%} confidence"
    if not low > rule.min_gain:
        return "kept", f"version {version} is not significantly better by more than {rule.min_gain:g}: {figures}"
    return "promoted", f"version {version} is better: {figures}"


def _score(metric: Metric, value: float) -> str:
    return f"{METRIC_TITLES[metric]} {value:.4{_form(metric)}}"


def _form(metric: Metric) -> str:
    return "g" if metric in ERRORS else "f"  # an error has the unit of the label, and any size


def with_verdict(decision: Decision, verdict: Verdict, reason: str) -> Decision:
    """Return a decision with another verdict and reason."""
    return replace(decision, decision=verdict, reason=reason)
