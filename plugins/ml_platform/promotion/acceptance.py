"""Accept a version that another platform has promoted into this registry: it is checked, recorded, and made live."""

from ml_platform.exceptions import RegistryError
from ml_platform.promotion.alias_log import AliasChange, apply, live_version, reconcile, record_intent
from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry, version_records
from ml_platform.storage import database
from ml_platform.storage.locks import promotion_lock


def accept(name: str, version: int, *, reason: str, by: str) -> LiveVersions:
    """Make a version live that this platform has not trained.

    Args:
        name: of the registered model.
        version: its number in this registry.
        reason: in words; it goes into the history.
        by: the user.

    Returns:
        The versions with the aliases `champion` and `previous` now.

    Raises:
        RegistryError: there is no reason or no such version, its files differ from its tags or could run code, or this
            platform has already recorded it. No alias has moved.
        ServiceError: somebody moved the alias in MLflow at the same time. No alias has moved.
    """
    if not reason.strip():
        raise RegistryError(f"{name}: an acceptance needs a reason; it is recorded in the history")
    with promotion_lock(name) as check_lock:
        reconcile(name)
        target = registry.get_version(name, version)
        if version_records.read(target):
            raise RegistryError(f"{name} version {version} is already recorded; to make it live, roll back to it")
        registry.load_copy(target)
        check_lock()
        change = AliasChange(name, live_version(name), version, by, "promotion", reason.strip())
        with database.transaction() as cursor:
            version_records.record(cursor, target, by)
            record_intent(cursor, change)
        apply(change)
    return LiveVersions(version, registry.alias_number(name, registry.PREVIOUS))
