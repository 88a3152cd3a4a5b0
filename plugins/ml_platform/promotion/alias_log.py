"""Every move of a model's alias `champion`: written down, carried out, and made good after a kill or a move by hand.

MLflow and Postgres share no transaction. So a movement is first written down, then the aliases move, then it is marked
as done. Whoever is killed in between leaves a movement that is not done: the next who holds the lock looks where the
alias is, and either finishes it or strikes it out. All of this module wants `promotion_lock`.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.registry import registry
from ml_platform.registry.registry import CHAMPION, PREVIOUS
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock

log = logging.getLogger(__name__)

Why = Literal["gate", "rollback", "promotion", "by hand"]


@dataclass(frozen=True)
class Movement:
    """A move of the alias `champion`.

    Attributes:
        model: name of the registered model.
        from_version: that was live before; None if none was.
        to_version: that is live from then on; None if the alias was removed.
        moved_by: the user or the DAG.
        why: the gate, a rollback, a promotion from another platform, or by hand in MLflow.
        reason: in words.
        request: tells one request from the next, so that a repeated one moves nothing; None if it is never repeated.
        decision_id: of the gate's decision, None if there was none.
        moved_at: when; if None, as soon as it is written down.
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


def begin(cursor: Any, movement: Movement) -> None:
    """Write a movement down, in the caller's transaction; `finish` carries it out.

    Raises:
        ServiceError: somebody who has no part in the lock has moved the alias meanwhile; tried again, it is noticed.
    """
    if (live := live_version(movement.model)) != movement.from_version:
        raise ServiceError(
            f"{movement.model}: version {live} went live meanwhile, not {movement.from_version}; nothing has moved"
        )
    _insert(cursor, movement, is_done=False)


def _insert(cursor: Any, movement: Movement, *, is_done: bool) -> None:
    database.rows(
        cursor,
        "INSERT INTO models.movements (model, from_version, to_version, moved_by, why, reason, request, decision_id,"
        " training_set_sha256, is_done, moved_at) VALUES ($1, $2::int, $3::int, $4, $5, $6, $7::text, $8::bigint,"
        " $9::text, $10, coalesce($11::text::timestamptz, now())) RETURNING movement_id",
        *(movement.model, movement.from_version, movement.to_version, movement.moved_by, movement.why),
        *(movement.reason, movement.request, movement.decision_id, _training_set(movement), is_done),
        movement.moved_at.isoformat() if movement.moved_at else None,
    )


def _training_set(movement: Movement) -> str | None:
    if movement.to_version is None:
        return None
    sha256: str | None = registry.numbered(movement.model, movement.to_version).tags.get("training_set_sha256")
    return sha256


def finish(movement: Movement) -> None:
    """Move the aliases as was written down: `champion` first, for it decides whether the movement has happened.

    Raises:
        ServiceError: it is not written down, or was struck out meanwhile.
    """
    if movement.to_version is not None:
        registry.set_alias(movement.model, CHAMPION, movement.to_version)
    _mark_done(movement)


def _mark_done(movement: Movement) -> None:
    name_previous(movement.model, movement.from_version)
    done = database.fetch(
        "UPDATE models.movements SET is_done = true WHERE model = $1 AND NOT is_done RETURNING movement_id",
        movement.model,
    )
    if not done:
        raise ServiceError(
            f"{movement.model}: the move to version {movement.to_version} is not written down any more; the next look "
            "at the history notes what is live"
        )
    log.info("%s: %s is live, %s before (%s)", movement.model, movement.to_version, movement.from_version, movement.why)


def name_previous(name: str, version: int | None) -> None:
    """Let the alias `previous` name the champion before; it stays as it is if there was none, or is none any more."""
    try:
        if version is not None:
            registry.set_alias(name, PREVIOUS, int(registry.numbered(name, version).version))
    except RegistryError as error:
        log.warning("%s; %s stays as it is", error, PREVIOUS)  # it was deleted in MLflow


