# ruff: noqa: S608 – only names of our own are combined
"""What is recorded about a model version: its training, the gate's decision, and when it was live."""

from dataclasses import dataclass, fields
from datetime import datetime

from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class Period:
    """A time in which a version was live, and who made it so, why."""

    valid_from: datetime
    valid_to: datetime | None
    moved_by: str
    approved_by: str | None
    why: str
    reason: str


@dataclass(frozen=True)
class VersionRecord:
    """A model version, as the platform recorded it.

    Attributes:
        run_id: of the MLflow run that trained it.
        training_set_sha256: hash of its training set; None if it was not recorded.
        recorded_at: when it was registered.
        recorded_by: the step, or the user.
        decision: of the gate: promoted, kept or refused; None if it has not decided.
        reason: of the decision.
        decided_at: when.
        decided_by: the user or DAG.
    """

    run_id: str
    training_set_sha256: str | None
    recorded_at: datetime
    recorded_by: str
    decision: str | None
    reason: str | None
    decided_at: datetime | None
    decided_by: str | None


def version(model: str, number: int, run_id: str | None = None) -> VersionRecord | None:
    """Return the record of a version, of the run if it is known; None if there is none.

    A model that was deleted in MLflow counts its versions from 1 again, so a number alone means the newest.
    """
    found = fetch(
        "SELECT run_id, coalesce(v.tags->>'training_set_sha256', d.training_set_sha256), v.recorded_at, v.recorded_by,"
        " d.decision, d.reason, d.decided_at, d.decided_by FROM models.versions v"
        " LEFT JOIN models.decisions d USING (model, version, run_id)"
        " WHERE model = $1 AND version = $2::int AND ($3::text IS NULL OR run_id = $3)"
        " ORDER BY v.recorded_at DESC LIMIT 1",
        *(model, number, run_id),
    )
    return VersionRecord(*found[0]) if found else None


def periods(model: str, number: int, training_set_sha256: str | None) -> list[Period]:
    """Return the times in which a version was live, the oldest first."""
    columns = ", ".join(field.name for field in fields(Period))
    found = fetch(
        f"SELECT {columns} FROM models.history WHERE model = $1 AND version = $2::int"
        " AND ($3::text IS NULL OR training_set_sha256 IS NULL OR training_set_sha256 = $3) ORDER BY valid_from",
        *(model, number, training_set_sha256),
    )
    return [Period(*row) for row in found]
