# ruff: noqa: S608 – only names of our own are combined
"""What is recorded about a prediction, a training set and its uploads, and what was removed since: one query each."""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from ml_platform.ingestion.upload_report import UploadReport, complete
from ml_platform.storage.database import fetch

SOURCE = "origin, partition, range_start, range_end, rows_landed, planned_by, planned_at"


@dataclass(frozen=True)
class SourceRange:
    """The range of a source that an upload was made of.

    Attributes:
        origin: the source, such as a topic or a table.
        partition: of the source; "" if it has none.
        range_start: the position before the first row; "" is the beginning.
        range_end: the position of the last row.
        rows_landed: number of rows.
        planned_by: the person or DAG that pulled it.
        planned_at: when.
    """

    origin: str
    partition: str
    range_start: str
    range_end: str
    rows_landed: int | None
    planned_by: str
    planned_at: datetime


@dataclass(frozen=True)
class Withdrawal:
    """An upload was taken back: when, by whom, why, and how many rows were removed."""

    withdrawn_at: datetime
    withdrawn_by: str
    reason: str
    rows_removed: int


@dataclass(frozen=True)
class UploadRecord:
    """An upload of a training set.

    Attributes:
        table: the data set or feature table that it was loaded into.
        sha256: of its bytes, when it was loaded.
        key: of its object in the bucket `train`; None if nothing is known about it any more.
        rows: of the training set, whose label came with it; None if that was not recorded.
        rows_loaded: that it brought into the tables; None if nothing is known any more.
        rows_rejected: bad rows.
        rows_erased: of the loaded ones, those of entities that were erased since.
        loaded_at: when.
        is_loaded: whether its rows are in the tables now.
        withdrawal: if it was taken back; it may have been loaded again after that.
        source: if it was made of rows of a source.
    """

    table: str
    sha256: str
    key: str | None
    rows: int | None
    rows_loaded: int | None
    rows_rejected: int | None
    rows_erased: int
    loaded_at: datetime | None
    is_loaded: bool
    withdrawal: Withdrawal | None
    source: SourceRange | None


def uploads_of(dataset: str, training_set_sha256: str) -> list[UploadRecord]:
    """Return the uploads that a training set was made of, also those taken back, in the order of their loads."""
    found = fetch(
        "SELECT used.upload_of, used.upload_sha256, coalesce(l.object_key, w.object_key), used.rows,"
        " coalesce(l.rows_loaded, w.rows_removed), coalesce(l.rows_rejected, (w.report->>'rows_rejected')::bigint),"
        " coalesce(l.rows_erased, 0), coalesce(w.claimed_at, l.claimed_at), l.sha256 IS NOT NULL,"
        " w.withdrawn_at, w.withdrawn_by, w.reason, w.rows_removed,"
        f" {', '.join(f's.{column}' for column in SOURCE.split(', '))} FROM uploads.training_sets used"
        " LEFT JOIN uploads.ledger l"
        " ON (l.dataset, l.purpose, l.sha256) = (used.upload_of, 'train', used.upload_sha256)"
        " LEFT JOIN (SELECT DISTINCT ON (dataset, sha256) * FROM uploads.withdrawals"
        " ORDER BY dataset, sha256, withdrawal_id DESC) w"
        " ON (w.dataset, w.sha256) = (used.upload_of, used.upload_sha256)"
        " LEFT JOIN sources.ranges s ON (s.dataset, s.purpose, s.object_key)"
        " = (used.upload_of, 'train', coalesce(l.object_key, w.object_key))"
        " WHERE used.dataset = $1 AND used.training_set_sha256 = $2"
        " ORDER BY used.upload_of <> $1, used.upload_of, 8, used.upload_sha256",
        *(dataset, training_set_sha256),
    )
    return [_upload(row) for row in found]


def _upload(row: tuple[Any, ...]) -> UploadRecord:
    own, withdrawal, source = row[:9], row[9:13], row[13:]
    taken_back = Withdrawal(*withdrawal) if withdrawal[0] else None
    made_of = SourceRange(*source) if source[0] is not None else None
    values = (*own, taken_back, made_of)
    return UploadRecord(*values)


