"""The decisions of the gate, as rows of `models.decisions`."""

from dataclasses import fields
from typing import Any

from mlflow.entities.model_registry import ModelVersion

from ml_platform.promotion.approval import Answer
from ml_platform.promotion.decision import Decision
from ml_platform.storage import database

_FIELDS = tuple(field.name for field in fields(Decision))
_KEYS = ("model", "run_id", "training_set_sha256", "decided_by")


def final_decision(version: ModelVersion) -> Decision | None:
    """Return the decision about a version; None if there is none, or if the alias has not moved as decided.

    The key includes the run: a model that was deleted in MLflow counts its versions from 1 again.
    """
    columns = ", ".join(_FIELDS)
    rows = database.fetch(
        f"SELECT {columns} FROM models.decisions AS decision_row"  # noqa: S608 – names of our own
        " WHERE model = $1 AND version = $2 AND run_id = $3 AND (decision <> 'promoted' OR EXISTS"
        " (SELECT FROM models.movements WHERE decision_id = decision_row.decision_id AND is_done))",
        *(version.name, int(version.version), version.run_id),
    )
    return Decision(*rows[0]) if rows else None


def version_trained_on(model: str, training_set_sha256: str) -> int | None:
    """Return the newest version with this training set that was decided about; None if there is none."""
    found = database.fetch(
        "SELECT max(version) FROM models.decisions WHERE model = $1 AND training_set_sha256 = $2",
        *(model, training_set_sha256),
    )
    version: int | None = found[0][0]
    return version


def record(cursor: Any, version: ModelVersion, decision: Decision, by: str, answer: Answer | None = None) -> int:
    """Insert a decision, or replace one whose alias never moved; return its id."""
    row = {field: getattr(decision, field) for field in _FIELDS}
    row |= dict(
        zip(_KEYS, (version.name, version.run_id, version.tags.get("training_set_sha256", ""), by), strict=True)
    )
    row |= {
        "approval": answer and answer.outcome, "answered_by": answer and answer.by,
        "answered_at": answer and answer.at.isoformat(),
    }  # fmt: skip
    columns = ", ".join(row)
    places = ", ".join(f"${number}::{_TYPES.get(name, 'text')}" for number, name in enumerate(row, 1))
    updates = ", ".join(f"{name} = excluded.{name}" for name in row)
    rows = database.rows(
        cursor,
        f"INSERT INTO models.decisions ({columns}) VALUES ({places})"  # noqa: S608 – names of our own
        f" ON CONFLICT (model, version, run_id) DO UPDATE SET {updates}, decided_at = now() RETURNING decision_id",
        *row.values(),
    )
    return int(rows[0][0])


# Postgres cannot tell the type of a bound None.
_TYPES = {
    **{"version": "int", "champion_before": "int", "rows": "bigint", "answered_at": "text::timestamptz"},
    **dict.fromkeys(
        ("min_gain", "confidence", "challenger_score", "champion_score", "gain_low", "gain_high"), "float8"
    ),
}
