"""The first reasons of a prediction: the features with the largest effects, with their names and values in the file."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.evaluation.task import Values
from ml_platform.parsing.conversion import value_text
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.parts import Column, Scalar

MISSING = "missing"  # in a result file; in an answer a missing value is null


@dataclass(frozen=True)
class Reasons:
    """Of each row the features with the largest effects, the largest first; of equal effects in the spec's order.

    Base, effects and rest of a row add up to its prediction, on the scale of `scale_facts`.

    Attributes:
        features: names of all features as in the files.
        base: what the model says if it knows nothing about the row, shape (n_rows,).
        order: index of the feature of each reason, shape (n_rows, n_reasons).
        effects: of each reason, shape (n_rows, n_reasons).
        rest: sum of the effects of all other features, shape (n_rows,).
        values: of the row, by feature; None is missing.
    """

    features: tuple[str, ...]
    base: NDArray[np.float64]
    order: NDArray[np.intp]
    effects: NDArray[np.float64]
    rest: NDArray[np.float64]
    values: list[list[Scalar | None]]

    def by_row(self) -> Iterator[dict[str, Any]]:
        """Yield the fields of the answer to an HTTP request."""
        columns = (self.order.tolist(), self.effects.tolist(), self.base.tolist(), self.rest.tolist())
        for row, (order, effects, base, rest) in enumerate(zip(*columns, strict=True)):
            reasons = [
                {"feature": self.features[feature], "value": self.values[feature][row], "effect": effect}
                for feature, effect in zip(order, effects, strict=True)
            ]
            yield {"base": base, "reasons": reasons, "rest": rest}

    def columns(self) -> dict[str, pa.Array]:
        """Return the columns of a result file, each of shape (n_rows,)."""
        columns = {"reason_base": pa.array(self.base, pa.float64())}
        for number in range(self.order.shape[1]):
            name, features = f"reason_{number + 1}", self.order[:, number].tolist()
            values = (self.values[feature][row] for row, feature in enumerate(features))
            columns |= {
                name: pa.array([self.features[feature] for feature in features], pa.string()),
                f"{name}_value": pa.array(map(_text, values), pa.string()),
                f"{name}_effect": pa.array(self.effects[:, number], pa.float64()),
            }
        return columns | {"reason_rest": pa.array(self.rest, pa.float64())}


def reasons_of(model: LoadedModel, rows: pd.DataFrame | pa.RecordBatch, predictions: Values, count: int) -> Reasons:
    """Return the first reasons of predictions; those of a row are the same to the bit in any batch.

    Args:
        model: the model.
        rows: its input, as `model_rows` returns it, shape (n_rows, n_columns).
        predictions: as `LoadedModel.predict` returns them for these rows, shape (n_rows,).
        count: of reasons per row, at least 1; with fewer features, all of them are given.

    Raises:
        RegistryError: the model gives no reasons.
    """
    found = model.explain(rows, predictions)
    order = np.argsort(-np.abs(found.effects), axis=1, kind="stable")
    ranked = np.take_along_axis(found.effects, order, axis=1)
    others = np.hstack([np.zeros((len(ranked), 1)), ranked[:, count:]])
    rest = np.add.accumulate(others, axis=1)[:, -1]  # `sum` would add in an order that depends on the number of rows
    return Reasons(
        _names(model), found.base, order[:, :count], ranked[:, :count], rest,
        [_values(rows, name, model.dataset.features.get(name)) for name in model.columns],
    )  # fmt: skip


def no_reasons(model: LoadedModel, count: int) -> Reasons:
    """Return the reasons of no rows; so they have the columns of a result."""
    count, nothing = min(count, len(model.columns)), np.empty(0)
    order = np.empty((0, count), dtype=np.intp)
    return Reasons(_names(model), nothing, order, np.empty((0, count)), nothing, [[] for _ in model.columns])


def scale_facts(model: LoadedModel) -> dict[str, Any]:
    """Return what the effects add up to, and the base values: one, or with several classes that of each class.

    Raises:
        RegistryError: the model gives no reasons.
    """
    scale, base = model.task.effect_scale(model.explainer.scale), model.explainer.base.tolist()
    return {"scale": scale, "base": base[0] if len(base) == 1 else dict(zip(model.task.classes, base, strict=True))}


def _names(model: LoadedModel) -> tuple[str, ...]:
    dataset = model.dataset
    return tuple(dataset.header(name) if name in dataset.columns else name for name in model.columns)


def _values(rows: pd.DataFrame | pa.RecordBatch, name: str, column: Column | None) -> list[Scalar | None]:
    if isinstance(rows, pd.DataFrame):
        values = rows[name].tolist() if name in rows else [None] * len(rows)
    else:
        values = rows.column(name).to_pylist() if name in rows.schema.names else [None] * rows.num_rows
    as_typed = {"integer": int, "boolean": bool}.get(column.type if column else "", _unchanged)  # a frame has floats
    return [None if _is_missing(value) else as_typed(value) for value in values]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _unchanged(value: Any) -> Any:
    return value


def _text(value: Scalar | None) -> str:
    return MISSING if value is None else value_text(value)
