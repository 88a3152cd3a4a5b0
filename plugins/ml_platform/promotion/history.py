"""The history of a model, from the view `models.history`: which version was live when, who moved the alias, and why."""

from dataclasses import dataclass, fields
from datetime import datetime

from ml_platform.promotion import alias_log
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock


@dataclass(frozen=True)
class Period:
    """A period in which one version was live.

    Attributes:
        version: its number; None if nothing was live.
        valid_from: first moment (UTC).
        valid_to: last moment, exclusive; None if the version is still live.
        version_before: the version that was live before; None if there was none.
        moved_by: the user or DAG that moved the alias; `unknown` if it was moved in MLflow.
        approved_by: the user who approved it; None if nobody was asked.
        approved_at: when (UTC).
        why: gate, rollback, promotion (from another platform) or by hand.
        reason: in words.
        decision_id: row of `models.decisions`; None if the gate did not decide it.
        training_set_sha256: content hash of the training set.
    """

    version: int | None
    valid_from: datetime
    valid_to: datetime | None
    version_before: int | None
    moved_by: str
    approved_by: str | None
    approved_at: datetime | None
    why: str
    reason: str
    decision_id: int | None
    training_set_sha256: str | None


def history(name: str, at: datetime | None = None) -> list[Period]:
    """Return the periods of a model, the oldest first. A change made by hand in MLflow is recorded before.

    Args:
        name: of the registered model, which is the data set's.
        at: a moment with time zone; only the period that holds it is returned, if there is one.
    """
    with promotion_lock(name):
        alias_log.reconcile(name)
    return recorded_history(name, at)


def recorded_history(name: str, at: datetime | None = None) -> list[Period]:
    """Return the periods that are recorded, as `history` does, without a look at MLflow and without the lock."""
    columns = ", ".join(field.name for field in fields(Period))
    rows = database.fetch(
        f"SELECT {columns} FROM models.history WHERE model = $1"  # noqa: S608 – names of our own
        " AND ($2::text IS NULL OR (valid_from <= $2::text::timestamptz"
        " AND (valid_to IS NULL OR valid_to > $2::text::timestamptz))) ORDER BY valid_from",
        *(name, at.isoformat() if at else None),
    )
    return [Period(*row) for row in rows]
