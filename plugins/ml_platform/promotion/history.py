"""What was live when, who moved it, why, and on which data it was trained: the view `models.history`."""

from dataclasses import dataclass, fields
from datetime import datetime

from ml_platform.promotion import alias_log
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock


@dataclass(frozen=True)
class Period:
    """A time in which one version was live.

    Attributes:
        version: its number; None if nothing was live.
        valid_from: since when (UTC).
        valid_to: until when, exclusively; None if it is live still.
        version_before: that was live until then; None if none was.
        moved_by: who moved the alias: a user or a DAG; `unknown` if it was done in MLflow.
        approved_by: the user who approved it; None if nobody was asked.
        approved_at: when (UTC).
        why: gate, rollback, promotion (from another platform) or by hand.
        reason: in words.
        decision_id: row of `models.decisions`, if the gate decided it.
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
    """Return what was live, the oldest first; a move that was made by hand in MLflow is noticed and noted first.

    Args:
        name: of the registered model, which is the data set's.
        at: only what was live at this moment: one period, or none. With its time zone.
    """
    with promotion_lock(name):
        alias_log.reconcile(name)
    columns = ", ".join(field.name for field in fields(Period))
    found = database.fetch(
        f"SELECT {columns} FROM models.history WHERE model = $1"  # noqa: S608 – names of our own
        " AND ($2::text IS NULL OR (valid_from <= $2::text::timestamptz"
        " AND (valid_to IS NULL OR valid_to > $2::text::timestamptz))) ORDER BY valid_from",
        *(name, at.isoformat() if at else None),
    )
    return [Period(*row) for row in found]
