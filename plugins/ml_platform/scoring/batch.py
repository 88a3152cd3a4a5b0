"""Batch scoring: a file in the bucket `test` becomes a result in the bucket `result`, in the order of its rows."""

import hashlib
import logging
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from ml_platform import logs
from ml_platform.exceptions import ContractError, RegistryError, ServiceError
from ml_platform.ingestion import inbox, ledger, loading, report_files, settling, staging, uploads
from ml_platform.ingestion.upload_report import Reason, UploadReport, timed_stem
from ml_platform.ingestion.uploads import Upload
from ml_platform.parsing.batches import BadValue, Batch
from ml_platform.registry import registry
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.model_rows import model_rows, reading_spec
from ml_platform.scoring.reasons import reasons_of, scale_facts
from ml_platform.scoring.result_files import (
    CONTENT_TYPES,
    Origin,
    ResultFile,
    card_json,
    open_result,
    origin_of,
    result_batch,
    result_schema,
)
from ml_platform.scoring.result_keys import BUCKET, card_key
from ml_platform.scoring.row_identity import identity_fields
from ml_platform.scoring.training_comparison import TrainingComparison, training_facts
from ml_platform.specs.parts import ResultFormat
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.storage.database import transaction

log = logging.getLogger(__name__)


def is_ready(dataset: Dataset, *, is_first_look: bool) -> bool:
    """Return whether there is a champion to score with; if not, log at the first look which files wait for one."""
    name = dataset.name
    if registry.alias_version(name, registry.CHAMPION):
        return True
    if is_first_look:
        files = inbox.names(inbox.look(dataset, "test").due)
        log.info("%s has no champion yet; these files are scored when train_%s has promoted one: %s", name, name, files)
    return False


