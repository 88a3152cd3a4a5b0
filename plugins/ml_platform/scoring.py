"""Scoring: an upload in the bucket `test` becomes predictions in the bucket `result`, in the order of its rows."""

import csv
import hashlib
import io
import json
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ml_platform import objects, registry, staging, uploads
from ml_platform.exceptions import ContractError, ServiceError
from ml_platform.outcomes import Outcome, Reason, timed_stem
from ml_platform.parsing import BadValue, Batch
from ml_platform.registry import ChampionModel
from ml_platform.spec import Dataset
from ml_platform.uploads import Upload

log = logging.getLogger(__name__)

BUCKET = "result"


def columns(dataset: Dataset) -> tuple[str, ...]:
    """Return the header of a result: the entity key, and what the model says of it."""
    return (dataset.entity.key, "probability", "prediction", "model_version", "threshold")


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

    dataset: Dataset
    champion: ChampionModel
    file: BinaryIO
    rows_read: int = 0
    rows_scored: int = 0

    def write(self, batches: Iterator[Batch]) -> list[BadValue]:
        """Score batch by batch, so that memory stays bounded; return everything that was wrong."""
        text = io.TextIOWrapper(self.file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns(self.dataset))
        bad: list[BadValue] = []
        for batch in batches:
            writer.writerows(self._scored(batch))
            self.rows_read += batch.rows_read
            self.rows_scored += batch.rows.num_rows
            bad += batch.bad
        text.detach()
        return bad

    def _scored(self, batch: Batch) -> Iterator[tuple[Any, ...]]:
        keys = batch.rows.column(self.dataset.entity.key).to_pylist()
        probabilities, predictions = self.champion.predict(batch.rows.to_pandas())
        for key, probability, prediction in zip(keys, probabilities, predictions, strict=True):
            yield key, repr(float(probability)), int(prediction), self.champion.version, repr(self.champion.threshold)


def score(dataset: Dataset, key: str) -> Outcome:
    """Score one file with the champion and write the result and its card; run twice, same world.

    A retry after a crash takes the model that the interrupted attempt had taken, so that what it left stays true.

    Args:
        dataset: what the columns mean.
        key: of the object in the bucket `test`.

    Returns:
        What became of it: scored, rejected, or gone if it was removed before it was read.

    Raises:
        RegistryError: there is no sound champion; nothing is written.
        ServiceError: a server failed; run it again.
    """
    return uploads.take(dataset, "test", key, _score)


def _score(upload: Upload) -> Outcome:
    for result_key in result_keys(upload):
        champion = _model_of(upload.dataset, result_key)
        with tempfile.TemporaryFile() as file:
            predictions = Predictions(upload.dataset, champion, file)
            try:
                bad = predictions.write(upload.batches())
                _check_share(upload.dataset, predictions, bad)
            except ContractError as error:
                log.warning("%r is rejected: %s", upload.seen.key, error)
                return uploads.record(upload.rejected(error))
            if _is_written(result_key, file):
                return _finish(upload, predictions, bad, result_key)
    raise ServiceError(f"{upload.seen.key!r}: every name for its result is taken by another")


def _check_share(dataset: Dataset, predictions: Predictions, bad: list[BadValue]) -> None:
    counts = staging.Counts(predictions.rows_read, 0, predictions.rows_read - predictions.rows_scored)
    if problem := staging.too_many(dataset, counts):
        raise staging.FileRejectedError(problem, counts, _reasons(bad))


def _reasons(bad: list[BadValue]) -> list[Reason]:
    return [Reason(line=b.line, column=b.column, value=b.value, reason=b.reason) for b in bad[: staging.REASONS]]


def result_keys(upload: Upload) -> tuple[str, str]:
    """Return where a result goes: by name and time of the upload; the second if other bytes came in the same second."""
    stem = f"{upload.dataset.name}/{timed_stem(upload.seen)}"
    return f"{stem}.csv", f"{stem}.{upload.spool.sha256[:8]}.csv"


def _model_of(dataset: Dataset, result_key: str) -> ChampionModel:
    """Return the model of a result that an interrupted attempt wrote, else the champion."""
    version = _version_in(result_key)
    if version is None:
        return registry.load_champion(dataset.name)
    return registry.load(registry.numbered(dataset.name, version))


def _version_in(result_key: str) -> int | None:
    written = objects.head(BUCKET, result_key)
    if written is None:
        return None
    with objects.spooled(written) as spool, io.TextIOWrapper(spool.file, encoding="utf-8", newline="") as text:
        first = next(csv.DictReader(text), None)
    return int(first["model_version"]) if first else None


def _is_written(result_key: str, file: BinaryIO) -> bool:
    """Write a result unless there is one; tell whether what lies there now is the same to the byte."""
    file.seek(0)
    if objects.put_new(BUCKET, result_key, file, "text/csv; charset=utf-8"):
        return True
    file.seek(0)
    written = objects.head(BUCKET, result_key)
    if written is None:
        raise ServiceError(f"s3://{BUCKET}/{result_key} was removed in this moment")
    with objects.spooled(written) as spool:
        ours = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type] # typeshed's BinaryIO lacks readinto
        return spool.sha256 == ours.hexdigest()


def _finish(upload: Upload, predictions: Predictions, bad: list[BadValue], result_key: str) -> Outcome:
    champion, rejected = predictions.champion, predictions.rows_read - predictions.rows_scored
    outcome = upload.outcome(
        "scored",
        rows_read=predictions.rows_read,
        rows_rejected=rejected,
        result_key=result_key,
        reasons=_reasons(bad),
    )
    card = {
        "dataset": upload.dataset.name,
        "file": upload.seen.key,
        "file_sha256": upload.spool.sha256,
        "uploaded": upload.seen.last_modified.isoformat(),
        "result": result_key,
        "model": champion.name,
        "model_version": champion.version,
        "model_run_id": champion.run_id,
        "training_set_sha256": champion.training_set_sha256,
        "threshold": champion.threshold,
        "rows_in": predictions.rows_read,
        "rows_out": predictions.rows_scored,
        "rows_rejected": rejected,
    }
    body = json.dumps(card, indent=2).encode() + b"\n"
    objects.put_new(BUCKET, result_key.removesuffix(".csv") + ".json", body, "application/json")
    log.info(
        "%r: %s rows read, %s scored by %s version %d at threshold %.3f, %s rejected; result: %s/%s",
        upload.seen.key, f"{predictions.rows_read:,}", f"{predictions.rows_scored:,}", champion.name, champion.version,
        champion.threshold, f"{rejected:,}", BUCKET, result_key,
    )  # fmt: skip
    return uploads.record(outcome, bad)
