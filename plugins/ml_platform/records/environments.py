"""The other environments that a version can be promoted to, and what is live there by the records."""

from dataclasses import dataclass
from datetime import datetime

from ml_platform.records.airflow_session import airflow
from ml_platform.storage.database import fetch

CONNECTION = "mlflow_"  # an environment is the Airflow connection of this name, then its own


@dataclass(frozen=True)
class Promotion:
    """A version that went live in another environment.

    Attributes:
        environment: its name.
        version: here.
        target_version: its number there.
        target_before: the version that was live there before; None if there was none.
        promoted_at: when (UTC).
        promoted_by: the person or DAG.
        approved_by: the person; None if nobody was asked.
        reason: in words.
    """

    environment: str
    version: int
    target_version: int
    target_before: int | None
    promoted_at: datetime
    promoted_by: str
    approved_by: str | None
    reason: str


def environments() -> list[str]:
    """Return the names of the environments, in order.

    Raises:
        ServiceError: Airflow is not reachable, or failed.
        ConfigurationError: Airflow refused the request.
    """
    with airflow() as api:
        return [name.removeprefix(CONNECTION) for name in api.connections() if name.startswith(CONNECTION)]


def newest_promotions(name: str) -> dict[str, Promotion]:
    """Return the newest promotion of a model to each environment, by environment.

    A rollback there by other means is not known here.

    Raises:
        ServiceError: Postgres is not available.
    """
    found = fetch(
        "SELECT DISTINCT ON (environment) environment, version, target_version, target_before, promoted_at,"
        " promoted_by, approved_by, reason FROM models.promotions WHERE model = $1 AND is_done"
        " ORDER BY environment, promotion_id DESC",
        name,
    )
    return {row[0]: Promotion(*row) for row in found}
