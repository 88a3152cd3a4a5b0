"""The table `models.shadows`: which challenger was in shadow beside which champion, and how that ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlflow.entities.model_registry import ModelVersion

from ml_platform.storage.database import fetch

ALIAS = "shadow"  # in MLflow, for people
SPARE = timedelta(days=1)  # a shadow that lasts so much longer than it may has lost its training
_COLUMNS = "shadow_id, version, champion, began_at, problem"


@dataclass(frozen=True)
class Shadow:
    """A challenger in shadow.

    Attributes:
        shadow_id: of its row.
        version: of the challenger.
        champion: the version that is live beside it.
        began_at: files that are scored later are scored by it, too.
        problem: why it was dropped; None if it was not.
    """

    shadow_id: int
    version: int
    champion: int
    began_at: datetime
    problem: str | None


def begin(version: ModelVersion, champion: int, longest: timedelta) -> Shadow | None:
    """Record that a challenger is in shadow, unless that is recorded; return None if another one is.

    Args:
        version: of the challenger.
        champion: the version that is live.
        longest: how long a shadow may last. One that lasts longer by a day is ended.
    """
    if known := find(version):
        return known
    fetch(
        "UPDATE models.shadows SET ended_at = now(), reason = 'its training ended without a comparison'"
        " WHERE model = $1 AND ended_at IS NULL AND began_at < now() - make_interval(secs => $2::float8)"
        " RETURNING shadow_id",
        *(version.name, (longest + SPARE).total_seconds()),
    )
    found = fetch(
        "INSERT INTO models.shadows (model, version, run_id, champion) VALUES ($1, $2::int, $3, $4::int)"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {_COLUMNS}",
        *(version.name, int(version.version), version.run_id, champion),
    )
    return Shadow(*found[0]) if found else None


def find(version: ModelVersion) -> Shadow | None:
    """Return what is recorded about a challenger; None if it was not in shadow.

    The key includes the run: a model that was deleted in MLflow counts its versions from 1 again.
    """
    found = fetch(
        f"SELECT {_COLUMNS} FROM models.shadows WHERE model = $1 AND version = $2::int AND run_id = $3",  # noqa: S608
        *(version.name, int(version.version), version.run_id),
    )
    return Shadow(*found[0]) if found else None


def current(model: str) -> Shadow | None:
    """Return the shadow of a model that has not ended; None if there is none."""
    found = fetch(f"SELECT {_COLUMNS} FROM models.shadows WHERE model = $1 AND ended_at IS NULL", model)  # noqa: S608
    return Shadow(*found[0]) if found else None


def drop(shadow: Shadow, problem: str) -> None:
    """Record that a challenger cannot score."""
    fetch("UPDATE models.shadows SET problem = $2 WHERE shadow_id = $1 RETURNING 1", shadow.shadow_id, problem)


def end(shadow: Shadow, reason: str) -> None:
    """Record how a shadow ended; the first end stays."""
    fetch(
        "UPDATE models.shadows SET ended_at = coalesce(ended_at, now()), reason = coalesce(reason, $2)"
        " WHERE shadow_id = $1 RETURNING 1",
        *(shadow.shadow_id, reason),
    )