def notice(name: str) -> None:
    """Make the record agree with MLflow: end what was begun by one who was killed, and note a move made by hand."""
    live = live_version(name)
    if pending := _newest(name, is_done=False):
        if pending.to_version == live:
            _mark_done(pending)
        else:
            database.fetch("DELETE FROM models.movements WHERE model = $1 AND NOT is_done RETURNING movement_id", name)
    last = _newest(name, is_done=True)
    before = last.to_version if last else None
    if live != before:
        movement = _promotion(name, last, live)
        if movement is None:
            reason = "found so in MLflow; nobody wrote down who moved the alias, nor when"
            movement = Movement(name, before, live, "unknown", "by hand", reason)
            name_previous(name, before)  # a promotion has done it
        with database.transaction() as cursor:
            _insert(cursor, movement, is_done=True)


def _promotion(name: str, last: Movement | None, live: int | None) -> Movement | None:
    """Return the promotion from another platform that made a version live, as its tags tell, or None."""
    tags = registry.numbered(name, live).tags if live is not None else {}
    by, at, reason = (tags.get(tag, "") for tag in ("promoted_by", "promoted_at", "promotion_reason"))
    try:
        moved_at = min(datetime.fromisoformat(at).astimezone(UTC), datetime.now(UTC))
    except ValueError:
        return None
    # Tags of an earlier promotion stay on the version: who made it live again since then is not known.
    if last and last.moved_at and moved_at <= last.moved_at:
        return None
    return Movement(name, last.to_version if last else None, live, by, "promotion", reason, moved_at=moved_at)


def live_version(name: str) -> int | None:
    """Return the number of the version that the alias `champion` names."""
    found = registry.alias_version(name, CHAMPION)
    return int(found.version) if found else None


_COLUMNS = "model, from_version, to_version, moved_by, why, reason, request, decision_id, moved_at"


def _newest(name: str, *, is_done: bool) -> Movement | None:
    found = database.fetch(
        f"SELECT {_COLUMNS} FROM models.movements WHERE model = $1 AND is_done = $2"  # noqa: S608 – a constant
        " ORDER BY movement_id DESC LIMIT 1",
        *(name, is_done),
    )
    return Movement(*found[0]) if found else None


def rollback(
    name: str, *, reason: str, by: str, to: int | None = None, request: str | None = None
) -> dict[str, int | None]:
    """Let the previous champion, or a given version, be live again.

    Args:
        name: of the registered model.
        reason: in words; it goes into the history.
        by: who asks.
        to: the version; the previous champion if not given.
        request: tells this request from the next. Repeated, it moves nothing.

    Returns:
        The versions that `champion` and `previous` now name.

    Raises:
        RegistryError: there is no reason, no previous champion or no such version, or it cannot be loaded; nothing has
            moved then.
        ServiceError: somebody moved the alias meanwhile; nothing has moved then.
    """
    if not reason.strip():
        raise RegistryError(f"{name}: a rollback needs a reason, which goes into the history")
    with promotion_lock(name) as check_lock:
        notice(name)
        live = live_version(name)
        if not _is_settled(name, request):
            target = registry.alias_version(name, PREVIOUS) if to is None else registry.numbered(name, to)
            if target is None:
                raise RegistryError(f"{name}: there is no previous champion to return to")
            if int(target.version) != live:
                registry.load(target)
                check_lock()
                movement = Movement(name, live, int(target.version), by, "rollback", reason.strip(), request)
                with database.transaction() as cursor:
                    begin(cursor, movement)
                finish(movement)
        previous = registry.alias_version(name, PREVIOUS)
        return {"champion": live_version(name), "previous": int(previous.version) if previous else None}


def _is_settled(name: str, request: str | None) -> bool:
    if request is None:
        return False
    statement = "SELECT 1 FROM models.movements WHERE model = $1 AND request = $2"
    return bool(database.fetch(statement, name, request))