def source_of(dataset: str, purpose: str, key: str) -> SourceRange | None:
    """Return the range that a file was made of; None if a person or a program uploaded it."""
    found = fetch(
        f"SELECT {SOURCE} FROM sources.ranges WHERE (dataset, purpose, object_key) = ($1, $2, $3)",
        *(dataset, purpose, key),
    )
    return SourceRange(*found[0]) if found else None


def scored_upload(result_key: str) -> tuple[UploadReport, datetime] | None:
    """Return the report on the file of which a result was made, and when it was scored; None if there is none."""
    found = fetch(
        "SELECT report::text, arrived_at FROM uploads.arrivals WHERE purpose = 'test' AND outcome = 'scored'"
        " AND report->>'result_key' = $1 ORDER BY arrival_id LIMIT 1",
        result_key,
    )
    return (complete(json.loads(found[0][0])), found[0][1]) if found else None


def result_keys_named(name: str) -> list[str]:
    """Return the keys of all results whose file has a name."""
    found = fetch(
        "SELECT DISTINCT report->>'result_key' FROM uploads.arrivals WHERE purpose = 'test' AND outcome = 'scored'"
        " AND right(report->>'result_key', length($1) + 1) = '/' || $1 ORDER BY 1",
        name,
    )
    return [key for (key,) in found]


@dataclass(frozen=True)
class Prediction:
    """One prediction, of `predictions.log`.

    Attributes:
        model: its name.
        model_version: its number.
        entity_key: values by key column.
        event_time: of the row.
        prediction: as a text.
        probability: None if there is none.
        requested_at: when the row was uploaded, sent or asked for.
        source: batch, http or stream.
        result_key: of the result file, if the source is batch.
    """

    model: str
    model_version: int
    entity_key: dict[str, Any]
    event_time: datetime
    prediction: str
    probability: float | None
    requested_at: datetime
    source: str
    result_key: str | None


def newest_prediction(model: str, entity_key: dict[str, Any]) -> Prediction | None:
    """Return the newest prediction about an entity; None if there is none."""
    columns = ", ".join(field.name for field in fields(Prediction)).replace("entity_key", "entity_key::text")
    found = fetch(
        f"SELECT {columns} FROM predictions.log WHERE model = $1 AND entity_key = $2::text::jsonb"
        " ORDER BY requested_at DESC LIMIT 1",
        *(model, json.dumps(entity_key)),
    )
    if not found:
        return None
    name, version, key, *others = found[0]
    return Prediction(name, version, json.loads(key), *others)


def version_of_result(result_key: str) -> tuple[str, int, int] | None:
    """Return model, version and number of the predictions in the log that are in a result; None if there are none."""
    found = fetch(
        "SELECT model, model_version, count(*) FROM predictions.log WHERE result_key = $1 GROUP BY 1, 2", result_key
    )
    return found[0] if found else None


def later_removals(dataset: str, model_version: int | None) -> list[str]:
    """Return a sentence for each erasure from what a version was trained on, and for a removal of the data set."""
    erased = fetch(
        "SELECT finished_at, entities, erased_by FROM uploads.erasures WHERE dataset = $1 AND finished_at IS NOT NULL"
        " AND $2::int = ANY(versions) ORDER BY finished_at",
        *(dataset, model_version or 0),
    )
    removed = fetch(
        "SELECT finished_at, removed_by, reason FROM uploads.removals WHERE name = $1 AND finished_at IS NOT NULL"
        " ORDER BY finished_at",
        dataset,
    )
    return [
        *(f"{count} entities were erased from its training set on {_day(at)} by {by}" for at, count, by in erased),
        *(f"the data set {dataset} was removed on {_day(at)} by {by}: {reason}" for at, by, reason in removed),
    ]


def rewritten_to(dataset: str, purpose: str, sha256: str) -> str | None:
    """Return the SHA-256 of the archived file since an entity was erased from it; None if it was not rewritten."""
    found = fetch(
        "SELECT sha256 FROM uploads.rewritten_files WHERE (dataset, purpose, original_sha256) = ($1, $2, $3)"
        " AND is_current AND sha256 <> original_sha256",
        *(dataset, purpose, sha256),
    )
    return found[0][0] if found else None


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
