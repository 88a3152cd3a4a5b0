"""All data sets at a glance: the live model of each, its files, what waits for a person. One look at Postgres."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.specs.parts import PURPOSES
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch

SCORES = 10  # of the last versions that were decided about


@dataclass(frozen=True)
class LiveModel:
    """The model that is live.

    Attributes:
        version: its number.
        since: when it went live.
        metric: which the gate compared; None if another platform trained it.
        score: of the hold-out; None with the metric.
        interval: of the score, low and high; None if it was not recorded.
    """

    version: int
    since: datetime
    metric: str | None
    score: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class LastFile:
    """The newest settled file of one kind.

    Attributes:
        key: as it was dropped.
        at: when it was settled.
        outcome: loaded, duplicate, scored or rejected.
        rows_read: rows of the file.
        rows_rejected: bad rows among them.
    """

    key: str
    at: datetime
    outcome: str
    rows_read: int
    rows_rejected: int


@dataclass(frozen=True)
class Summary:
    """A data set at a glance.

    Attributes:
        name: of the data set.
        description: from its YAML.
        live: its model; None before the first.
        scores: of the last versions on their hold-outs, the oldest first, in the metric of the newest.
        last_trained: the newest training file; None before the first.
        last_scored: the newest test file; None before the first.
        rows: rows that are loaded.
        rows_today: rows that were loaded, and rows that were scored, in the last 24 hours.
        drift: verdict of the last check for drift; None if there was none.
        performance: verdict of the last check of the promise; None if there was none.
        rejected: files that were rejected in the last 24 hours.
        waiting: files in work, or that wait for their next attempt.
        blocked: files that wait for another spec.
    """

    name: str
    description: str
    live: LiveModel | None
    scores: tuple[float, ...]
    last_trained: LastFile | None
    last_scored: LastFile | None
    rows: int
    rows_today: tuple[int, int]
    drift: str | None
    performance: str | None
    rejected: int
    waiting: int
    blocked: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever dropped for it."""
        return self.last_trained is None and self.live is None

    @property
    def next_step(self) -> str:
        """What a person could do next, in one sentence."""
        for applies, sentence in (
            (self.blocked, "Files wait for another spec: undo its change, or use a new name."),
            (self.rejected, "A file was rejected: read its report, fix the file, drop it again."),
            (self.performance == "below the promise", "The model is worse than promised: train again, or roll back."),
            (self.drift == "drift", "The rows have changed: look at the drift, and train with newer rows."),
            (self.waiting, "A file is being worked on."),
            (self.last_trained is None, "Drop a training file."),
            (self.live is None, "The rows are loaded: a training is next."),
            (self.last_scored is None, "The model is live: drop a test file, or try a row."),
        ):
            if applies:
                return sentence
        return "All is well."


@dataclass(frozen=True)
class _Facts:
    """What was read for all data sets, by name."""

    live: Mapping[str, LiveModel]
    scores: Mapping[str, tuple[float, ...]]
    files: Mapping[tuple[str, str], LastFile]
    rows: Mapping[str, int]
    today: Mapping[tuple[str, str], int]
    rejected: Mapping[str, int]
    checks: Mapping[tuple[str, str], str]


def summaries(datasets: Iterable[Dataset]) -> list[Summary]:
    """Return a summary of each data set, in their order.

    Raises:
        ServiceError: Postgres cannot be reached.
    """
    facts = _Facts(_live(), _scores(), _last_files(), _stored_rows(), _rows_today(), _rejected(), _checks())
    attempts = fetch("SELECT bucket, object_key, next_attempt IS NULL FROM uploads.attempts")
    return [_summary(dataset, facts, attempts) for dataset in datasets]


def _summary(dataset: Dataset, facts: _Facts, attempts: list[tuple[Any, ...]]) -> Summary:
    name = dataset.name
    mine = [is_blocked for bucket, key, is_blocked in attempts if _owns(dataset, bucket, key)]
    return Summary(
        name=name,
        description=dataset.description,
        live=facts.live.get(name),
        scores=facts.scores.get(name, ()),
        last_trained=facts.files.get((name, "train")),
        last_scored=facts.files.get((name, "test")),
        rows=facts.rows.get(name, 0),
        rows_today=(facts.today.get((name, "train"), 0), facts.today.get((name, "test"), 0)),
        drift=facts.checks.get((name, "drift")),
        performance=facts.checks.get((name, "performance")),
        rejected=facts.rejected.get(name, 0),
        waiting=mine.count(False),
        blocked=mine.count(True),
    )


