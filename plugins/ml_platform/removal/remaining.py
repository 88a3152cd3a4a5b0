"""What an erasure cannot reach: trained models, copies elsewhere, files that cannot be read. People look at these."""

from collections.abc import Iterator
from pathlib import Path

from ml_platform.removal.forget_entity import Erasure
from ml_platform.specs.catalog import DATASETS_DIR, catalog
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch

ALWAYS = "backups, Airflow's task logs, and files that people have downloaded"


def remaining(erasure: Erasure, directory: Path = DATASETS_DIR) -> list[str]:
    """Return a sentence for each thing that an erasure does not touch although it may hold the entities.

    Args:
        erasure: planned or done.
        directory: of the specs.

    Raises:
        ServiceError: Postgres or the object store failed.
    """
    table = erasure.entities.table
    return [
        *_models(table.name, erasure.versions),
        *(f"could not be searched: {text}" for text in erasure.files.unreadable),
        *_reports(table.name),
        *_other_tables(table, directory),
        ALWAYS,
    ]


def _models(name: str, versions: tuple[int, ...]) -> Iterator[str]:
    if not versions:
        return
    listed = ", ".join(map(str, versions))
    yield (
        f"models cannot unlearn: these versions were trained with them: {listed}; train again, then delete these in "
        "MLflow; their files hold three rows of features as an example"
    )
    copies = fetch(
        "SELECT DISTINCT environment, target_version, version FROM models.promotions WHERE model = $1 AND is_done"
        " AND version = ANY(string_to_array($2, ',')::integer[]) ORDER BY 1, 2",
        *(name, ",".join(map(str, versions))),
    )
    for environment, target, version in copies:
        yield f"version {version} is in the environment {environment} too, as version {target}"


def _reports(name: str) -> Iterator[str]:
    for version in object_store.list_objects("reports", f"{name}/"):
        yield f"the report reports/{version.key} may show values; delete it, and make a new one: ml-platform eda {name}"


def _other_tables(table: Table, directory: Path) -> Iterator[str]:
    specs = catalog(directory)
    for other in (*specs.datasets, *specs.tables):
        if other.name != table.name and other.entity.name == table.entity.name:
            yield f"{other.name} is about the same {table.entity.name}: ml-platform dataset forget {other.name} ..."
        elif isinstance(other, Dataset) and table.name in (joined.name for joined in other.tables):
            yield f"{other.name} joins {table.name}: its frozen training sets hold features of {table.name}"
