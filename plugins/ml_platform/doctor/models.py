"""The live models: each must load, be what the platform recorded, and be the one that it made live."""

import os
from collections.abc import Iterator

from stack.config import Config
from stack.runners import compose

LIVE = "SELECT model, version FROM models.history WHERE valid_to IS NULL AND version IS NOT NULL ORDER BY model"
MODULE = "ml_platform.doctor.models"


def bad_champions(config: Config) -> Iterator[str]:
    """Yield what is wrong with the live models; in containers, a task's container looks, because it has the keys."""
    if config.target == "compose":
        yield from compose.output(config, "exec", "-T", "airflow-scheduler", "python", "-m", MODULE).splitlines()
        return
    if "S3_ENDPOINT_URL" not in os.environ:  # a server of the platform has its own
        os.environ.update(config.environment())
    yield from problems()


def problems() -> Iterator[str]:
    """Yield what is wrong with the live model of each data set.

    Raises:
        ServiceError: MLflow or Postgres is not available.
    """
    from mlflow.exceptions import MlflowException  # here: three seconds, which other commands do not spend

    from ml_platform.exceptions import RegistryError, ServiceError
    from ml_platform.registry import registry
    from ml_platform.storage import database

    try:
        aliases = registry.champions()
        recorded = dict(database.fetch(LIVE))
        for name in sorted({*aliases, *recorded}):
            if aliases.get(name) != recorded.get(name):
                yield f"{name}: {_difference(aliases.get(name), recorded.get(name))}"
                continue
            try:
                registry.load_live(registry.get_version(name, aliases[name]))
            except RegistryError as error:
                yield " ".join(str(error).split())
    except MlflowException as error:
        raise ServiceError(f"MLflow: {error}") from error


def _difference(alias: int | None, recorded: int | None) -> str:
    named = "no version" if alias is None else f"version {alias}"
    live = "none" if recorded is None else f"version {recorded}"
    return f"the alias champion names {named} in MLflow, and the platform made {live} live"


if __name__ == "__main__":
    print("\n".join(problems()))  # noqa: T201 – for the doctor
