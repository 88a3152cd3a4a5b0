"""A chain as texts for a terminal: one block for each step back."""

from collections.abc import Iterator
from datetime import datetime

from ml_platform.lineage.chain import Chain, Model, Result, ScoredUpload, TrainingSet
from ml_platform.lineage.model_records import Period, VersionRecord
from ml_platform.lineage.records import Prediction, SourceRange, UploadRecord

SHORT = 12  # digits of a hash that people read
TITLES = ("id", "table", "file", "rows in the set", "loaded", "rejected", "loaded at", "state")


def lines(chain: Chain) -> Iterator[str]:
    """Yield the lines of a chain, without its uploads; see `upload_rows`."""
    if chain.prediction:
        yield from _prediction(chain.prediction)
    if chain.result:
        yield from _result(chain.result)
    yield from _model(chain.model)
    if chain.training_set:
        yield from _training_set(chain.training_set)


def _prediction(prediction: Prediction) -> Iterator[str]:
    key = ", ".join(f"{name} {value}" for name, value in prediction.entity_key.items())
    probability = "" if prediction.probability is None else f", probability {prediction.probability:.4g}"
    yield f"prediction    {key}: {prediction.prediction}{probability}"
    yield f"              of {time(prediction.requested_at)}, by {prediction.source}"


def _result(result: Result) -> Iterator[str]:
    counts = [(result.rows_out, "rows"), (result.rows_in, "read"), (result.rows_rejected, "rejected")]
    yield f"result        s3://result/{result.key}"
    yield f"              {', '.join(f'{number:,} {word}' for number, word in counts if number is not None)}"
    if result.scored:
        yield from _scored(result.scored)


def _scored(scored: ScoredUpload) -> Iterator[str]:
    yield f"made of       {scored.key}, uploaded {time(scored.uploaded_at)}"
    yield f"              sha256 {scored.sha256}"
    if scored.rewritten_to:
        yield f"              an entity was erased from it since; the archived file has sha256 {scored.rewritten_to}"
    if scored.archived_key:
        yield f"              now s3://test/{scored.archived_key}"
    if scored.source:
        yield f"              {source(scored.source)}"


def _model(model: Model) -> Iterator[str]:
    yield f"model         {model.name} version {model.version}"
    if model.record:
        yield from _record(model.record)
    for period in model.periods:
        then = "  <- when it predicted" if period == model.live_then else ""
        yield f"              {_period(period)}{then}"


def _record(record: VersionRecord) -> Iterator[str]:
    yield f"              trained by run {record.run_id}"
    yield f"              registered {time(record.recorded_at)} by {record.recorded_by}"
    if record.decision:
        yield f"              gate: {record.decision} {time(record.decided_at)}, {record.decided_by}: {record.reason}"


def _period(period: Period) -> str:
    end = f"to {time(period.valid_to)}" if period.valid_to else "until now"
    approved = f", approved by {period.approved_by}" if period.approved_by else ""
    return f"live from {time(period.valid_from)} {end} ({period.why}, {period.moved_by}{approved})"


def _training_set(training_set: TrainingSet) -> Iterator[str]:
    rows = "" if training_set.rows is None else f"{training_set.rows:,} rows"
    frozen = f"as of {time(training_set.frozen_at)}" if training_set.frozen_at else ""
    yield f"training set  {training_set.sha256}"
    yield f"              {', '.join(filter(None, [rows, frozen]))}"
    yield f"              s3://mlflow/{training_set.key}"


def upload_rows(training_set: TrainingSet) -> list[tuple[str, ...]]:
    """Return the uploads of a training set as rows of a table, with the titles `TITLES`."""
    return [
        (
            upload.sha256[:SHORT],
            upload.table,
            upload.key or "",
            _number(upload.rows),
            _number(upload.rows_loaded),
            _number(upload.rows_rejected),
            time(upload.loaded_at),
            state(upload),
        )
        for upload in training_set.uploads
    ]


def state(upload: UploadRecord) -> str:
    """Return in words whether the rows of an upload are still in the tables, and where they came from."""
    parts = []
    if done := upload.withdrawal:
        again = "; loaded again after that" if upload.is_loaded else ""
        parts.append(f"withdrawn {time(done.withdrawn_at)} by {done.withdrawn_by}: {done.reason}{again}")
    elif not upload.is_loaded:
        parts.append("removed; nothing is recorded about it any more")
    if upload.rows_erased:
        parts.append(f"{upload.rows_erased:,} rows erased since")
    if upload.source:
        parts.append(source(upload.source))
    return "; ".join(parts)


def source(found: SourceRange) -> str:
    """Return in words from which range of a source a file was made, and who pulled it."""
    partition = f" {found.partition}" if found.partition else ""
    start = f"after {found.range_start}" if found.range_start else "from the beginning"
    return f"from {found.origin}{partition}, {start} to {found.range_end} (pulled by {found.planned_by})"


def time(moment: datetime | None) -> str:
    """Return a time for people, in UTC; "" if there is none."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
