"""The results of a data set: the files of predictions in the bucket `result`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ml_platform.scoring.result_keys import card_key
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class Result:
    """A file of predictions. Its keys are in the bucket `result`.

    Attributes:
        dataset: the data set.
        key: of the file.
        card_key: of the facts beside it: model, threshold, rows.
        file_key: under which the scored file was dropped into the bucket `test`.
        uploaded_at: when that was (UTC).
        scored_at: when (UTC).
        model_version: by which it was scored; None if no row was, or the log of its predictions was removed.
        rows: scored rows.
        rows_rejected: bad rows.
        file_sha256: of the scored file.
    """

    dataset: str
    key: str
    card_key: str
    file_key: str
    uploaded_at: datetime
    scored_at: datetime
    model_version: int | None
    rows: int
    rows_rejected: int
    file_sha256: str


def results(name: str, *, limit: int = 100, offset: int = 0) -> list[Result]:
    """Return the results of a data set, the newest first.

    Args:
        name: of the data set.
        limit: number of results, at most.
        offset: number of results to leave out at the beginning.

    Raises:
        ServiceError: Postgres is not available.
    """
    return [
        _result(row) for row in fetch(f"{_SELECT} ORDER BY arrival_id DESC LIMIT $2 OFFSET $3", name, limit, offset)
    ]


def result(name: str, key: str) -> Result | None:
    """Return the result of a data set with this key; None if there is none."""
    found = fetch(f"{_SELECT} AND report->>'result_key' = $2 ORDER BY arrival_id DESC LIMIT 1", name, key)
    return _result(found[0]) if found else None


# The version comes from a function, because not every role may read the log of predictions.
_SELECT = (
    "SELECT dataset, report->>'result_key', object_key, last_modified, arrived_at,"
    " predictions.version_of_result(report->>'result_key'), (report->>'rows_read')::bigint,"
    " (report->>'rows_rejected')::bigint, sha256 FROM uploads.arrivals"
    " WHERE dataset = $1 AND purpose = 'test' AND outcome = 'scored'"
)


def _result(row: tuple[Any, ...]) -> Result:
    dataset, key, file_key, uploaded_at, scored_at, version, read, rejected, sha256 = row
    return Result(
        dataset=dataset,
        key=key,
        card_key=card_key(key),
        file_key=file_key,
        uploaded_at=uploaded_at.astimezone(UTC),
        scored_at=scored_at.astimezone(UTC),
        model_version=version,
        rows=read - rejected,
        rows_rejected=rejected,
        file_sha256=sha256,
    )
