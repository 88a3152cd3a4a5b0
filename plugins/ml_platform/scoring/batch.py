"""Scoring: an upload in the bucket `test` becomes predictions in the bucket `result`, in the order of its rows."""

import csv
import hashlib
import io
import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from ml_platform.exceptions import ContractError, RegistryError, ServiceError
from ml_platform.ingestion import ledger, staging, uploads
from ml_platform.ingestion.upload_report import Reason, UploadReport, timed_stem
from ml_platform.ingestion.uploads import Upload
from ml_platform.parsing.batches import BadValue, Batch
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.model_rows import model_rows, reading_spec
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction

log = logging.getLogger(__name__)

BUCKET = "result"


def columns(champion: LoadedModel) -> tuple[str, ...]:
    """Return the header of a result: the entity key, and what the model says of it.

    Of two classes `probability` is that of the positive one, and `prediction` follows from the threshold. Of several
    it is that of the predicted one, and each class has a column of its own.
    """
    keys = tuple(champion.dataset.header(key) for key in champion.dataset.keys)
    if champion.threshold is not None:
        return (*keys, "probability", "prediction", "model_version", "threshold")
    return (*keys, "probability", "prediction", *(f"probability_{name}" for name in champion.classes), "model_version")


def is_ready(dataset: Dataset) -> bool:
    """Tell whether there is a champion to score with; where there is none, say which files wait for it."""
    if registry.alias_version(dataset.name, registry.CHAMPION):
        return True
    names = ", ".join(uploads.waiting(dataset, "test"))
    log.info("%s has no champion yet; scored as soon as train_%s promotes one: %s", dataset.name, dataset.name, names)
    return False