@dataclass
class ResultWriter:
    """Scores the rows of one upload and writes them to a result file.

    Attributes:
        champion: the model.
        uploaded: the time of the upload.
        result: the result, open for writing.
        log_buffer: takes the log entries of the predictions.
        comparison: with what the model was trained on.
        n_reasons: per row; 0 if there are none.
        rows_read: good and bad rows so far.
        rows_scored: good rows so far.
    """

    champion: LoadedModel
    uploaded: datetime
    result: ResultFile
    log_buffer: prediction_log.LogBuffer
    comparison: TrainingComparison
    n_reasons: int = 0
    rows_read: int = 0
    rows_scored: int = 0

    def write(self, batches: Iterator[Batch]) -> list[BadValue]:
        """Score and write batch by batch, so that memory stays bounded, and close the result; return all bad values.

        Raises:
            ContractError: the file breaks the contract.
            RegistryError: the model gives a row no finite output, or no reasons.
        """
        bad: list[BadValue] = []
        with closing(self.result):
            for batch in batches:
                if batch.rows.num_rows:
                    self.result.write(self._score(batch.rows))
                self.rows_read += batch.rows_read
                self.rows_scored += batch.rows.num_rows
                bad += batch.bad
        return bad

    def _score(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        champion = self.champion
        inputs = model_rows(champion.dataset, rows, self.uploaded)
        outputs, predictions = champion.predict(inputs)
        if not np.isfinite(outputs).all():
            raise RegistryError(
                f"{champion.name} version {champion.version} gives outputs that are not finite numbers: "
                "nothing is written; roll back to the previous version"
            )
        self.log_buffer.add(prediction_log.entries(champion, rows, outputs, predictions, self.uploaded))
        self.comparison.add(rows, predictions)
        reasons = reasons_of(champion, inputs, predictions, self.n_reasons) if self.n_reasons else None
        return result_batch(champion, rows, outputs, predictions, reasons)


def score(dataset: Dataset, key: str) -> UploadReport:
    """Score one file with the champion and write the result and its card; idempotent.

    A retry after a crash uses the model of the interrupted attempt, so that the result it wrote stays valid.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        key: of the object in the bucket `test`.

    Returns:
        The report; its outcome is scored, rejected, or gone if the file was removed before it was read.

    Raises:
        RegistryError: there is no valid champion, or it gives a row no finite output, or no reasons although the data
            set asks for them; nothing is written.
        UploadChangedError: the file was replaced each time it was read.
        ServiceError: a server failed; run it again.
    """
    with uploads.open_upload(dataset, "test", key) as upload:
        return upload.earlier_report or _score(dataset, upload)


def answer(dataset: Dataset, key: str) -> UploadReport:
    """Score and settle one file of the bucket `test`.

    Raises:
        RegistryError, UploadChangedError, ServiceError: as `score`.
    """
    return settling.settle(score(dataset, key), is_numbered=not dataset.has_key)


def _score(dataset: Dataset, upload: Upload) -> UploadReport:
    for stem in result_stems(upload):
        form = _written_format(stem) or dataset.result.format
        result_key = f"{stem}.{form}"
        champion, n_reasons = _choose_model(dataset, result_key)
        logs.bind(model=champion.version)
        spec = reading_spec(champion.dataset, dataset)
        upload = replace(upload, dataset=spec)
        with tempfile.TemporaryFile() as file, prediction_log.open_buffer() as log_buffer:
            result = open_result(file, form, result_schema(champion, n_reasons))
            comparison = TrainingComparison(champion, training_facts(champion))
            writer = ResultWriter(champion, upload.object.last_modified, result, log_buffer, comparison, n_reasons)
            try:
                bad = writer.write(upload.batches())
                _check_share(spec, writer, bad, upload.object.key)
            except ContractError as error:
                return _record_rejection(upload, error)
            if _is_written(result_key, file, CONTENT_TYPES[form]):
                return _finish(upload, writer, bad, result_key)
    raise ServiceError(f"{upload.object.key!r}: both names for its result are taken by other files")


def _check_share(dataset: Dataset, writer: ResultWriter, bad: list[BadValue], key: str) -> None:
    counts = loading.Counts(writer.rows_read, 0, writer.rows_read - writer.rows_scored)
    if problem := loading.rejection_reason(dataset, counts, key):
        raise loading.FileRejectedError(problem, counts, _reasons(bad))


def _reasons(bad: list[BadValue]) -> list[Reason]:
    return [Reason(line=b.line, column=b.column, value=b.value, reason=b.reason) for b in bad[: staging.MAX_REASONS]]


def result_stems(upload: Upload) -> tuple[str, str]:
    """Return the keys for a result without their ending, made of the upload's name and time.

    The second is for a file whose name and second of upload give the same first key as another file's.
    """
    stem = f"{upload.dataset.name}/{timed_stem(upload.object)}"
    return stem, f"{stem}.{upload.local.sha256[:8]}"


def _written_format(stem: str) -> ResultFormat | None:
    """Return the format of the result that an interrupted attempt wrote, which the YAML may have named before."""
    return next((form for form in CONTENT_TYPES if object_store.head(BUCKET, f"{stem}.{form}")), None)


def _choose_model(dataset: Dataset, result_key: str) -> tuple[LoadedModel, int]:
    """Return model and number of reasons of a result that an interrupted attempt wrote; if there is none, of now."""
    origin = _origin_of(result_key)
    if origin is None:
        return registry.load_champion(dataset.name), dataset.result.explain
    return registry.load_live(registry.get_version(dataset.name, origin.model_version)), origin.n_reasons


def _origin_of(result_key: str) -> Origin | None:
    written = object_store.head(BUCKET, result_key)
    if written is None:
        return None
    with object_store.local_copy(written) as copy:
        return origin_of(copy.file, result_key)


def _is_written(result_key: str, file: BinaryIO, content_type: str) -> bool:
    """Write a result unless there is one; return whether the object there now has the same bytes."""
    file.seek(0)
    if object_store.put_new(BUCKET, result_key, file, content_type):
        return True
    file.seek(0)
    written = object_store.head(BUCKET, result_key)
    if written is None:
        raise ServiceError(f"s3://{BUCKET}/{result_key} was removed while it was compared")
    with object_store.local_copy(written) as copy:
        digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # typeshed's BinaryIO lacks readinto
        return copy.sha256 == digest.hexdigest()


def _finish(upload: Upload, writer: ResultWriter, bad: list[BadValue], result_key: str) -> UploadReport:
    champion, rejected = writer.champion, writer.rows_read - writer.rows_scored
    report = upload.report(
        "scored",
        rows_read=writer.rows_read,
        rows_rejected=rejected,
        result_key=result_key,
        reasons=_reasons(bad),
        warnings=[*upload.warnings, *writer.comparison.texts()],
    )
    card = {
        "dataset": upload.dataset.name,
        "file": upload.object.key,
        "file_sha256": upload.local.sha256,
        "uploaded": upload.object.last_modified.isoformat(),
        "result": result_key,
        "identified_by": [field.name for field in identity_fields(champion.dataset)],
        "model": champion.name,
        "model_version": champion.version,
        "model_run_id": champion.run_id,
        "model_page": mlflow_client.version_url(champion.name, champion.version),
        "model_card": mlflow_client.page_url(champion.card_page) if champion.card_page else None,
        "degraded": champion.problem,
        "training_set_sha256": champion.training_set_sha256,
        "spec_sha256": champion.dataset.sha256,
        **champion.task.facts(),
        **({"reasons": scale_facts(champion)} if writer.n_reasons else {}),
        "rows_in": writer.rows_read,
        "rows_out": writer.rows_scored,
        "rows_rejected": rejected,
        "cells_guarded": writer.result.cells_guarded,
        "warnings": report["warnings"],
    }
    object_store.put_new(BUCKET, card_key(result_key), card_json(card), "application/json")
    log.info(
        "%r: %s rows read, %s scored by %s version %d, %s rejected; result: %s/%s",
        upload.object.key, f"{writer.rows_read:,}", f"{writer.rows_scored:,}",
        champion.name, champion.version, f"{rejected:,}", BUCKET, result_key,
    )  # fmt: skip
    report_files.log_warnings(report)
    with transaction() as cursor:
        ledger.claim(cursor, report)
        ledger.record_counts(cursor, report)
        ledger.record_rejected(cursor, report, bad)
        prediction_log.write(cursor, writer.log_buffer.batches(), "batch", result_key)
        return ledger.record_arrival(cursor, report)


def _record_rejection(upload: Upload, error: ContractError) -> UploadReport:
    log.warning("%r is rejected: %s", upload.object.key, error)
    with transaction() as cursor:
        return ledger.record_arrival(cursor, upload.rejection(error))
