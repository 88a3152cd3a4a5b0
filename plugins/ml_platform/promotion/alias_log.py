"""Record and apply every change of a model's alias `champion`, and repair the record after a kill or a change by hand.

MLflow and Postgres share no transaction. So the intent is recorded first, then the aliases move, then the record is
marked as done. A process that is killed in between leaves a record that is not done. The next process that holds the
lock looks where the alias is, and completes or deletes that record. All functions here need `promotion_lock`.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.registry import registry
from ml_platform.registry.registry import CHAMPION, PREVIOUS
from ml_platform.storage import database

log = logging.getLogger(__name__)

Why = Literal["gate", "rollback", "promotion", "by hand"]


@dataclass(frozen=True)
class AliasChange:
    """One change of the alias `champion`.

    Attributes:
        model: name of the registered model.
        from_version: the version that was live before; None if there was none.
        to_version: the version that is live afterwards; None if the alias was removed.
        moved_by: the user or the DAG.
        why: the gate, a rollback, a promotion from another platform, or by hand in MLflow.
        reason: in words.
        request: id of the request; a request that is repeated moves nothing. None if it is never repeated.
        decision_id: id of the gate's decision; None if there was none.
        moved_at: when; None for the moment at which it is recorded.
    """

    model: str
    from_version: int | None
    to_version: int | None
    moved_by: str
    why: Why
    reason: str
    request: str | None = None
    decision_id: int | None = None
    moved_at: datetime | None = None


def record_intent(cursor: Any, change: AliasChange) -> None:
    """Record a change in the caller's transaction, before `apply` makes it.

    Raises:
        ServiceError: somebody moved the alias in MLflow at the same time, without the lock. A retry records that first.
    """
    if (live := live_version(change.model)) != change.from_version:
        raise ServiceError(
            f"{change.model}: version {live} is live now, not version {change.from_version}; no alias has moved"
        )
    _insert(cursor, change, is_done=False)


def _insert(cursor: Any, change: AliasChange, *, is_done: bool) -> None:
    database.rows(
        cursor,
        "INSERT INTO models.movements (model, from_version, to_version, moved_by, why, reason, request, decision_id,"
        " training_set_sha256, run_id, is_done, moved_at) VALUES ($1, $2::int, $3::int, $4, $5, $6, $7::text,"
        " $8::bigint, $9::text, $10::text, $11, coalesce($12::text::timestamptz, now())) RETURNING movement_id",
        *(change.model, change.from_version, change.to_version, change.moved_by, change.why),
        *(change.reason, change.request, change.decision_id, *_origin(change), is_done),
        change.moved_at.isoformat() if change.moved_at else None,
    )


def _origin(change: AliasChange) -> tuple[str | None, str | None]:
    """Return the training set and the run of the version that is live afterwards."""
    if change.to_version is None:
        return None, None
    version = registry.get_version(change.model, change.to_version)
    return version.tags.get("training_set_sha256"), version.run_id or ""


def apply(change: AliasChange) -> None:
    """Move the aliases of a recorded change. `champion` moves first: it decides whether the change has happened.

    Raises:
        ServiceError: the change is not recorded, or its record was deleted in the meantime.
    """
    if change.to_version is not None:
        registry.set_alias(change.model, CHAMPION, change.to_version)
    _mark_done(change)


def _mark_done(change: AliasChange) -> None:
    set_previous(change.model, change.from_version)
    done = database.fetch(
        "UPDATE models.movements SET is_done = true WHERE model = $1 AND NOT is_done RETURNING movement_id",
        change.model,
    )
    if not done:
        raise ServiceError(
            f"{change.model}: the change to version {change.to_version} is not recorded any more; the next look at the "
            "history records which version is live"
        )
    log.info("%s: %s is live, %s before (%s)", change.model, change.to_version, change.from_version, change.why)


def set_previous(name: str, version: int | None) -> None:
    """Move the alias `previous` to the champion before. It stays where it is if that version is None or deleted."""
    try:
        if version is not None:
            registry.set_alias(name, PREVIOUS, int(registry.get_version(name, version).version))
    except RegistryError as error:
        log.warning("%s; the alias %s stays where it is", error, PREVIOUS)  # the version was deleted in MLflow


def reconcile(name: str) -> None:
    """Make the record agree with MLflow: finish the change of a killed process, and record a change made by hand.

    A change by hand to a version that the platform never made live is not recorded, because that version is not used.
    """
    live = live_version(name)
    if pending := _newest(name, is_done=False):
        if pending.to_version == live:
            _mark_done(pending)
        else:
            database.fetch("DELETE FROM models.movements WHERE model = $1 AND NOT is_done RETURNING movement_id", name)
    last = _newest(name, is_done=True)
    before = last.to_version if last else None
    if live != before:
        change = _promotion_from_tags(name, last, live)
        if change is None:
            reason = "moved in MLflow; user and time are not known"
            change = AliasChange(name, before, live, "unknown", "by hand", reason)
            set_previous(name, before)  # a promotion moves it itself
        with database.transaction() as cursor:
            _insert(cursor, change, is_done=True)


def _promotion_from_tags(name: str, last: AliasChange | None, live: int | None) -> AliasChange | None:
    """Return the promotion from another platform that made a version live, according to its tags, or None."""
    tags = registry.get_version(name, live).tags if live is not None else {}
    by, at, reason = (tags.get(tag, "") for tag in ("promoted_by", "promoted_at", "promotion_reason"))
    try:
        moved_at = min(datetime.fromisoformat(at).astimezone(UTC), datetime.now(UTC))
    except ValueError:
        return None
    # The tags of an earlier promotion stay on the version. They do not say who made it live again after that.
    if last and last.moved_at and moved_at <= last.moved_at:
        return None
    return AliasChange(name, last.to_version if last else None, live, by, "promotion", reason, moved_at=moved_at)


def live_version(name: str) -> int | None:
    """Return the number of the version that is live, or None; see `registry.live_version`."""
    version = registry.live_version(name)
    return int(version.version) if version else None


_COLUMNS = "model, from_version, to_version, moved_by, why, reason, request, decision_id, moved_at"


def _newest(name: str, *, is_done: bool) -> AliasChange | None:
    rows = database.fetch(
        f"SELECT {_COLUMNS} FROM models.movements WHERE model = $1 AND is_done = $2"  # noqa: S608 – a constant
        " ORDER BY movement_id DESC LIMIT 1",
        *(name, is_done),
    )
    return AliasChange(*rows[0]) if rows else None