@dataclass
class Predictions:
    """The rows of a result as they are written, and what was wrong with the others."""

    champion: LoadedModel
    uploaded: datetime
    file: BinaryIO
    logged: prediction_log.Spool
    rows_read: int = 0
    rows_scored: int = 0

    def write(self, batches: Iterator[Batch]) -> list[BadValue]:
        """Score batch by batch, so that memory stays bounded; return everything that was wrong."""
        text = io.TextIOWrapper(self.file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns(self.champion))
        bad: list[BadValue] = []
        for batch in batches:
            if batch.rows.num_rows:
                writer.writerows(self._scored(batch.rows))
            self.rows_read += batch.rows_read
            self.rows_scored += batch.rows.num_rows
            bad += batch.bad
        text.detach()
        return bad

    def _scored(self, rows: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
        champion = self.champion
        keys = zip(*(rows.column(key).to_pylist() for key in champion.dataset.keys), strict=True)
        probabilities, predictions = champion.predict(model_rows(champion.dataset, rows, self.uploaded))
        if not np.isfinite(probabilities).all():
            raise RegistryError(
                f"{champion.name} version {champion.version} gives probabilities that are no numbers: nothing is "
                "written; go back to the version before"
            )
        self.logged.add(prediction_log.entries(champion, rows, probabilities, predictions, self.uploaded))
        for key, probability, prediction in zip(keys, probabilities, predictions, strict=True):
            name = champion.classes[prediction]
            if champion.threshold is not None:
                yield *key, repr(float(probability)), name, champion.version, repr(champion.threshold)
            else:
                each = (repr(float(one)) for one in probability)
                yield *key, repr(float(probability[prediction])), name, *each, champion.version


def score(dataset: Dataset, key: str) -> UploadReport:
    """Score one file with the champion and write the result and its card; run twice, same world.

    A retry after a crash takes the model that the interrupted attempt had taken, so that what it left stays true.

    Args:
        dataset: what the columns mean.
        key: of the object in the bucket `test`.

    Returns:
        What became of it: scored, rejected, or gone if it was removed before it was read.

    Raises:
        RegistryError: there is no sound champion, or it gives a row no probability; nothing is written.
        ServiceError: a server failed; run it again.
    """
    with uploads.open_upload(dataset, "test", key) as upload:
        return upload.earlier or _score(dataset, upload)


def _score(dataset: Dataset, upload: Upload) -> UploadReport:
    for result_key in result_keys(upload):
        champion = _model_of(dataset, result_key)
        spec = reading_spec(champion.dataset, dataset)
        upload = replace(upload, dataset=spec)
        with tempfile.TemporaryFile() as file, prediction_log.spool() as logged:
            predictions = Predictions(champion, upload.object.last_modified, file, logged)
            try:
                bad = predictions.write(upload.batches())
                _check_share(spec, predictions, bad)
            except ContractError as error:
                return _record_rejection(upload, error)
            if _is_written(result_key, file):
                return _finish(upload, predictions, bad, result_key)
    raise ServiceError(f"{upload.object.key!r}: every name for its result is taken by another")


def _check_share(dataset: Dataset, predictions: Predictions, bad: list[BadValue]) -> None:
    counts = staging.Counts(predictions.rows_read, 0, predictions.rows_read - predictions.rows_scored)
    if problem := staging.too_many(dataset, counts):
        raise staging.FileRejectedError(problem, counts, _reasons(bad))


def _reasons(bad: list[BadValue]) -> list[Reason]:
    return [Reason(line=b.line, column=b.column, value=b.value, reason=b.reason) for b in bad[: staging.REASONS]]


def result_keys(upload: Upload) -> tuple[str, str]:
    """Return where a result goes: by name and time of the upload; the second if other bytes came in the same second."""
    stem = f"{upload.dataset.name}/{timed_stem(upload.object)}"
    return f"{stem}.csv", f"{stem}.{upload.local.sha256[:8]}.csv"


def _model_of(dataset: Dataset, result_key: str) -> LoadedModel:
    """Return the model of a result that an interrupted attempt wrote, else the champion."""
    version = _version_in(result_key)
    if version is None:
        return registry.load_champion(dataset.name)
    return registry.load(registry.get_version(dataset.name, version))


def _version_in(result_key: str) -> int | None:
    written = object_store.head(BUCKET, result_key)
    if written is None:
        return None
    with object_store.local_copy(written) as copy, io.TextIOWrapper(copy.file, encoding="utf-8", newline="") as text:
        first = next(csv.DictReader(text), None)
    return int(first["model_version"]) if first else None


def _is_written(result_key: str, file: BinaryIO) -> bool:
    """Write a result unless there is one; tell whether what lies there now is the same to the byte."""
    file.seek(0)
    if object_store.put_new(BUCKET, result_key, file, "text/csv; charset=utf-8"):
        return True
    file.seek(0)
    written = object_store.head(BUCKET, result_key)
    if written is None:
        raise ServiceError(f"s3://{BUCKET}/{result_key} was removed in this moment")
    with object_store.local_copy(written) as copy:
        ours = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # typeshed's BinaryIO lacks readinto
        return copy.sha256 == ours.hexdigest()


def _finish(upload: Upload, predictions: Predictions, bad: list[BadValue], result_key: str) -> UploadReport:
    champion, rejected = predictions.champion, predictions.rows_read - predictions.rows_scored
    report = upload.report(
        "scored",
        rows_read=predictions.rows_read,
        rows_rejected=rejected,
        result_key=result_key,
        reasons=_reasons(bad),
    )
    card = {
        "dataset": upload.dataset.name,
        "file": upload.object.key,
        "file_sha256": upload.local.sha256,
        "uploaded": upload.object.last_modified.isoformat(),
        "result": result_key,
        "model": champion.name,
        "model_version": champion.version,
        "model_run_id": champion.run_id,
        "training_set_sha256": champion.training_set_sha256,
        "spec_sha256": champion.dataset.sha256,
        "threshold": champion.threshold,
        "rows_in": predictions.rows_read,
        "rows_out": predictions.rows_scored,
        "rows_rejected": rejected,
    }
    body = json.dumps(card, indent=2).encode() + b"\n"
    object_store.put_new(BUCKET, result_key.removesuffix(".csv") + ".json", body, "application/json")
    log.info(
        "%r: %s rows read, %s scored by %s version %d%s, %s rejected; result: %s/%s",
        upload.object.key, f"{predictions.rows_read:,}", f"{predictions.rows_scored:,}",
        champion.name, champion.version,
        "" if champion.threshold is None else f" at threshold {champion.threshold:.3f}", f"{rejected:,}",
        BUCKET, result_key,
    )  # fmt: skip
    with transaction() as cursor:
        ledger.claim(cursor, report)
        ledger.record_counts(cursor, report)
        ledger.keep_rejected(cursor, report, bad)
        prediction_log.write(cursor, predictions.logged.batches(), "batch", result_key)
        return ledger.record_arrival(cursor, report)


def _record_rejection(upload: Upload, error: ContractError) -> UploadReport:
    log.warning("%r is rejected: %s", upload.object.key, error)
    with transaction() as cursor:
        return ledger.record_arrival(cursor, upload.rejection(error))
