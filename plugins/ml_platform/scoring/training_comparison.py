"""Warnings about a scored file: how its rows and predictions differ from what the model was trained on."""

import io
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.evaluation.task import Task, Values
from ml_platform.exceptions import UploadChangedError
from ml_platform.files.formats import display_text
from ml_platform.parsing.column_warnings import LISTED
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.parts import NUMERIC_TYPES
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.training.training_set import BUCKET, entity_ids, frozen_key

log = logging.getLogger(__name__)

FEW_ROWS = 20  # in a smaller file, equal predictions say nothing
ALIKE = 0.99  # share of one prediction that is nearly all
USUAL = 0.9  # share of this label in the training from which that is no surprise
TIME = "event_timestamp"


@dataclass(frozen=True)
class TrainingFacts:
    """What a model was trained on, without the hold-out.

    Attributes:
        ids: of the rows: the entity, as `entity_ids` returns it, and where the data set has an event time, also that.
        categories: by feature, its values.
        ranges: by feature, its least and greatest value.
        shares: the share of each label, by its text in `Task.groups`.
    """

    ids: pd.Index
    categories: dict[str, frozenset[str]]
    ranges: dict[str, tuple[float, float]]
    shares: dict[str, float]


def training_facts(model: LoadedModel) -> TrainingFacts | None:
    """Return what a model was trained on; None if its training set is not here, or not readable.

    Raises:
        ServiceError: the object store failed.
    """
    key = frozen_key(model.dataset, model.training_set_sha256)
    try:
        return _read_facts(key, model.dataset.model_dump_json(), model.task, model.holdout)
    except UploadChangedError:
        log.info("s3://%s/%s is not here: the file is not compared with the training", BUCKET, key)
    except (pa.ArrowException, KeyError, ValueError) as error:
        log.warning("s3://%s/%s cannot be read: the file is not compared with the training: %s", BUCKET, key, error)
    return None


@lru_cache(maxsize=2)
def _read_facts(key: str, spec: str, task: Task, rule: HoldoutRule) -> TrainingFacts:
    dataset = Dataset.model_validate_json(spec)
    frame = pd.read_parquet(io.BytesIO(object_store.get(BUCKET, key)))
    trained = frame[~rule.mask(entity_ids(dataset, frame), frame[TIME])]
    return _facts(dataset, trained, task)


def _facts(dataset: Dataset, frame: pd.DataFrame, task: Task) -> TrainingFacts:
    types = {name: column.type for name, column in dataset.own_features.items()}
    numbers = [name for name, kind in types.items() if kind in NUMERIC_TYPES and frame[name].notna().any()]
    labels = Counter(task.groups(frame[dataset.label.column].to_numpy()))
    return TrainingFacts(
        _ids(dataset, frame, frame[TIME]),
        {name: frozenset(frame[name].dropna()) for name, kind in types.items() if kind == "category"},
        {name: (float(frame[name].min()), float(frame[name].max())) for name in numbers},
        {text: count / len(frame) for text, count in labels.items()},
    )


def _ids(dataset: Dataset, frame: pd.DataFrame, times: pd.Series) -> pd.Index:
    ids: pd.Index = pd.Index(entity_ids(dataset, frame))
    if dataset.event_time:
        ids = pd.MultiIndex.from_arrays([ids, pd.to_datetime(times, utc=True).astype("datetime64[ns, UTC]")])
    return ids


class TrainingComparison:
    """Counts, batch by batch, what of a scored file differs from the training."""

    def __init__(self, model: LoadedModel, facts: TrainingFacts | None) -> None:
        """Begin with no rows; without `facts` only the predictions are looked at."""
        self._model, self._facts = model, facts
        self._rows = self._trained = 0
        self._predicted: Counter[str] = Counter()
        self._unseen: dict[str, Counter[str]] = {}
        self._outside: dict[str, tuple[int, float]] = {}

    def add(self, rows: pa.RecordBatch, predictions: Values) -> None:
        """Count scored rows.

        Args:
            rows: typed, shape (n_rows, n_columns).
            predictions: as `LoadedModel.predict` returns them, shape (n_rows,).
        """
        self._rows += rows.num_rows
        self._predicted.update(self._model.task.groups(predictions))
        if self._facts is None:
            return
        self._count_trained(rows, self._facts.ids)
        for name, known in self._facts.categories.items():
            self._count_unseen(name, rows.column(name), known)
        for name, limits in self._facts.ranges.items():
            self._count_outside(name, rows.column(name), *limits)

    def _count_trained(self, rows: pa.RecordBatch, trained: pd.Index) -> None:
        dataset = self._model.dataset
        frame = rows.select(list(dataset.keys)).to_pandas()
        times = rows.column(dataset.event_time).to_pandas() if dataset.event_time else pd.Series(dtype=object)
        self._trained += int(_ids(dataset, frame, times).isin(trained).sum())

    def _count_unseen(self, name: str, values: pa.Array, known: frozenset[str]) -> None:
        for entry in pc.value_counts(values.drop_null()).to_pylist():
            if entry["values"] not in known:
                self._unseen.setdefault(name, Counter())[entry["values"]] += entry["counts"]

    def _count_outside(self, name: str, values: pa.Array, low: float, high: float) -> None:
        margin = (high - low) or abs(high) or 1.0
        numbers = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
        outside = numbers[(numbers < low - margin) | (numbers > high + margin)]
        if len(outside):
            count, example = self._outside.get(name, (0, float(outside[0])))
            self._outside[name] = (count + len(outside), example)

    def texts(self) -> list[str]:
        """Return a sentence for each finding."""
        return [*self._unseen_texts(), *self._outside_texts(), *self._trained_text(), *self._alike_text()]

    def _unseen_texts(self) -> Iterator[str]:
        for name, counts in self._unseen.items():
            shown = ", ".join(f"{display_text(value)} ({_rows(count)})" for value, count in counts.most_common(LISTED))
            more = f" and {len(counts) - LISTED:,} more" if len(counts) > LISTED else ""
            yield f"{self._header(name)} has values that the model was not trained on: {shown}{more}"

    def _outside_texts(self) -> Iterator[str]:
        for name, (count, example) in self._outside.items():
            low, high = self._facts.ranges[name] if self._facts else (np.nan, np.nan)
            yield (
                f"{self._header(name)} is far outside the {low:g} to {high:g} of the training in {_rows(count)}, "
                f"for example {example:g}"
            )

    def _trained_text(self) -> Iterator[str]:
        if self._trained:
            dataset = self._model.dataset
            with_time = "key and time of rows" if dataset.has_key else "features and time of rows"
            what = with_time if dataset.event_time else "keys" if dataset.has_key else "the features of rows"
            yield (
                f"{self._trained:,} of {_rows(self._rows)} have {what} that the model was trained on; do not measure "
                "the model by them"
            )

    def _alike_text(self) -> Iterator[str]:
        ((name, count),) = self._predicted.most_common(1) or [("", 0)]
        share = self._facts.shares.get(name, 0.0) if self._facts else 0.0
        if self._rows >= FEW_ROWS and count >= ALIKE * self._rows and share < USUAL:
            trained = f"; in the training it was {share:.0%}" if self._facts else ""
            yield f"nearly all predictions are alike: {display_text(name)} in {count:,} of {_rows(self._rows)}{trained}"

    def _header(self, name: str) -> str:
        return self._model.dataset.header(name)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
