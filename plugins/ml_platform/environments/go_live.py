"""Let a version that was carried go live in its environment, and keep a record of it here.

As with a movement (`movements`), the promotion is first written down, then the aliases move, then it is marked as done;
who is killed in between leaves one that is not done, and the next makes it good.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ml_platform.environments.copy_version import Carried, arrived, lock_name, unfit
from ml_platform.environments.environment import Environment
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.promotion import alias_log
from ml_platform.registry import registry
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock
from ml_platform.training import tracking

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """Who wants a version live in an environment.

    Attributes:
        by: the user or the DAG.
        reason: in words.
        approved_by: the user who approved it; None if nobody was asked.
        request: tells one request from the next, so that a repeated one moves nothing; None if it is never repeated.
    """

    by: str
    reason: str
    approved_by: str | None = None
    request: str | None = None


def move(environment: Environment, carried: Carried, asked: Asked) -> dict[str, int | None]:
    """Let `champion` in the environment name a version that `check` has found sound, and `previous` the one before.

    Returns:
        The versions that `champion` and `previous` now name there.

    Raises:
        RegistryError: there is no reason, or the files there are not those that were checked; nothing has moved then.
        ConfigurationError: the environment refuses the login.
        ServiceError: somebody there moved the alias meanwhile.
    """
    if not asked.reason.strip():
        raise RegistryError(f"{carried.model}: a promotion needs a reason, which goes into the history")
    with promotion_lock(lock_name(environment.name, carried.model)) as check_lock, environment.entered():
        _make_good(environment, carried.model)
        live = alias_log.live_version(carried.model)
        if not _is_settled(carried, asked.request) and live != carried.target_version:
            there = arrived(carried)
            try:
                registry.load(there)  # by its digest it is what was checked, however long an approval took
            except RegistryError as error:
                raise unfit(carried, error) from error
            check_lock()
            if (now := alias_log.live_version(carried.model)) != live:  # a platform there has no part in the lock
                raise ServiceError(
                    f"{carried.model}: version {now} went live in {environment.name} meanwhile, not {live}"
                )
            _begin(carried, asked, live)
            _tag(carried, asked)
            registry.set_alias(carried.model, registry.CHAMPION, carried.target_version)
            _finish(carried.environment, carried.model, live)
            log.info("%s is live there, %s before", carried, live)
        previous = registry.alias_version(carried.model, registry.PREVIOUS)
        return {
            "champion": alias_log.live_version(carried.model), "previous": int(previous.version) if previous else None
        }  # fmt: skip


def _begin(carried: Carried, asked: Asked, live: int | None) -> None:
    database.fetch(
        "INSERT INTO models.promotions (model, version, run_id, model_sha256, environment, target_version,"
        " target_before, promoted_by, approved_by, reason, request)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7::int, $8, $9::text, $10, $11::text) RETURNING promotion_id",
        *(carried.model, carried.version, carried.run_id, carried.model_sha256, carried.environment),
        *(carried.target_version, live, asked.by, asked.approved_by, asked.reason.strip(), asked.request),
    )


def _tag(carried: Carried, asked: Asked) -> None:
    """Say on the version itself who made it live: the platform there, if there is one, takes its history from it."""
    reason = asked.reason.strip() + (f"; approved by {asked.approved_by}" if asked.approved_by else "")
    tags = {
        "promoted_by": asked.by, "approved_by": asked.approved_by or "nobody",
        "promoted_at": datetime.now(UTC).isoformat(), "promotion_reason": reason[-tracking.TEXT_LIMIT :],
    }  # fmt: skip
    for tag, text in tags.items():
        tracking.client().set_model_version_tag(carried.model, str(carried.target_version), tag, text)


def _finish(environment: str, name: str, before: int | None) -> None:
    alias_log.name_previous(name, before)
    database.fetch(
        "UPDATE models.promotions SET is_done = true WHERE model = $1 AND environment = $2 AND NOT is_done"
        " RETURNING promotion_id",
        *(name, environment),
    )


def _make_good(environment: Environment, name: str) -> None:
    """End what was begun by one who was killed, or strike it out if the alias has not moved."""
    key = (name, environment.name)
    pending: list[tuple[Any, ...]] = database.fetch(
        "SELECT target_version, target_before FROM models.promotions"
        " WHERE model = $1 AND environment = $2 AND NOT is_done",
        *key,
    )
    for version, before in pending:  # one at most
        if version == alias_log.live_version(name):
            _finish(environment.name, name, before)
        else:
            database.fetch(
                "DELETE FROM models.promotions WHERE model = $1 AND environment = $2 AND NOT is_done"
                " RETURNING promotion_id",
                *key,
            )


def _is_settled(carried: Carried, request: str | None) -> bool:
    statement = "SELECT 1 FROM models.promotions WHERE model = $1 AND environment = $2 AND request = $3"
    return request is not None and bool(database.fetch(statement, carried.model, carried.environment, request))
