"""What the tags of a model version record of its training: how they are written, and how they are read back."""

import json
import math
from collections.abc import Mapping
from typing import cast

import pandas as pd

from ml_platform.exceptions import RegistryError
from ml_platform.parsing.labels import class_text, label_values
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.spec import Dataset


def written(classes: tuple[str, ...], threshold: float | None, rule: HoldoutRule) -> dict[str, str]:
    """Return the tags without which a version cannot be used: classes, threshold (of two classes) and hold-out."""
    tags = {"classes": json.dumps(classes), "holdout_by": rule.by, "holdout_share": repr(rule.share)}
    if threshold is not None:
        tags["threshold"] = repr(threshold)
    if rule.start is not None:
        tags["holdout_from"] = rule.start.isoformat()
    return tags


def read_classes(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Return the label's values, by class index.

    Raises:
        RegistryError: the tag is not a list of two texts or more.
    """
    try:
        found = json.loads(tags.get("classes", ""))
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) < 2 or not all(isinstance(name, str) for name in found):
        raise _wrong(tags, "classes", "a JSON list of two texts or more")
    return tuple(found)


def read_threshold(tags: Mapping[str, str]) -> float | None:
    """Return the probability from which a row is positive; None with several classes.

    Raises:
        RegistryError: it is no number from 0 to 1, or missing with two classes.
    """
    return _share(tags, "threshold") if len(read_classes(tags)) == 2 else None


def read_holdout(name: str, tags: Mapping[str, str]) -> HoldoutRule:
    """Return which rows the version has not been trained on.

    Args:
        name: the data set's name.
        tags: of the version.

    Raises:
        RegistryError: the tags do not say it.
    """
    share, by = _share(tags, "holdout_share"), tags.get("holdout_by")
    if by == "entity":
        return HoldoutRule(name, "entity", share)
    if by != "time":
        raise _wrong(tags, "holdout_by", "entity or time")
    try:
        start = pd.Timestamp(tags.get("holdout_from", ""))
    except ValueError:
        start = cast("pd.Timestamp", pd.NaT)
    if pd.isna(start) or start.tzinfo is None:  # without a moment, all or none would count as unseen
        raise _wrong(tags, "holdout_from", "a moment with its time zone")
    return HoldoutRule(name, "time", share, start)


def check(tags: Mapping[str, str], dataset: Dataset, threshold: float | None) -> None:
    """Compare tags, which anybody can edit in MLflow, with what the model's own files say, which its digest covers.

    Args:
        tags: of the version.
        dataset: the spec that the model was trained by.
        threshold: that it was fitted with; None with several classes.

    Raises:
        RegistryError: classes, threshold or hold-out are not those of the files.
    """
    values = tuple(map(class_text, label_values(dataset)))  # without the negative one, if the spec does not name it
    if read_classes(tags)[-len(values) :] != values:
        raise _wrong(tags, "classes", f"a list that ends with {', '.join(map(repr, values))}, as the model's files say")
    rule = read_holdout(dataset.name, tags)
    compared = {
        "threshold": (read_threshold(tags), threshold),
        "holdout_by": (rule.by, dataset.holdout_by),
        "holdout_share": (rule.share, dataset.gate.holdout),
    }
    for tag, (said, own) in compared.items():
        if said != own:
            raise _wrong(tags, tag, f"{own}, as the model's files say")


def _share(tags: Mapping[str, str], tag: str) -> float:
    try:
        value = float(tags.get(tag, ""))
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:  # NaN as well: every row would silently be negative
        raise _wrong(tags, tag, "a number from 0 to 1")
    return value


def _wrong(tags: Mapping[str, str], tag: str, wanted: str) -> RegistryError:
    return RegistryError(f"the tag {tag!r}, set at training, is {tags.get(tag, '')!r} and not {wanted}")