def _owns(dataset: Dataset, bucket: str, key: str) -> bool:
    return any(dataset.owns(key, purpose) and dataset.bucket_of(key, purpose) == bucket for purpose in PURPOSES)


def _live() -> dict[str, LiveModel]:
    found = fetch(
        "WITH live AS (SELECT DISTINCT ON (model) model, to_version AS version, moved_at, run_id FROM models.movements"
        " WHERE is_done ORDER BY model, movement_id DESC)"
        " SELECT model, version, moved_at, metric, challenger_score, tags ->> 'holdout_intervals'"
        " FROM live LEFT JOIN models.decisions USING (model, version, run_id)"
        " LEFT JOIN models.versions USING (model, version, run_id) WHERE version IS NOT NULL"
    )
    return {
        model: LiveModel(version, since, metric, score, _interval(intervals, metric))
        for model, version, since, metric, score, intervals in found
    }


def _interval(intervals: str | None, metric: str | None) -> tuple[float, float] | None:
    found = json.loads(intervals).get(metric) if intervals else None
    return (float(found[0]), float(found[1])) if found else None


def _scores() -> dict[str, tuple[float, ...]]:
    found = fetch(
        "WITH ranked AS (SELECT model, metric, challenger_score AS score, decision_id,"
        " row_number() OVER (PARTITION BY model ORDER BY decision_id DESC) AS place,"
        " first_value(metric) OVER (PARTITION BY model ORDER BY decision_id DESC) AS newest"
        " FROM models.decisions WHERE challenger_score IS NOT NULL)"
        " SELECT model, score FROM ranked WHERE place <= $1 AND metric IS NOT DISTINCT FROM newest"
        " ORDER BY model, decision_id",
        SCORES,
    )
    scores: dict[str, tuple[float, ...]] = {}
    for model, score in found:
        scores[model] = (*scores.get(model, ()), float(score))
    return scores


def _last_files() -> dict[tuple[str, str], LastFile]:
    found = fetch(
        "SELECT DISTINCT ON (dataset, purpose) dataset, purpose, object_key, arrived_at, outcome,"
        " coalesce((report ->> 'rows_read')::bigint, 0), coalesce((report ->> 'rows_rejected')::bigint, 0)"
        " FROM uploads.arrivals ORDER BY dataset, purpose, arrival_id DESC"
    )
    return {(dataset, purpose): LastFile(*values) for dataset, purpose, *values in found}


def _stored_rows() -> dict[str, int]:
    found = fetch(
        "SELECT dataset, sum(coalesce(rows_loaded, 0) - rows_erased)::bigint FROM uploads.ledger"
        " WHERE purpose = 'train' GROUP BY 1"
    )
    return dict(found)


def _rows_today() -> dict[tuple[str, str], int]:
    found = fetch(
        "SELECT dataset, purpose, sum(CASE purpose WHEN 'train' THEN rows_loaded ELSE rows_read - rows_rejected END)"
        "::bigint FROM monitoring.settled_files WHERE arrived_at > now() - interval '1 day'"
        " AND outcome IN ('loaded', 'scored') GROUP BY 1, 2"
    )
    return {(dataset, purpose): int(rows or 0) for dataset, purpose, rows in found}


def _rejected() -> dict[str, int]:
    """Return the number of files that were rejected, and for which no good file came since."""
    found = fetch(
        "SELECT dataset, count(*) FROM uploads.arrivals AS one WHERE outcome = 'rejected'"
        " AND arrived_at > now() - interval '1 day' AND NOT EXISTS (SELECT FROM uploads.arrivals AS later"
        " WHERE later.dataset = one.dataset AND later.purpose = one.purpose AND later.arrival_id > one.arrival_id"
        " AND later.outcome <> 'rejected') GROUP BY 1"
    )
    return dict(found)


def _checks() -> dict[tuple[str, str], str]:
    found = fetch(
        "SELECT DISTINCT ON (dataset, kind) dataset, kind, verdict FROM monitoring.checks"
        " ORDER BY dataset, kind, window_end DESC, check_id DESC"
    )
    return {(dataset, kind): verdict for dataset, kind, verdict in found}
