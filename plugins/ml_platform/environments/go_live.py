"""Make a copied version the champion of its environment, and record the promotion here.

It works like a change of an alias here (`promotion.alias_log`): the promotion is recorded first, then the aliases move,
then the record is marked as done. A process that is killed in between leaves a record that is not done. The next
process completes or deletes it.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from ml_platform.environments.copy_version import copy_error, find_copy, lock_name
from ml_platform.environments.environment import Environment
from ml_platform.environments.values import CopiedVersion, PromotionRequest
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.promotion import alias_log
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry
from ml_platform.storage import database, mlflow_client
from ml_platform.storage.locks import promotion_lock

log = logging.getLogger(__name__)


def go_live(environment: Environment, copied: CopiedVersion, request: PromotionRequest) -> LiveVersions:
    """Move the alias `champion` in the environment to a version that passed `check`, and `previous` to the one before.

    Returns:
        The versions with the aliases `champion` and `previous` there now.

    Raises:
        RegistryError: there is no reason, or the files there are not those that were checked. No alias has moved.
        ConfigurationError: the environment refuses the login.
        ServiceError: somebody there moved the alias at the same time. No alias has moved.
    """
    if not request.reason.strip():
        raise RegistryError(f"{copied.model}: a promotion needs a reason; it is recorded in the history")
    with promotion_lock(lock_name(environment.name, copied.model)) as check_lock, environment.use():
        _reconcile(environment, copied.model)
        live = registry.alias_number(copied.model)
        if not _is_done(copied, request.id) and live != copied.target_version:
            version = find_copy(copied)
            try:
                registry.load_copy(version)  # its digest proves that it was not changed during the approval
            except RegistryError as error:
                raise copy_error(copied, error) from error
            check_lock()
            if (now := registry.alias_number(copied.model)) != live:  # a platform there does not use our lock
                raise ServiceError(
                    f"{copied.model}: version {now} is live in {environment.name} now, not version {live}; "
                    "no alias has moved"
                )
            _record_intent(copied, request, live)
            _tag(copied, request)
            registry.set_alias(copied.model, registry.CHAMPION, copied.target_version)
            _mark_done(copied.environment, copied.model, live)
            log.info("%s is live there; before it was version %s", copied, live)
        return LiveVersions(registry.alias_number(copied.model), registry.alias_number(copied.model, registry.PREVIOUS))


def _record_intent(copied: CopiedVersion, request: PromotionRequest, live: int | None) -> None:
    database.fetch(
        "INSERT INTO models.promotions (model, version, run_id, model_sha256, environment, target_version,"
        " target_before, promoted_by, approved_by, reason, request)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7::int, $8, $9::text, $10, $11::text) RETURNING promotion_id",
        *(copied.model, copied.version, copied.run_id, copied.model_sha256, copied.environment),
        *(copied.target_version, live, request.by, request.approved_by, request.reason.strip(), request.id),
    )


def _tag(copied: CopiedVersion, request: PromotionRequest) -> None:
    """Tag the version with who made it live: a platform there reads its history from these tags."""
    reason = request.reason.strip() + (f"; approved by {request.approved_by}" if request.approved_by else "")
    tags = {
        "promoted_by": request.by, "approved_by": request.approved_by or "nobody",
        "promoted_at": datetime.now(UTC).isoformat(), "promotion_reason": reason[-mlflow_client.TEXT_LIMIT :],
    }  # fmt: skip
    for tag, text in tags.items():
        mlflow_client.connect().set_model_version_tag(copied.model, str(copied.target_version), tag, text)


def _mark_done(environment: str, name: str, before: int | None) -> None:
    alias_log.set_previous(name, before)
    database.fetch(
        "UPDATE models.promotions SET is_done = true WHERE model = $1 AND environment = $2 AND NOT is_done"
        " RETURNING promotion_id",
        *(name, environment),
    )


def _reconcile(environment: Environment, name: str) -> None:
    """Complete the promotion of a killed process, or delete its record if the alias has not moved."""
    key = (name, environment.name)
    pending: list[tuple[Any, ...]] = database.fetch(
        "SELECT target_version, target_before FROM models.promotions"
        " WHERE model = $1 AND environment = $2 AND NOT is_done",
        *key,
    )
    for version, before in pending:  # one at most
        if version == registry.alias_number(name):
            _mark_done(environment.name, name, before)
        else:
            database.fetch(
                "DELETE FROM models.promotions WHERE model = $1 AND environment = $2 AND NOT is_done"
                " RETURNING promotion_id",
                *key,
            )


def _is_done(copied: CopiedVersion, request: str | None) -> bool:
    statement = "SELECT 1 FROM models.promotions WHERE model = $1 AND environment = $2 AND request = $3"
    return request is not None and bool(database.fetch(statement, copied.model, copied.environment, request))
