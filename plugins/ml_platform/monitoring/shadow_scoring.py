"""Scoring in shadow: files that the champion has scored are read again and scored by a challenger, into a log only.

It runs in a task of its own, later than the scoring. So a challenger that is slow, or fails, touches no result.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from mlflow.entities.model_registry import ModelVersion

from ml_platform.exceptions import RegistryError
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.monitoring import window
from ml_platform.monitoring.shadow_records import Shadow
from ml_platform.monitoring.window import Window
from ml_platform.parsing.batches import read_batches
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.model_rows import model_rows, reading_spec
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, transaction
from ml_platform.storage.object_store import ObjectVersion

log = logging.getLogger(__name__)

NAMES = tuple(name for name in prediction_log.SCHEMA.names if not name.startswith("stream"))


def score_new(dataset: Dataset, version: ModelVersion, shadow: Shadow) -> int:
    """Score the files that the champion has scored since the shadow began, each once; return their number.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        version: of the challenger.
        shadow: its record.

    Raises:
        RegistryError: the challenger cannot be loaded, or cannot score a row.
        ContractError: a file breaks the contract of the challenger's spec.
        ServiceError: a server failed; run it again.
    """
    scored = window.files(Window(version.name, shadow.champion, shadow.began_at, datetime.now(UTC)))
    known = {key for (key,) in fetch(
        "SELECT DISTINCT result_key FROM predictions.shadow WHERE model = $1 AND model_version = $2::int",
        *(version.name, shadow.version),
    )}  # fmt: skip
    new = [report for report in scored if report["result_key"] not in known]
    if not new:
        return 0
    model = registry.load(version)
    for report in new:
        if (stored := window.stored(report)) is None:
            log.warning("%s is not there any more, so it is not scored in shadow", report["archived_key"])
        else:
            _write(model, _entries(model, dataset, stored, report), str(report["result_key"]))
            log.info("%r is scored in shadow by version %d", report["key"], shadow.version)
    return len(new)


def _entries(
    model: LoadedModel, current: Dataset, stored: ObjectVersion, report: UploadReport
) -> Iterator[pa.RecordBatch]:
    uploaded = datetime.fromisoformat(report["last_modified"])
    with object_store.local_copy(stored) as copy:
        spec = reading_spec(model.dataset, current)
        for batch in read_batches(copy.file, spec, "test", repr(report["key"])):
            outputs, predictions = model.predict(model_rows(model.dataset, batch.rows, uploaded))
            if not np.isfinite(outputs).all():
                raise RegistryError(f"version {model.version} gives outputs that are not finite numbers")
            yield prediction_log.entries(model, batch.rows, outputs, predictions, uploaded).select(NAMES)


def _write(model: LoadedModel, batches: Iterator[pa.RecordBatch], result_key: str) -> None:
    """Write what a challenger says about the rows of a result file; what was written before is replaced."""
    schema = pa.schema([prediction_log.SCHEMA.field(name) for name in NAMES])
    names = ", ".join(NAMES)
    with transaction() as cursor:
        cursor.adbc_ingest(
            "shadowed", pa.RecordBatchReader.from_batches(schema, batches), mode="create", temporary=True
        )
        cursor.execute(
            "DELETE FROM predictions.shadow WHERE model = $1 AND model_version = $2::int AND result_key = $3",
            (model.name, model.version, result_key),
        )
        cursor.execute(
            f"INSERT INTO predictions.shadow ({names}, result_key) SELECT"  # noqa: S608 – names of columns
            f" {names.replace('entity_key', 'entity_key::jsonb')}, $1 FROM pg_temp.shadowed",
            (result_key,),
        )
        cursor.execute("DROP TABLE pg_temp.shadowed")
