"""The decision that follows from the comparison of two models. Pure: no model is loaded here."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from ml_platform.specs.parts import Gate

Verdict = Literal["promoted", "kept", "refused"]


@dataclass(frozen=True)
class Comparison:
    """The measurements of a challenger and of the current champion.

    Attributes:
        version: of the challenger.
        champion_before: the version that is live; None if there is none.
        rows: number of rows on which both were evaluated; None if they were not.
        challenger_f1: F1 on these rows; None if it was not measured.
        champion_f1: F1 on the same rows; None if there is no champion or it was not measured.
        gain_low: lower end of the interval of the gain; None if there was nothing to compare.
        gain_high: upper end.
        challenger_problem: why the challenger must not go live; None if it may.
        champion_problem: why the champion cannot be used any more; None if it can.
        not_comparable: why the two cannot be compared, although both can be used; None if they can.
    """

    version: int
    champion_before: int | None = None
    rows: int | None = None
    challenger_f1: float | None = None
    champion_f1: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    challenger_problem: str | None = None
    champion_problem: str | None = None
    not_comparable: str | None = None


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
        challenger_f1: F1 on these rows; None if it could not be measured.
        champion_f1: F1 on the same rows; None if there is no champion or it could not be measured.
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
    def is_promoted(self) -> bool:
        """Whether the challenger goes live."""
        return self.decision == "promoted"

    @property
    def gain(self) -> float | None:
        """By how much the challenger's F1 is higher than the champion's; None if there was nothing to compare."""
        if self.challenger_f1 is None or self.champion_f1 is None:
            return None
        return self.challenger_f1 - self.champion_f1


def decide(comparison: Comparison, rule: Gate) -> Decision:
    """Decide whether a challenger goes live.

    Its gain in F1 must be larger than `min_gain`, and so must the lower end of the gain's interval. So the champion
    stays if the two are equal, if a figure is NaN, or if the gain is not statistically significant. A challenger whose
    F1 is NaN or 0 never goes live. A champion that cannot be used is replaced.
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
        challenger_f1=_finite(comparison.challenger_f1),
        champion_f1=_finite(comparison.champion_f1),
        gain_low=comparison.gain_low,
        gain_high=comparison.gain_high,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _verdict(comparison: Comparison, rule: Gate) -> tuple[Verdict, str]:
    version, ours, champion = comparison.version, comparison.challenger_f1, comparison.champion_before
    if comparison.challenger_problem is not None:
        return "refused", f"version {version} is not fit to go live: {comparison.challenger_problem}"
    if comparison.not_comparable is not None:
        return "kept", f"version {version} cannot be compared with champion {champion}: {comparison.not_comparable}"
    if ours is None or not ours > 0:
        return "refused", f"version {version} has F1 {ours} on the hold-out: not a working model"
    if champion is None:
        return "promoted", f"version {version} is the first to go live, with F1 {ours:.4f}"
    if comparison.champion_problem is not None:
        why = f"champion {champion} cannot be used ({comparison.champion_problem})"
        return "promoted", f"version {version} takes over with F1 {ours:.4f}: {why}"
    theirs = comparison.champion_f1
    if theirs is None or math.isnan(theirs):
        return "kept", f"version {version} cannot be compared with champion {champion}: its F1 is no number"
    return _verdict_on_gain(comparison, rule, ours, theirs)


def _verdict_on_gain(comparison: Comparison, rule: Gate, ours: float, theirs: float) -> tuple[Verdict, str]:
    version, low, high = comparison.version, comparison.gain_low, comparison.gain_high
    figures = f"F1 {ours:.4f} against {theirs:.4f} of champion {comparison.champion_before} on the same rows"
    if not ours - theirs > rule.min_gain:
        return "kept", f"version {version} is not better by more than {rule.min_gain:g}: {figures}"
    if low is None or high is None:
        return "kept", f"version {version} is not significantly better by more than {rule.min_gain:g}: {figures}"
    figures += f", a gain of {low:+.4f} to {high:+.4f} at {rule.confidence:.0%} confidence"
    if not low > rule.min_gain:
        return "kept", f"version {version} is not significantly better by more than {rule.min_gain:g}: {figures}"
    return "promoted", f"version {version} is better: {figures}"


def with_verdict(decision: Decision, verdict: Verdict, reason: str) -> Decision:
    """Return a decision with another verdict and reason."""
    return replace(decision, decision=verdict, reason=reason)
