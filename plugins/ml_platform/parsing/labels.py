"""The label's values: as the spec names them, typed, and as a file would write them."""

from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.conversion import convert
from ml_platform.specs.spec import Dataset


def label_values(dataset: Dataset) -> list[Any]:
    """Return the typed values of the label that the spec names: all classes, or negative (if named) and positive.

    Raises:
        ConfigurationError: no cell of the label column can hold one of them.
    """
    label, column = dataset.label, dataset.columns[dataset.label.column]
    asked = {f"classes.{i}": value for i, value in enumerate(label.classes or ())}
    named = {
        field: value
        for field, value in (*asked.items(), ("negative", label.negative), ("positive", label.positive))
        if value is not None
    }
    texts = list(map(class_text, named.values()))
    values, reasons = convert(pa.array(texts, pa.string()), column, required=True)
    for row, reason in reasons.items():
        raise ConfigurationError(f"datasets/{dataset.name}.yaml: label.{list(named)[row]} is {texts[row]!r}: {reason}")
    typed: list[Any] = values.to_pylist()
    return typed


def class_text(value: Any) -> str:
    """Return a label's value as a file would write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
