"""Roll back a model to an earlier version."""

from mlflow.entities.model_registry import ModelVersion

from ml_platform.exceptions import RegistryError
from ml_platform.promotion.alias_log import AliasChange, apply, live_version, reconcile, record_intent
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry, version_records
from ml_platform.registry.registry import PREVIOUS
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock


def rollback(name: str, *, reason: str, by: str, to: int | None = None, request: str | None = None) -> LiveVersions:
    """Roll back to the previous champion, or to a given version.

    Args:
        name: of the registered model.
        reason: in words; it goes into the history.
        by: the user or the DAG.
        to: the version; the previous champion if not given.
        request: id of the request; a request that is repeated moves nothing. None if it is never repeated.

    Returns:
        The versions with the aliases `champion` and `previous` now.

    Raises:
        RegistryError: there is no reason, no previous champion or no such version, or it was not judged or cannot be
            loaded. No alias has moved.
        ServiceError: somebody moved the alias in MLflow at the same time. No alias has moved.
    """
    if not reason.strip():
        raise RegistryError(f"{name}: a rollback needs a reason; it is recorded in the history")
    with promotion_lock(name) as check_lock:
        reconcile(name)
        live = live_version(name)
        if not _is_done(name, request):
            target = registry.alias_version(name, PREVIOUS) if to is None else registry.get_version(name, to)
            if target is None:
                raise RegistryError(f"{name}: there is no previous champion to roll back to")
            if int(target.version) != live:
                _check_judged(target)
                registry.load(target)
                check_lock()
                change = AliasChange(name, live, int(target.version), by, "rollback", reason.strip(), request)
                with database.transaction() as cursor:
                    record_intent(cursor, change)
                apply(change)
            elif registry.alias_number(name) != live:  # it names a version that is not used
                registry.set_alias(name, registry.CHAMPION, live)
        return LiveVersions(live_version(name), registry.alias_number(name, PREVIOUS))


def _check_judged(version: ModelVersion) -> None:
    recorded = version_records.read(version)
    if recorded and not recorded.was_live and recorded.decision is None:
        raise RegistryError(
            f"{version.name} version {version.version}: the gate has not decided about it yet; a rollback does not "
            "replace the gate or an approval"
        )


def _is_done(name: str, request: str | None) -> bool:
    if request is None:
        return False
    statement = "SELECT 1 FROM models.movements WHERE model = $1 AND request = $2"
    return bool(database.fetch(statement, name, request))
