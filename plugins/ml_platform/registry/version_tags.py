"""The tags of a model version that record its training: written, read and compared with the model's files."""

import json
import math
from collections.abc import Mapping
from typing import cast

import pandas as pd

from ml_platform.exceptions import RegistryError
from ml_platform.parsing.labels import class_text, label_values
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.spec import Dataset

_PROMOTION_TAGS = ("promoted_by", "promoted_at", "promotion_reason", "approved_by")


def required_tags(classes: tuple[str, ...], threshold: float | None, rule: HoldoutRule) -> dict[str, str]:
    """Return the tags that every version needs: classes, hold-out and, with two classes, the threshold."""
    tags = {"classes": json.dumps(classes), "holdout_by": rule.by, "holdout_share": repr(rule.share)}
    if threshold is not None:
        tags["threshold"] = repr(threshold)
    if rule.start is not None:
        tags["holdout_from"] = rule.start.isoformat()
    return tags


def without_promotion(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags without those about the version's promotion, which the next promotion overwrites."""
    return {tag: text for tag, text in tags.items() if tag not in _PROMOTION_TAGS}


def read_classes(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of the label, by class index.

    Raises:
        RegistryError: the tag is not a list of two or more texts.
    """
    try:
        names = json.loads(tags.get("classes", ""))
    except ValueError:
        names = None
    if not isinstance(names, list) or len(names) < 2 or not all(isinstance(name, str) for name in names):
        raise _invalid(tags, "classes", "a JSON list of two or more texts")
    return tuple(names)


def read_threshold(tags: Mapping[str, str]) -> float | None:
    """Return the probability that a positive row must reach; None with more than two classes.

    Raises:
        RegistryError: with two classes it is missing, or it is not a number from 0 to 1.
    """
    return _share(tags, "threshold") if len(read_classes(tags)) == 2 else None


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


def check(tags: Mapping[str, str], dataset: Dataset, threshold: float | None) -> None:
    """Compare the tags, which any user can edit in MLflow, with the model's files, which the digest protects.

    Args:
        tags: of the version.
        dataset: the spec in the model's files.
        threshold: of the fitted model; None with more than two classes.

    Raises:
        RegistryError: classes, threshold or hold-out differ from the files.
    """
    values = tuple(map(class_text, label_values(dataset)))  # without the negative value if the spec does not name it
    if read_classes(tags)[-len(values) :] != values:
        raise _invalid(
            tags, "classes", f"a list that ends with {', '.join(map(repr, values))}, as the model's files say"
        )
    rule = read_holdout(dataset.name, tags)
    compared = {
        "threshold": (read_threshold(tags), threshold),
        "holdout_by": (rule.by, dataset.holdout_by),
        "holdout_share": (rule.share, dataset.gate.holdout),
    }
    for tag, (recorded, expected) in compared.items():
        if recorded != expected:
            raise _invalid(tags, tag, f"{expected}, as the model's files say")


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
