"""A version in words, the same on all views."""

from ml_platform.home.parts.text import when
from ml_platform.records.models import ModelVersion
from ml_platform.records.version_comparison import figure
from ml_platform.specs.tasks import METRIC_TITLES

SHOWN = 100  # versions of a model, the newest
DECISIONS = {"promoted": "passed", "kept": "not better", "refused": "refused"}


def state(one: ModelVersion) -> str:
    """Return what a version is now."""
    if one.is_champion:
        return "live"
    return "was live" if one.made_live_at else "never live"


def gate(one: ModelVersion) -> str:
    """Return what the gate decided about a version."""
    return DECISIONS.get(one.decision or "", "not decided yet")


def metric(one: ModelVersion) -> str:
    """Return the name of the metric of a version."""
    return METRIC_TITLES.get(one.metric or "", "score")


def value(one: ModelVersion) -> str:
    """Return the score of a version with its interval."""
    has_interval = one.score_low is not None and one.score_high is not None
    return figure(one.score, (one.score_low or 0.0, one.score_high or 0.0) if has_interval else None)


def score(one: ModelVersion) -> str:
    """Return metric and score of a version."""
    return f"{metric(one)} {value(one)}"


def described(one: ModelVersion) -> str:
    """Return what a version is, in one line."""
    was = f"last live on {when(one.made_live_at)}" if one.made_live_at else "never live"
    return f"Version {one.version}: {score(one)}; {was}; gate: {gate(one)}"
