"""What follows from the comparison of two models. Pure: no model is loaded here."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from ml_platform.specs.parts import Gate

Verdict = Literal["promoted", "kept", "refused"]


@dataclass(frozen=True)
class Comparison:
    """What was measured of a challenger and of the champion of the moment.

    Attributes:
        version: of the challenger.
        champion_before: the version that is live; None if none is.
        rows: number of rows that both were evaluated on; None if they were not.
        challenger_f1: on these rows; None if it was not measured.
        champion_f1: on the same rows; None if there is no champion or it was not measured.
        gain_low: lower end of the interval of the gain; None if there was nothing to compare.
        gain_high: upper end.
        challenger_problem: why the challenger is not fit to go live; None if it is.
        champion_problem: why the champion cannot be used any more; None if it can.
        not_comparable: why the two cannot be compared, though both can be used; None if they can.
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
    """What the gate decided and why, with the figures, as it is recorded.

    Attributes:
        decision: promoted, kept (the champion stays) or refused (the challenger is not fit to go live).
        reason: in words, with the figures.
        version: of the challenger.
        champion_before: the version that was live; None if none was.
        min_gain: the gain must be larger than this.
        confidence: of the interval of the gain.
        rows: number of rows that both were evaluated on; None if they were not.
        challenger_f1: on these rows; None if it could not be measured.
        champion_f1: on the same rows; None if there is no champion or it could not be measured.
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


def decide(compared: Comparison, rule: Gate) -> Decision:
    """Decide about a challenger.

    Its gain in F1 must be larger than `min_gain`, and so must the lower end of the gain's interval: a tie, a NaN or a
    doubt keeps the champion. A challenger whose F1 is NaN or 0 is never good enough. A champion that cannot be used
    gives way.
    """
    verdict, reason = _verdict(compared, rule)
    return Decision(
        decision=verdict,
        reason=reason,
        version=compared.version,
        champion_before=compared.champion_before,
        min_gain=rule.min_gain,
        confidence=rule.confidence,
        rows=compared.rows,
        challenger_f1=_finite(compared.challenger_f1),
        champion_f1=_finite(compared.champion_f1),
        gain_low=compared.gain_low,
        gain_high=compared.gain_high,
    )


def _finite(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _verdict(compared: Comparison, rule: Gate) -> tuple[Verdict, str]:
    version, ours, champion = compared.version, compared.challenger_f1, compared.champion_before
    if compared.challenger_problem is not None:
        return "refused", f"version {version} is not fit to go live: {compared.challenger_problem}"
    if compared.not_comparable is not None:
        return "kept", f"version {version} cannot be compared with champion {champion}: {compared.not_comparable}"
    if ours is None or not ours > 0:
        return "refused", f"version {version} has F1 {ours} on the hold-out: not a working model"
    if champion is None:
        return "promoted", f"version {version} is the first to go live, with F1 {ours:.4f}"
    if compared.champion_problem is not None:
        why = f"champion {champion} cannot be used ({compared.champion_problem})"
        return "promoted", f"version {version} takes over with F1 {ours:.4f}: {why}"
    theirs = compared.champion_f1
    if theirs is None or math.isnan(theirs):
        return "kept", f"version {version} cannot be compared with champion {champion}: its F1 is no number"
    return _verdict_on_gain(compared, rule, ours, theirs)


def _verdict_on_gain(compared: Comparison, rule: Gate, ours: float, theirs: float) -> tuple[Verdict, str]:
    version, low, high = compared.version, compared.gain_low, compared.gain_high
    figures = f"F1 {ours:.4f} against {theirs:.4f} of champion {compared.champion_before} on the same rows"
    if not ours - theirs > rule.min_gain:
        return "kept", f"version {version} is not better by more than {rule.min_gain:g}: {figures}"
    if low is None or high is None:
        return "kept", f"version {version} may be better by chance only: {figures}"
    figures += f", a gain of {low:+.4f} to {high:+.4f} at {rule.confidence:.0%} confidence"
    if not low > rule.min_gain:
        return "kept", f"version {version} may be better by chance, by no more than {rule.min_gain:g}: {figures}"
    return "promoted", f"version {version} is better: {figures}"


def with_verdict(decision: Decision, verdict: Verdict, reason: str) -> Decision:
    """Return a decision with another verdict, for another reason."""
    return replace(decision, decision=verdict, reason=reason)
