"""The models of a data set that ends: they lose their aliases and get a tag, and stay in MLflow."""

from mlflow.exceptions import MlflowException

from ml_platform.promotion.alias_log import AliasChange, apply, live_version, reconcile, record_intent
from ml_platform.registry.registry import CHAMPION
from ml_platform.storage import mlflow_client
from ml_platform.storage.database import transaction
from ml_platform.storage.locks import promotion_lock

ARCHIVED = "archived"  # the tag; its value says who removed the data set, and why


def archive(name: str, *, by: str, reason: str) -> tuple[int, ...]:
    """Remove all aliases of a model and tag its versions; that nothing is live is recorded in the history. Idempotent.

    Args:
        name: of the registered model; there need not be one.
        by: the person.
        reason: in words.

    Returns:
        The versions.

    Raises:
        ServiceError: somebody moved the alias in MLflow at the same time; run it again.
        MlflowException, psycopg2.Error: MLflow or Postgres is not available; run it again.
    """
    client = mlflow_client.connect()
    if not _exists(name):
        return ()
    with promotion_lock(name):
        reconcile(name)
        if (live := live_version(name)) is not None:
            change = AliasChange(name, live, None, by, "by hand", f"the data set was removed: {reason}")
            with transaction() as cursor:
                record_intent(cursor, change)
            client.delete_registered_model_alias(name, CHAMPION)
            apply(change)
        for alias in client.get_registered_model(name).aliases:
            client.delete_registered_model_alias(name, alias)
        versions = list(mlflow_client.versions(client, name))
        for version in versions:
            if ARCHIVED not in version.tags:
                client.set_model_version_tag(name, version.version, ARCHIVED, f"by {by}: {reason}")
    return tuple(sorted(int(version.version) for version in versions))


def _exists(name: str) -> bool:
    try:
        mlflow_client.connect().get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
    return True
