"""The chain from a prediction back to the uploads: read from what is recorded anyway, so it holds for old results."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq

from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.lineage import model_records, records
from ml_platform.lineage.model_records import Period, VersionRecord
from ml_platform.lineage.records import Prediction, SourceRange, UploadRecord
from ml_platform.scoring.result_keys import BUCKET as RESULTS
from ml_platform.scoring.result_keys import card_key
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.training.training_set import BUCKET as TRAINING_SETS
from ml_platform.training.training_set import key_of


@dataclass(frozen=True)
class ScoredUpload:
    """The file whose rows were scored.

    Attributes:
        key: its name in the bucket `test`.
        sha256: of its bytes.
        uploaded_at: when it came into the bucket.
        scored_at: when its result was recorded; None if that is not known.
        archived_key: where it is now in the bucket `test`; None if it is not there any more.
        rewritten_to: SHA-256 of the archived file since an entity was erased from it.
        source: if it was made of rows of a source.
    """

    key: str
    sha256: str
    uploaded_at: datetime
    scored_at: datetime | None
    archived_key: str | None
    rewritten_to: str | None
    source: SourceRange | None


@dataclass(frozen=True)
class Result:
    """A result file.

    Attributes:
        key: in the bucket `result`.
        exists: whether it is still there.
        rows_in: rows that were read; None if that is not known.
        rows_out: rows that were scored.
        rows_rejected: rows that could not be read.
        scored: the file of which it was made; None if nothing is known about it any more.
    """

    key: str
    exists: bool
    rows_in: int | None
    rows_out: int | None
    rows_rejected: int | None
    scored: ScoredUpload | None


@dataclass(frozen=True)
class Model:
    """The model version that predicted.

    Attributes:
        name: of the model, which is the data set's.
        version: its number.
        record: what was recorded when it was trained; None if nothing was.
        live_then: the period in which it was live when it predicted; None if that is not known.
        periods: all times in which it was live.
    """

    name: str
    version: int
    record: VersionRecord | None
    live_then: Period | None
    periods: list[Period]


@dataclass(frozen=True)
class TrainingSet:
    """The frozen training set of the model.

    Attributes:
        sha256: hash of its content.
        key: of its file in the bucket `mlflow`.
        exists: whether the file is still there.
        frozen_at: when it was frozen: labels and features are as of then; None if the file is not there any more.
        rows: number of rows; None if that is not known.
        uploads: that it was made of.
    """

    sha256: str
    key: str
    exists: bool
    frozen_at: datetime | None
    rows: int | None
    uploads: list[UploadRecord]


@dataclass(frozen=True)
class Chain:
    """From a prediction back to the uploads.

    Attributes:
        dataset: its name.
        prediction: the one that was asked for; None if a whole result was.
        result: None if the prediction is in no file.
        model: that predicted.
        training_set: of the model; None if its hash was not recorded.
        notes: what was removed since, or is not known, a sentence each.
    """

    dataset: str
    prediction: Prediction | None
    result: Result | None
    model: Model
    training_set: TrainingSet | None
    notes: list[str] = field(default_factory=list)


def of_result(key: str, prediction: Prediction | None = None) -> Chain:
    """Return the chain of a result file.

    Args:
        key: in the bucket `result`.
        prediction: of its rows, if one is asked for.

    Raises:
        ConfigurationError: there is no such result, and nothing is recorded about one.
        ServiceError: Postgres or the object store failed.
    """
    card, recorded, logged = _card(key), records.scored_upload(key), records.version_of_result(key)
    if card:
        name, number, run_id = card["model"], int(card["model_version"]), card.get("model_run_id")
        rows = (card["rows_in"], card["rows_out"], card["rows_rejected"])
    elif recorded and logged:
        report = recorded[0]
        (name, number, count), run_id = logged, None
        rows = (report["rows_read"], count, report["rows_rejected"])
    else:
        raise ConfigurationError(
            f"s3://{RESULTS}/{key}: there is no such result with its card, and no record of one; see the bucket, or "
            "name an entity: ./ml-platform lineage NAME --entity KEY"
        )
    scored = _scored(name, recorded, card)
    exists = object_store.head(RESULTS, key) is not None
    result = Result(key, exists, *rows, scored)
    return _chain(name, number, run_id, result=result, prediction=prediction, at=scored.scored_at if scored else None)


def of_entity(dataset: Dataset, entity_key: dict[str, Any]) -> Chain:
    """Return the chain of the newest prediction about an entity.

    Args:
        dataset: the spec.
        entity_key: typed values by key column.

    Raises:
        ConfigurationError: there is no prediction about it.
        ServiceError: Postgres or the object store failed.
    """
    found = records.newest_prediction(dataset.name, entity_key)
    if found is None:
        values = ", ".join(f"{name} {value}" for name, value in entity_key.items())
        raise ConfigurationError(f"{dataset.name}: no prediction about {values} is recorded")
    if found.result_key:
        return of_result(found.result_key, found)
    return _chain(found.model, found.model_version, None, prediction=found, at=found.requested_at)


def _card(key: str) -> dict[str, Any] | None:
    """Return the card beside a result; None if it is not there."""
    if object_store.head(RESULTS, card_key(key)) is None:
        return None
    try:
        card: dict[str, Any] = json.loads(object_store.get(RESULTS, card_key(key)))
    except ValueError as error:
        raise ServiceError(f"s3://{RESULTS}/{card_key(key)} is no card of a result: {error}") from error
    return card


def _scored(name: str, recorded: tuple[Any, datetime] | None, card: dict[str, Any] | None) -> ScoredUpload | None:
    if recorded is None:
        if card is None:
            return None
        uploaded = datetime.fromisoformat(card["uploaded"])
        return ScoredUpload(card["file"], card["file_sha256"], uploaded, None, None, None, None)
    report, scored_at = recorded
    archived = object_store.head(report["bucket"], report["archived_key"])
    return ScoredUpload(
        key=report["key"],
        sha256=report["sha256"],
        uploaded_at=datetime.fromisoformat(report["last_modified"]),
        scored_at=scored_at,
        archived_key=archived.key if archived else None,
        rewritten_to=records.rewritten_to(name, "test", report["sha256"]),
        source=records.source_of(name, "test", report["key"]),
    )


def _chain(
    name: str,
    number: int,
    run_id: str | None,
    *,
    result: Result | None = None,
    prediction: Prediction | None,
    at: datetime | None,
) -> Chain:
    model = _model(name, number, run_id, at)
    sha256 = model.record.training_set_sha256 if model.record else None
    training_set = _training_set(name, sha256) if sha256 else None
    notes = [*_missing(result, model, training_set), *records.later_removals(name, number)]
    return Chain(name, prediction, result, model, training_set, notes)


def _model(name: str, number: int, run_id: str | None, at: datetime | None) -> Model:
    record = model_records.version(name, number, run_id)
    periods = model_records.periods(name, number, record.training_set_sha256 if record else None)
    then = [p for p in periods if at and p.valid_from <= at and (p.valid_to is None or at < p.valid_to)]
    return Model(name, number, record, then[0] if then else None, periods)


def _training_set(name: str, sha256: str) -> TrainingSet:
    key = key_of(name, sha256)
    frozen = object_store.head(TRAINING_SETS, key)
    uploads = records.uploads_of(name, sha256)
    rows = [upload.rows for upload in uploads if upload.table == name and upload.rows is not None]
    total = sum(rows) if rows else _rows_in(frozen) if frozen else None
    return TrainingSet(sha256, key, frozen is not None, frozen.last_modified if frozen else None, total, uploads)


def _rows_in(frozen: object_store.ObjectVersion) -> int:
    """Return the number of rows of a training set from before they were recorded."""
    with object_store.local_copy(frozen) as copy:
        return int(pq.ParquetFile(copy.file).metadata.num_rows)


def _missing(result: Result | None, model: Model, training_set: TrainingSet | None) -> list[str]:
    """Return a sentence for each part of the chain that was removed, or was never recorded."""
    parts = [
        (result and not result.exists, "the result file was removed"),
        (result and not result.scored, "nothing is recorded any more about the file that was scored"),
        (result and result.scored and not result.scored.archived_key, "the scored file was removed from the bucket"),
        (not model.record, "the training of this version was not recorded by this platform"),
        (model.record and not training_set, "the training set of this version was not recorded"),
        (
            training_set and not training_set.exists,
            "the file of the training set was removed, or replaced in an erasure",
        ),
        (training_set and not training_set.uploads, "the uploads of this training set are not recorded"),
    ]
    return [text for is_missing, text in parts if is_missing]
