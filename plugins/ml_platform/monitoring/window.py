"""The rows that a version of a model scored in a window of time: their files, their features and their predictions."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.evaluation.task import Task
from ml_platform.ingestion.upload_report import UploadReport, complete
from ml_platform.monitoring.row_sample import RowSample
from ml_platform.parsing.batches import read_batches
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.model_rows import model_frame, reading_spec
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.training.training_set import model_input

log = logging.getLogger(__name__)

MOST_ROWS = 50_000  # more are sampled
# Rows of files count from when they were scored, others from their request. $1 model, $2 version, $3 start, $4 end
_FILES = (
    "SELECT a.arrival_id, a.report FROM uploads.arrivals a"
    " WHERE a.dataset = $1 AND a.purpose = 'test' AND a.outcome = 'scored'"
    " AND a.arrived_at > $3::text::timestamptz AND a.arrived_at <= $4::text::timestamptz AND EXISTS"
    " (SELECT FROM predictions.log l WHERE l.result_key = a.report ->> 'result_key' AND l.model_version = $2::int)"
)
_PREDICTIONS = (
    f"WITH files AS ({_FILES}) SELECT l.probability, l.prediction, l.event_time FROM predictions.log l"  # noqa: S608
    " WHERE l.model = $1 AND l.model_version = $2::int AND (l.result_key IN (SELECT report ->> 'result_key' FROM files)"
    " OR l.result_key IS NULL AND l.requested_at > $3::text::timestamptz AND l.requested_at <= $4::text::timestamptz)"
)


class Window(NamedTuple):
    """A model version, and the time in which it scored rows: after `start`, and not after `end`."""

    model: str
    version: int
    start: datetime
    end: datetime

    def values(self) -> tuple[str, int, str, str]:
        """Return the values of the SQL statements."""
        return self.model, self.version, self.start.isoformat(), self.end.isoformat()


class Counts(NamedTuple):
    """How many rows were scored in a window, and their first and last event time."""

    rows: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class Features:
    """The features of scored rows.

    Attributes:
        frame: a sample, as `model_input` returns it; None if there are no rows.
        rows: number of rows in the files.
        missing_files: keys of files that are not there any more.
    """

    frame: pd.DataFrame | None
    rows: int
    missing_files: tuple[str, ...]


def count(window: Window) -> Counts:
    """Count the rows that were scored in a window, whatever they came by."""
    found = fetch(f"SELECT count(*), min(event_time), max(event_time) FROM ({_PREDICTIONS}) p", *window.values())  # noqa: S608
    return Counts(*found[0])


def predictions(window: Window, task: Task) -> pd.Series:
    """Return the predictions of a window, at most `MOST_ROWS`: numbers, or texts if there are several classes."""
    order = "md5(l.entity_key::text || l.requested_at::text)"  # arbitrary, but the same each time
    found = fetch(f"{_PREDICTIONS} ORDER BY {order}, l.prediction LIMIT {MOST_ROWS}", *window.values())
    columns = {"probability": [row[0] for row in found], "prediction": [row[1] for row in found]}
    return compared_values(task, columns[task.drift_column])


def compared_values(task: Task, logged: Sequence[Any]) -> pd.Series:
    """Return the values of `task.drift_column` as numbers, or as texts if they are classes."""
    is_class = task.drift_column == "prediction" and task.label_type == "int64"
    return pd.Series(logged, dtype=object) if is_class else pd.Series(logged, dtype=object).astype("float64")


def files(window: Window) -> list[UploadReport]:
    """Return the reports on the files that were scored in a window; files with the same bytes only once."""
    found = fetch(f"SELECT report::text FROM ({_FILES}) f ORDER BY arrival_id", *window.values())  # noqa: S608
    reports = (complete(json.loads(report)) for (report,) in found)
    return list({report["sha256"]: report for report in reports}.values())


def features(model: LoadedModel, current: Dataset, reports: Sequence[UploadReport]) -> Features:
    """Read scored files again, as they were read to be scored, and return what the model saw.

    Args:
        model: that scored them.
        current: the spec in `datasets/*.yaml` now.
        reports: as `files` returns them.

    Raises:
        ContractError: a file is not what it was when it was scored.
        ServiceError: a server failed.
    """
    sample, missing = RowSample(MOST_ROWS, model.training_set_sha256), []
    for report in reports:
        if (version := stored(report)) is None:
            missing.append(report["archived_key"])
        else:
            _add(sample, model, reading_spec(model.dataset, current), version, report)
    if missing:
        log.warning("not compared, because they are not there any more: %s", ", ".join(missing))
    return Features(sample.frame(), sample.rows_seen, tuple(missing))


def stored(report: UploadReport) -> ObjectVersion | None:
    """Return a scored file: where it is archived or, just after it was scored, still in the inbox."""
    if archived := object_store.head(report["bucket"], report["archived_key"]):
        return archived
    waiting = object_store.head(report["bucket"], report["key"])
    return waiting if waiting and waiting.etag == report["etag"] else None


def _add(sample: RowSample, model: LoadedModel, spec: Dataset, version: ObjectVersion, report: UploadReport) -> None:
    uploaded = datetime.fromisoformat(report["last_modified"])
    with object_store.local_copy(version) as copy:
        for batch in read_batches(copy.file, spec, "test", repr(report["key"])):

            def read(is_wanted: NDArray[np.bool_], rows: pa.RecordBatch = batch.rows) -> pd.DataFrame:
                return model_input(
                    model.dataset, model_frame(model.dataset, rows.filter(pa.array(is_wanted)), uploaded)
                )

            sample.add(batch.rows.num_rows, read)


def event_times(counts: Counts, at_least: timedelta) -> tuple[datetime, datetime]:
    """Return the event times of a window from the first to the last, widened to a length; for windows with rows."""
    if counts.first is None or counts.last is None:
        raise ValueError("a window without rows has no event times")
    return min(counts.first, counts.last - at_least), counts.last
