"""The values of the label: typed, and as texts."""

from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.conversion import convert
from ml_platform.specs.spec import Dataset


def label_values(dataset: Dataset) -> list[Any]:
    """Return the label values of the spec, typed: all classes, or negative (if given) and positive.

    Raises:
        ConfigurationError: a value does not fit the label column.
    """
    label, column = dataset.label, dataset.columns[dataset.label.column]
    classes = {f"classes.{i}": value for i, value in enumerate(label.classes or ())}
    named = {
        field: value
        for field, value in (*classes.items(), ("negative", label.negative), ("positive", label.positive))
        if value is not None
    }
    texts = list(map(class_text, named.values()))
    values, reasons = convert(pa.array(texts, pa.string()), column, required=True)
    for row, reason in reasons.items():
        raise ConfigurationError(f"datasets/{dataset.name}.yaml: label.{list(named)[row]} is {texts[row]!r}: {reason}")
    typed: list[Any] = values.to_pylist()
    return typed


def class_text(value: Any) -> str:
    """Return a label value as it is written in files."""
    return str(value).lower() if isinstance(value, bool) else str(value)
