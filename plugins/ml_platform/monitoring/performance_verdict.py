"""What a check of the performance found, and the verdict in one sentence. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ml_platform.evaluation.task import Task
from ml_platform.monitoring.checks import BROKEN, KEPT
from ml_platform.monitoring.performance import MistakeTest, Score
from ml_platform.monitoring.segments import Segment
from ml_platform.monitoring.window import Window
from ml_platform.specs.tasks import METRIC_TITLES


@dataclass(frozen=True)
class Period:
    """The performance in one period of event times.

    Attributes:
        start: of the period.
        predictions: how many were made.
        labels: of how many the truth is known.
        seen: the metric of the gate, by the truth; None with too few labels.
        expected: the metric that the probabilities let expect; None without probabilities.
        event_score: the same metric as `expected`, by the truth; None with too few labels.
    """

    start: datetime
    predictions: int
    labels: int
    seen: Score | None
    expected: Score | None
    event_score: float | None


@dataclass(frozen=True)
class VersionScore:
    """The performance of one version in its whole life.

    Attributes:
        version: its number.
        predictions: how many were made.
        labels: of how many the truth is known.
        seen: the metric of the gate, by the truth; None with too few labels.
    """

    version: int
    predictions: int
    labels: int
    seen: Score | None


@dataclass(frozen=True)
class Performance:
    """What a check found.

    Attributes:
        window: which predictions.
        task: of the model.
        predictions: how many were made.
        labels: of how many the truth is known.
        promised: the metric of the gate on the hold-out.
        promised_events: the metric that can be estimated, on the hold-out; None without probabilities.
        seen: the metric of the gate, by the truth; None with too few labels.
        expected: the metric that the probabilities let expect; None without probabilities.
        awaited: the same of the predictions whose truth is not known; None with too few of them.
        tests: of each kind of mistake; none with too few labels.
        since: the event time from which on there are more mistakes than promised, by the kind of mistake.
        periods: the earliest first.
        versions: that have predicted, the newest first.
        segments: with the largest losses.
    """

    window: Window
    task: Task
    predictions: int
    labels: int
    promised: Score
    promised_events: float | None
    seen: Score | None
    expected: Score | None
    awaited: Score | None
    tests: tuple[MistakeTest, ...]
    since: Mapping[str, datetime]
    periods: tuple[Period, ...]
    versions: tuple[VersionScore, ...] = ()
    segments: tuple[Segment, ...] = ()


def verdict(found: Performance) -> str:
    """Return whether the model keeps its promise: by the truth if it is known, else by the estimate."""
    if found.seen is not None:
        return BROKEN if any(one.is_broken for one in found.tests) else KEPT
    is_lower = found.expected is not None and found.expected.interval.high < (found.promised_events or 0.0)
    return BROKEN if is_lower else KEPT


def sentence(found: Performance) -> str:
    """Return the verdict in one sentence."""
    who = f"version {found.window.version} of {found.window.model}"
    if found.seen is None:
        return _estimate_sentence(found, who)
    title = METRIC_TITLES[found.task.gate_metric]
    promised = f"on the hold-out it was {score_text(found.promised)}"
    figures = f"{title} {score_text(found.seen)} by {found.labels:,} labels; {promised}{_awaited(found)}"
    broken = [
        f"{one.kind} ({one.seen:.1%}, promised at most {one.promised:.1%}{since_text(found, one.kind)})"
        for one in found.tests
        if one.is_broken
    ]
    if broken:
        return f"Below the promise: {who} makes more mistakes than promised: {', '.join(broken)}. {figures}."
    return f"As promised: {who} makes no more mistakes than promised. {figures}."


def _awaited(found: Performance) -> str:
    if found.awaited is None or found.task.event_metric is None:
        return ""
    rows, title = found.predictions - found.labels, METRIC_TITLES[found.task.event_metric]
    return f". For {rows:,} predictions without a truth, {title} {score_text(found.awaited)} is expected"


def since_text(found: Performance, kind: str) -> str:
    """Return since when there are more mistakes of a kind than promised, or an empty text."""
    moment = found.since.get(kind)
    return "" if moment is None else f", more since {moment:%Y-%m-%d %H:%M}"


def _estimate_sentence(found: Performance, who: str) -> str:
    if found.expected is None or found.task.event_metric is None:
        return f"Not known: too few labels, and {who} gives no probabilities."
    is_broken = verdict(found) == BROKEN
    begin = "Probably below the promise" if is_broken else "Probably as promised"
    return (
        f"{begin}: the probabilities of {found.predictions:,} predictions of {who} let expect"
        f" {METRIC_TITLES[found.task.event_metric]} {score_text(found.expected)}; on the hold-out it was"
        f" {found.promised_events:.3g}. The truth of {found.labels:,} is known, too few to measure."
    )


def score_text(one: Score) -> str:
    """Return a score and its interval."""
    return f"{one.value:.3g} ({one.interval.low:.3g} to {one.interval.high:.3g})"
