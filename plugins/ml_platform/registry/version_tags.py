"""The tags of a model version that record its training: written, read and compared with the model's files."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, cast

import pandas as pd

from ml_platform.evaluation.metric_intervals import CONFIDENCE
from ml_platform.evaluation.task import Task
from ml_platform.exceptions import RegistryError
from ml_platform.parsing.labels import class_text, label_values
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import METRIC_TITLES

SPECIAL = re.compile(r"[\\`*_{}\[\]<>()#!|~&]")
_PROMOTION_TAGS = ("promoted_by", "promoted_at", "promotion_reason", "approved_by")


def required_tags(task: Task, rule: HoldoutRule) -> dict[str, str]:
    """Return the tags that every version needs: those of its task, and the hold-out."""
    tags = task.tags() | {"holdout_by": rule.by, "holdout_share": repr(rule.share)}
    if rule.start is not None:
        tags["holdout_from"] = rule.start.isoformat()
    return tags


def description(tags: Mapping[str, str]) -> str:
    """Return the description of a version for people, in Markdown: what it is, the gate's decision, its model card.

    The link has no host, so it works at every address at which MLflow is shown.
    """
    parts = [_what(tags)]
    if "decision" in tags:
        verdict = {"promoted": "It went live", "kept": "It did not go live"}.get(tags["decision"], tags["decision"])
        parts.append(_plain(f"{verdict}: {tags.get('decision_reason', 'no reason was recorded')}."))
    if "model_card" in tags:
        parts.append(f"[Model card](#/{tags['model_card']})")
    return "\n\n".join(filter(None, parts))


def _what(tags: Mapping[str, str]) -> str:
    """Return the candidate, and the score that the gate compares with its interval, in one sentence; "" without."""
    metrics: dict[str, float] = json.loads(tags.get("holdout_metrics", "{}"))
    metric = next((name for name in ("f1", "mae") if name in metrics), None)
    if "candidate" not in tags:
        return ""
    candidate = _plain(tags["candidate"])
    if metric is None:
        return f"{candidate}."
    low_high = json.loads(tags.get("holdout_intervals", "{}")).get(metric)
    between = f" ({CONFIDENCE:.0%} interval {low_high[0]:.4g} to {low_high[1]:.4g})" if low_high else ""
    return f"{candidate}: {METRIC_TITLES[metric]} {metrics[metric]:.4g}{between} on its hold-out."


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is: a reason is what a person wrote."""
    return SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def without_promotion(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags without those about the version's promotion, which the next promotion overwrites."""
    return {tag: text for tag, text in tags.items() if tag not in _PROMOTION_TAGS}


def read_classes(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the label, by class index; none of a version without the tag, whose label is a number.

    Raises:
        RegistryError: the tag is not a list of two or more texts.
    """
    if "classes" not in tags:
        return ()
    try:
        names = json.loads(tags["classes"])
    except ValueError:
        names = None
    if not isinstance(names, list) or len(names) < 2 or not all(isinstance(name, str) for name in names):
        raise _invalid(tags, "classes", "a JSON list of two or more texts")
    return tuple(names)


def read_threshold(tags: Mapping[str, str]) -> float | None:
    """Return the probability that a positive row must reach; None for a version without a threshold.

    Raises:
        RegistryError: it is not a number from 0 to 1.
    """
    return _share(tags, "threshold") if "threshold" in tags else None


def read_holdout(name: str, tags: Mapping[str, str]) -> HoldoutRule:
    """Return the rule that says which rows the version was not trained on.

    Args:
        name: the data set's name.
        tags: of the version.

    Raises:
        RegistryError: a tag is missing or invalid.
    """
    share, by = _share(tags, "holdout_share"), tags.get("holdout_by")
    if by == "entity":
        return HoldoutRule(name, "entity", share)
    if by != "time":
        raise _invalid(tags, "holdout_by", "entity or time")
    try:
        start = pd.Timestamp(tags.get("holdout_from", ""))
    except ValueError:
        start = cast("pd.Timestamp", pd.NaT)
    if pd.isna(start) or start.tzinfo is None:  # without a time all rows, or none, would be in the hold-out
        raise _invalid(tags, "holdout_from", "a time with its time zone")
    return HoldoutRule(name, "time", share, start)


def check(tags: Mapping[str, str], dataset: Dataset, task: Task) -> None:
    """Compare the tags, which any user can edit in MLflow, with the model's files, which the digest protects.

    Args:
        tags: of the version.
        dataset: the spec in the model's files.
        task: of the fitted model.

    Raises:
        RegistryError: classes, threshold, interval or hold-out differ from the files.
    """
    values = tuple(map(class_text, label_values(dataset)))  # without the negative value if the spec does not name it
    classes = read_classes(tags)
    if classes[len(classes) - len(values) :] != values:
        raise _invalid(
            tags, "classes", f"a list that ends with {', '.join(map(repr, values))}, as the model's files say"
        )
    rule = read_holdout(dataset.name, tags)
    compared: dict[str, tuple[Any, Any]] = {
        **{tag: (_value(tags.get(tag)), _value(text)) for tag, text in task.tags().items()},
        "holdout_by": (rule.by, dataset.holdout_by),
        "holdout_share": (rule.share, dataset.gate.holdout),
    }
    for tag, (recorded, expected) in compared.items():
        if recorded != expected:
            raise _invalid(tags, tag, f"{expected}, as the model's files say")


def _value(text: str | None) -> Any:
    """Return the value of a tag in JSON; a text that is none stays as it is."""
    try:
        return json.loads(text or "")
    except ValueError:
        return text


def _share(tags: Mapping[str, str], tag: str) -> float:
    try:
        value = float(tags.get(tag, ""))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:  # also rejects NaN, with which every row would be negative
        raise _invalid(tags, tag, "a number from 0 to 1")
    return value


def _invalid(tags: Mapping[str, str], tag: str, allowed: str) -> RegistryError:
    return RegistryError(f"the tag {tag!r}, set at training, is {tags.get(tag, '')!r} and not {allowed}")
