"""What follows from a bad verdict of a check: a retraining, or why there is none. Each decision is recorded once.

It decides only that a training begins. What goes live is decided by the gate, as after any training.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ml_platform.monitoring.checks import BROKEN, DRIFT
from ml_platform.registry import registry
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, identifier, literal, rows, transaction
from ml_platform.storage.tables import existing_columns

PERIOD = timedelta(days=30)  # of monitor.max_retrainings
NO_MODEL = "no model is live"
VERDICTS = {"drift": DRIFT, "performance": BROKEN}  # by kind of check; an estimate starts nothing


@dataclass(frozen=True)
class Decision:
    """What followed from the checks in one run.

    Attributes:
        cause: the verdicts, or that no model is live; empty if nothing was wrong.
        version: that is live; None if there is none.
        is_started: whether a training begins.
        reason: in words.
    """

    cause: str
    version: int | None
    is_started: bool
    reason: str

    @property
    def sentence(self) -> str:
        """The decision in one sentence."""
        return f"A retraining begins: {self.reason}." if self.is_started else f"No retraining begins: {self.reason}."

    @property
    def is_first(self) -> bool:
        """Whether the training is the first one; there is no champion that it could replace."""
        return self.cause == NO_MODEL

    def facts(self) -> dict[str, Any]:
        """Return what the event of an asset says about it."""
        return {
            "cause": self.cause, "model_version": self.version, "reason": self.reason, "is_first": self.is_first
        }  # fmt: skip


class Situation(NamedTuple):
    """What a decision depends on.

    `is_training`: a training is running, or its model waits for an approval. `new_rows`: number of rows that were
    loaded since the last training. `started`: when earlier retrainings began, the oldest first.
    """

    version: int | None
    is_training: bool
    new_rows: int
    started: Sequence[datetime]


def decide(dataset: Dataset, end: datetime, *, is_training: bool, by: str) -> Decision:
    """Decide what follows from the last checks of the live version; asked again, it returns the same decision.

    Drift stays until a check finds none. So it is decided again in each run, when there are new rows or the cool-down
    is over.

    Args:
        dataset: the spec in `datasets/*.yaml`.
        end: of the windows of the checks of this run.
        is_training: whether a training of this data set is running, or its model waits for an approval.
        by: the DAG or the user.

    Raises:
        ServiceError, MlflowException: a server failed; run it again.
    """
    if recorded := _recorded(dataset.name, end):
        return recorded
    found, now = situation(dataset, is_training=is_training), datetime.now(UTC)
    cause = NO_MODEL if found.version is None else ", ".join(bad_verdicts(dataset.name, found.version, end))
    if not cause:
        return Decision("", found.version, False, "the last checks of the live version found nothing bad")
    decision = judge(dataset.monitor, cause, found, now)
    if decision.is_started or not decision.is_first:
        _record(dataset.name, end, decision, by)
    return decision


def judge(rule: Monitor, cause: str, found: Situation, now: datetime) -> Decision:
    """Decide about a retraining. Cool-down and budget do not hold for a first training. No I/O."""
    if reason := _hindrance(rule, cause, found, now):
        return Decision(cause, found.version, False, reason)
    return Decision(cause, found.version, True, f"{cause}; {found.new_rows:,} rows were loaded since the last training")


def _hindrance(rule: Monitor, cause: str, found: Situation, now: datetime) -> str | None:
    """Return why no retraining begins, or None."""
    if found.is_training:
        return "a training is running, or its model waits for an approval"
    if not found.new_rows:
        return "no rows were loaded since the last training, so its model would be the same"
    if cause == NO_MODEL or not found.started:
        return None
    last, cool_down = found.started[-1], timedelta_of(rule.cool_down)
    if now < last + cool_down:
        option = f"monitor.cool_down is {rule.cool_down}"
        return f"the last one began at {_time(last)}, and the next can begin at {_time(last + cool_down)} ({option})"
    recent = [moment for moment in found.started if moment > now - PERIOD]
    if len(recent) >= rule.max_retrainings:
        option = f"monitor.max_retrainings is {rule.max_retrainings}"
        free = recent[-rule.max_retrainings] + PERIOD
        return f"{len(recent)} began in the last 30 days, and the next can begin at {_time(free)} ({option})"
    return None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def situation(dataset: Dataset, *, is_training: bool = False) -> Situation:
    """Return what a decision depends on now.

    Args:
        dataset: the spec.
        is_training: as only Airflow knows.
    """
    live = registry.live_version(dataset.name)
    started = fetch(
        "SELECT decided_at FROM monitoring.retrainings WHERE dataset = $1 AND is_started AND cause <> $2"
        " ORDER BY decided_at",
        *(dataset.name, NO_MODEL),
    )
    version = int(live.version) if live else None
    return Situation(version, is_training, _new_rows(dataset), [moment for (moment,) in started])


def _new_rows(dataset: Dataset) -> int:
    """Count the loaded rows that no training set has seen: those with labels, and those of joined tables."""
    label, tables = identifier(dataset.label.column), ", ".join(literal(table.name) for table in dataset.tables)
    has_labels = f"EXISTS (SELECT FROM labels.{identifier(dataset.name)} l WHERE l.upload_sha256 = u.sha256"
    has_labels = f"u.dataset = $1 AND {has_labels} AND l.{label} IS NOT NULL)"
    wanted = f"({has_labels} OR u.dataset IN ({tables}))" if tables else has_labels
    with transaction() as cursor:
        if not existing_columns(cursor, "labels", dataset.name):
            return 0
        found = rows(
            cursor,
            "SELECT coalesce(sum(u.rows_loaded), 0)::bigint FROM uploads.ledger u WHERE u.purpose = 'train'"  # noqa: S608
            " AND NOT EXISTS (SELECT FROM uploads.training_sets s WHERE s.dataset = $1 AND s.upload_of = u.dataset"
            f" AND s.upload_sha256 = u.sha256) AND {wanted}",
            dataset.name,
        )
    return int(found[0][0])


def bad_verdicts(name: str, version: int, end: datetime) -> list[str]:
    """Return the bad ones among the last verdicts about a version, one per kind. Dry runs are not recorded."""
    found = fetch(
        "SELECT DISTINCT ON (kind) kind, verdict FROM monitoring.checks WHERE dataset = $1 AND model_version = $2::int"
        " AND window_end <= $3::text::timestamptz ORDER BY kind, window_end DESC, check_id DESC",
        *(name, version, end.isoformat()),
    )
    return [verdict for kind, verdict in found if VERDICTS.get(kind) == verdict]


_COLUMNS = "cause, model_version, is_started, reason"


def _recorded(name: str, end: datetime) -> Decision | None:
    found = fetch(
        f"SELECT {_COLUMNS} FROM monitoring.retrainings WHERE dataset = $1 AND window_end = $2::text::timestamptz",  # noqa: S608
        *(name, end.isoformat()),
    )
    return Decision(*found[0]) if found else None


def _record(name: str, end: datetime, decision: Decision, by: str) -> None:
    with transaction() as cursor:
        cursor.execute(
            f"INSERT INTO monitoring.retrainings (dataset, window_end, {_COLUMNS}, decided_by)"  # noqa: S608
            " VALUES ($1, $2::text::timestamptz, $3, $4::int, $5, $6, $7)",
            (name, end.isoformat(), decision.cause, decision.version, decision.is_started, decision.reason, by),
        )


def recent(name: str, most: int) -> list[tuple[datetime, Decision]]:
    """Return the newest decisions about a data set and when they were made, the newest first."""
    found = fetch(
        f"SELECT decided_at, {_COLUMNS} FROM monitoring.retrainings WHERE dataset = $1"  # noqa: S608
        " ORDER BY decided_at DESC LIMIT $2::int",
        *(name, most),
    )
    return [(row[0], Decision(*row[1:])) for row in found]
