"""Two versions of a model side by side: what differs, in words. No I/O."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from ml_platform.records.version_details import TrainingFacts, VersionDetails
from ml_platform.specs.tasks import ERRORS, METRIC_TITLES

UNKNOWN = "not known"
LESS_IS_BETTER = frozenset({*ERRORS, "brier", "calibration_error"})
NEITHER = frozenset({"coverage", "interval_width"})  # more is not better by itself
SHORT = 12  # characters of a hash


@dataclass(frozen=True)
class Difference:
    """One property of two versions.

    Attributes:
        group: what it belongs to: metrics, candidate, data or code.
        name: of the property.
        first: its value of the first version, as a text.
        second: that of the second version.
        change: from the first to the second, in words; "" if there is none.
    """

    group: str
    name: str
    first: str
    second: str
    change: str


Side = tuple[VersionDetails, TrainingFacts | None]


def compare(first: Side, second: Side) -> list[Difference]:
    """Return all properties of two versions, and what changes from the first to the second.

    Args:
        first: the earlier version, with what MLflow knows of it; None if MLflow is away.
        second: the later version.
    """
    return [*_metrics(first[0], second[0]), *_candidate(first[0], second[0]), *_data(first, second)]


def figure(value: float | None, interval: tuple[float, float] | None) -> str:
    """Return a metric with its interval, as a text."""
    if value is None:
        return UNKNOWN
    return f"{value:.4g}" + (f" ({interval[0]:.4g} to {interval[1]:.4g})" if interval else "")


def _metrics(first: VersionDetails, second: VersionDetails) -> Iterator[Difference]:
    for name in dict.fromkeys([*second.metrics, *first.metrics]):
        ours, theirs = first.metrics.get(name), second.metrics.get(name)
        yield Difference(
            "metrics", METRIC_TITLES.get(name, name.replace("_", " ")),
            figure(ours, first.intervals.get(name)), figure(theirs, second.intervals.get(name)),
            _change(name, ours, theirs),
        )  # fmt: skip


def _change(name: str, first: float | None, second: float | None) -> str:
    if first is None or second is None or math.isnan(first) or math.isnan(second):
        return ""
    if first == second:
        return ""
    words = ("higher", "lower") if name in NEITHER or name not in METRIC_TITLES else ("better", "worse")
    is_up = (second > first) != (name in LESS_IS_BETTER and words[0] == "better")
    return f"{abs(second - first):.4g} {words[not is_up]}"


def _candidate(first: VersionDetails, second: VersionDetails) -> Iterator[Difference]:
    yield _same_or_other("candidate", "estimator and parameters", first.candidate, second.candidate)
    yield _same_or_other("candidate", "threshold", _number(first.threshold), _number(second.threshold))
    yield _same_or_other("candidate", "calibration", first.calibration, second.calibration)


def _data(first: Side, second: Side) -> Iterator[Difference]:
    (ours, our_facts), (theirs, their_facts) = first, second
    yield _same_or_other("data", "training set", ours.training_set_sha256[:SHORT], theirs.training_set_sha256[:SHORT])
    for title, attribute in (("training rows", "rows_train"), ("rows of the hold-out", "rows_holdout")):
        texts = [_count(getattr(facts, attribute, None)) for facts in (our_facts, their_facts)]
        yield _same_or_other("data", title, *texts)
    yield _same_or_other("data", "hold-out", ours.holdout, theirs.holdout)
    yield _features(our_facts, their_facts)
    yield _same_or_other("data", "spec", ours.spec_sha256[:SHORT], theirs.spec_sha256[:SHORT])
    before, after = (f"{one.registered_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for one in (ours, theirs))
    yield Difference("code", "registered", before, after, "")
    yield _same_or_other("code", "git commit", ours.git_commit[:SHORT], theirs.git_commit[:SHORT])
    packages = [_packages(facts) for facts in (our_facts, their_facts)]
    yield _same_or_other("code", "packages", *packages)


def _features(first: TrainingFacts | None, second: TrainingFacts | None) -> Difference:
    ours, theirs = (facts.features if facts else None for facts in (first, second))
    first_text, second_text = (UNKNOWN if names is None else str(len(names)) for names in (ours, theirs))
    changes = []
    if ours is not None and theirs is not None:
        changes = [f"without {name}" for name in ours if name not in theirs]
        changes += [f"with {name}" for name in theirs if name not in ours]
    return Difference("data", "features", first_text, second_text, ", ".join(changes))


def _same_or_other(group: str, name: str, first: str, second: str) -> Difference:
    is_known = UNKNOWN not in (first, second)
    return Difference(group, name, first, second, "differs" if is_known and first != second else "")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _packages(facts: TrainingFacts | None) -> str:
    return ", ".join(f"{name} {number}" for name, number in facts.packages.items()) if facts else UNKNOWN
