"""Why a prediction of the log is what it is: its row is found again, scored by the same version, and explained.

The log has no features. The row of a file is in the archived file; any other row may be the newest loaded row of its
entity as of then. Reasons are given only if the row has the logged prediction, to the bit: then it is the same row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.lineage.records import scored_upload
from ml_platform.monitoring import window
from ml_platform.parsing.batches import read_batches
from ml_platform.records.known_rows import as_of
from ml_platform.records.predictions import Prediction
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.model_rows import model_rows, reading_spec
from ml_platform.scoring.reasons import reasons_of, scale_facts
from ml_platform.specs.parts import Scalar
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store

MOST_BYTES = 200 * 2**20  # of a file that is read again for one row


@dataclass(frozen=True)
class Reason:
    """A feature, the row's value, and how much it moves the prediction."""

    feature: str
    value: Scalar | None
    effect: float


@dataclass(frozen=True)
class Explanation:
    """The reasons of a prediction; base, effects and rest add up to it, on a scale.

    Attributes:
        reasons: the largest effects, in that order.
        base: what the model says if it knows nothing about the row.
        rest: sum of all other effects.
        scale: what they add up to.
    """

    reasons: tuple[Reason, ...]
    base: float
    rest: float
    scale: str


@dataclass(frozen=True)
class NotExplained:
    """Why there are no reasons, in a sentence."""

    reason: str


def explain(
    dataset: Dataset, model: LoadedModel, key: Mapping[str, Any], prediction: Prediction, count: int
) -> Explanation | NotExplained:
    """Return the reasons of a prediction, or why there are none.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        model: the version that predicted.
        key: of the entity.
        prediction: of the log.
        count: number of reasons, at least 1.

    Raises:
        RegistryError: the model cannot score, or gives no reasons.
        ContractError: the file is not what it was when it was scored.
        ServiceError: a server failed.
    """
    if prediction.result_key:
        found = _row_of_file(dataset, model, key, prediction)
    else:
        found = as_of(model.dataset, key, prediction.event_time, prediction.requested_at), prediction.requested_at
    if isinstance(found, NotExplained):
        return found
    row, uploaded = found
    if row is None or not row.num_rows:
        return NotExplained("Its row is not kept: it came over HTTP or in a stream, and no loaded row is like it.")
    return _explained(model, row, uploaded, prediction, count)


def _explained(
    model: LoadedModel, row: pa.RecordBatch, uploaded: datetime, prediction: Prediction, count: int
) -> Explanation | NotExplained:
    inputs = model_rows(model.dataset, row, uploaded)
    outputs, predictions = model.predict(inputs)
    logged = model.task.log_columns(outputs, predictions)
    if any(values[0] != getattr(prediction, name) for name, values in logged.items()):
        return NotExplained("Its row is not kept: the row that was found has another prediction.")
    (found,) = reasons_of(model, inputs, predictions, count).by_row()
    reasons = tuple(Reason(**reason) for reason in found["reasons"])
    return Explanation(reasons, found["base"], found["rest"], scale_facts(model)["scale"])


def _row_of_file(
    dataset: Dataset, model: LoadedModel, key: Mapping[str, Any], prediction: Prediction
) -> tuple[pa.RecordBatch | None, datetime] | NotExplained:
    """Return the row as it was scored, and when its file came."""
    recorded = scored_upload(str(prediction.result_key))
    version = window.stored(recorded[0]) if recorded else None
    if recorded is None or version is None:
        return NotExplained("The scored file was removed, and its row with it.")
    if version.size > MOST_BYTES:
        return NotExplained("The scored file is too large to look for one row here; its result can have reasons.")
    uploaded = datetime.fromisoformat(recorded[0]["last_modified"])
    with object_store.local_copy(version) as copy:
        for batch in read_batches(copy.file, reading_spec(model.dataset, dataset), "test", repr(recorded[0]["key"])):
            if (row := _with_key(model.dataset, batch.rows, key, prediction)).num_rows:
                return row.slice(0, 1), uploaded
    return NotExplained("The row is not in the scored file any more.")


def _with_key(dataset: Dataset, rows: pa.RecordBatch, key: Mapping[str, Any], prediction: Prediction) -> pa.RecordBatch:
    values = dict(key) | ({dataset.event_time: prediction.event_time} if dataset.event_time else {})
    for name, value in values.items():
        rows = rows.filter(pc.equal(rows.column(name), pa.scalar(value, rows.schema.field(name).type)))
    return rows
