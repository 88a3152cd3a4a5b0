"""What people did on the home page: the table `home.actions`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from ml_platform.exceptions import PlatformError
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class Action:
    """An action of a person.

    Attributes:
        person: who.
        action: a verb with its object, such as `roll back the model`.
        dataset: name of the data set; None if it is about none.
        target: on what: a file, a version.
        reason: in words; "" where none is asked for.
        began_at: when.
        ended_at: when it was done or failed; None if it is not over, or was interrupted.
        problem: why it was not done; None if it was.
    """

    person: str
    action: str
    dataset: str | None
    target: str
    reason: str
    began_at: datetime
    ended_at: datetime | None
    problem: str | None


@contextmanager
def recorded(person: str, action: str, *, dataset: str | None, target: str, reason: str = "") -> Iterator[None]:
    """Record an action before it is done, and then what came of it; an error is raised again.

    Raises:
        ServiceError: Postgres failed. If it failed before the action, nothing was done.
    """
    ((action_id,),) = fetch(
        "INSERT INTO home.actions (person, action, dataset, target, reason) VALUES ($1, $2, $3, $4, $5)"
        " RETURNING action_id",
        *(person, action, dataset, target, reason),
    )
    try:
        yield
    except PlatformError as error:
        _end(action_id, str(error))
        raise
    _end(action_id, None)


def _end(action_id: int, problem: str | None) -> None:
    fetch(
        "UPDATE home.actions SET ended_at = now(), problem = $2 WHERE action_id = $1 RETURNING action_id",
        *(action_id, problem),
    )


def newest(limit: int = 100, dataset: str | None = None) -> list[Action]:
    """Return the newest actions, the newest first; of one data set if it is named."""
    found = fetch(
        "SELECT person, action, dataset, target, reason, began_at, ended_at, problem FROM home.actions"
        " WHERE $1::text IS NULL OR dataset = $1 ORDER BY began_at DESC, action_id DESC LIMIT $2",
        *(dataset, limit),
    )
    return [Action(*row) for row in found]
