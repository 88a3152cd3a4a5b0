# ruff: noqa: S608 – names go through identifier(); values are bound
"""End a data set: YAML, tables and Feast views go, models are archived, files stay. Its name may be used again."""

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any, get_args

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import loading, templates
from ml_platform.removal.archive_models import archive
from ml_platform.scoring.result_keys import BUCKET as RESULTS
from ml_platform.specs.answer_files import ASKED_FOLDER
from ml_platform.specs.catalog import DATASETS_DIR, Catalog, catalog, find_table
from ml_platform.specs.label_files import label_files
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import LABEL_BUCKET, Dataset, FeatureTable, Table
from ml_platform.storage import mlflow_client, object_store
from ml_platform.storage.database import fetch, identifier, rows, transaction
from ml_platform.storage.locks import lock
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import TABLES_LOCK, existing_columns
from ml_platform.training.build_training_set import freeze_lock
from ml_platform.training.training_set import BUCKET, frozen_prefix

log = logging.getLogger(__name__)

REMOVED = "removed"  # the folder of the YAML files of removed data sets, inside that of the specs
# uploads.erasures and uploads.rewritten_files stay: what was erased must not come back under the same name.
_OWN_ROWS = (
    *(
        f"uploads.{table} WHERE dataset = $1"
        for table in ("ledger", "arrivals", "rejected_rows", "training_sets", "withdrawals")
    ),
    *(f"sources.{table} WHERE dataset = $1" for table in ("ranges", "status")),
    *(f"monitoring.{table} WHERE dataset = $1" for table in ("checks", "retrainings")),
    # not those of decisions and rollbacks, whose records stay: they would be sent again
    "monitoring.alerts WHERE dataset = $1 AND event NOT IN ('challenger_refused', 'rolled_back')",
    "labelling.answers WHERE dataset = $1",
    "labelling.asked WHERE dataset = $1",
    "uploads.specs WHERE name = $1",
    *(f"{table} WHERE model = $1" for table in ("predictions.log", "predictions.shadow", "models.shadows")),
)


@dataclass(frozen=True)
class Removal:
    """What ends with a data set, and what stays.

    Attributes:
        table: the spec.
        path: of its YAML; it need not exist any more if the removal was interrupted.
        table_rows: number of rows by table in Postgres, without tables that have none.
        versions: of the model, which are archived.
        files: number and bytes of the objects that stay, by bucket and prefix.
    """

    table: Table
    path: Path
    table_rows: dict[str, int]
    versions: tuple[int, ...]
    files: dict[str, tuple[int, int]]


def plan(name: str, directory: Path = DATASETS_DIR) -> Removal:
    """Look at what a data set, or a feature table, has; nothing is changed.

    Raises:
        ConfigurationError: there is no such data set and no interrupted removal of it, or a data set joins it.
        ServiceError, MlflowException: a server failed.
    """
    table = _find(name, directory)
    if joining := [other.name for other in catalog(directory).datasets if name in (one.name for one in other.tables)]:
        raise ConfigurationError(
            f"{name} is joined by {', '.join(joining)}: remove it from their `features_from` first"
        )
    with transaction() as cursor:
        counted = {
            source.split()[0]: rows(cursor, f"SELECT count(*) FROM {source}", name)[0][0] for source in _OWN_ROWS
        }
        for full_name in _tables(cursor, name):
            counted[full_name] = rows(cursor, f"SELECT count(*) FROM {full_name}")[0][0]
    versions = sorted(int(one.version) for one in mlflow_client.versions(mlflow_client.connect(), name))
    files = {place: (len(found), sum(one.size for one in found)) for place, found in _files(table) if found}
    table_rows = {name: number for name, number in counted.items() if number}
    return Removal(table, directory / f"{name}.yaml", table_rows, tuple(versions), files)


def _find(name: str, directory: Path) -> Table:
    """Return the spec: of the YAML or, if that was moved away by an interrupted removal, of its record."""
    interrupted = fetch("SELECT spec::text FROM uploads.removals WHERE name = $1 AND finished_at IS NULL", name)
    if (directory / f"{name}.yaml").exists() or not interrupted:
        return find_table(name, directory)
    spec = json.loads(interrupted[0][0])
    return (FeatureTable if spec.get("kind") else Dataset).model_validate(spec)


def _tables(cursor: Any, name: str) -> list[str]:
    return [
        f"{schema}.{identifier(name)}" for schema in ("features", "labels") if existing_columns(cursor, schema, name)
    ]


def _files(table: Table) -> Iterator[tuple[str, list[ObjectVersion]]]:
    """Yield the places of a table's files in the buckets, and the files."""
    purposes: tuple[Purpose, ...] = ("train", "test") if isinstance(table, Dataset) else ("train",)
    places: list[tuple[str, str]] = [
        (bucket, f"{folder}{prefix}")
        for purpose in purposes
        for bucket, prefix in table.inboxes(purpose)
        for folder in ("", "processed/", "rejected/")
    ]
    places += [("reports", f"{table.name}/"), ("reports", templates.template_key(table))]
    if isinstance(table, Dataset) and table.has_key:
        places += [("reports", templates.template_key(label_files(table)))]
    if isinstance(table, Dataset):
        places += [(RESULTS, f"{table.name}/"), (BUCKET, frozen_prefix(table))]
        places += [(LABEL_BUCKET, f"{ASKED_FOLDER}{table.answer_prefix}.")]
    for bucket, prefix in places:
        yield f"{bucket}/{prefix}", object_store.list_objects(bucket, prefix)


def remove(planned: Removal, *, reason: str, by: str) -> str:
    """Remove what `plan` found; idempotent. The same name may be used for another data set afterwards.

    First the YAML is moved away, so that the DAGs go; then the models are archived; at the end tables, rows and Feast's
    views go in one transaction. An interrupted removal is completed by the next one.

    Returns:
        Where the YAML is now.

    Raises:
        ConfigurationError: there is no reason, or the YAML cannot be moved.
        ServiceError, MlflowException, psycopg.Error, psycopg2.Error: a server failed; run it again.
    """
    table = planned.table
    if not reason.strip():
        raise ConfigurationError(f"{table.name}: a removal needs a reason")
    moved_to = _record(planned, reason=reason, by=by)
    _move(planned.path, Path(moved_to))
    archive(table.name, by=by, reason=reason)
    others = catalog(planned.path.parent)
    with transaction() as cursor:
        if isinstance(table, Dataset):
            lock(cursor, freeze_lock(table))
        for name in (online_rows.online_lock(table), loading.load_lock(table), TABLES_LOCK):
            lock(cursor, name)
        _drop(cursor, table, others)
    log.info("%s was removed by %s: %s", table.name, by, reason)
    return moved_to


def _record(planned: Removal, *, reason: str, by: str) -> str:
    """Record that a removal begins, unless one was interrupted; return the place for the YAML."""
    name, moment = planned.table.name, datetime.now(UTC)
    target = planned.path.parent / REMOVED / f"{name}.{moment:%Y%m%dT%H%M%SZ}.yaml"
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO uploads.removals (name, spec, moved_to, removed_by, reason)"
            " VALUES ($1, $2::text::jsonb, $3, $4, $5) ON CONFLICT DO NOTHING",
            (name, json.dumps(planned.table.model_dump(mode="json")), str(target), by, reason),
        )
        unfinished = "SELECT moved_to FROM uploads.removals WHERE name = $1 AND finished_at IS NULL"
        return str(rows(cursor, unfinished, name)[0][0])


def _move(path: Path, target: Path) -> None:
    try:
        target.parent.mkdir(exist_ok=True)
        if path.exists():
            shutil.move(path, target)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be moved to {target}: {error.strerror}; move it there yourself, and run it again"
        ) from None


def _drop(cursor: Any, table: Table, others: Catalog) -> None:
    for full_name in _tables(cursor, table.name):
        cursor.execute(f"DROP TABLE {full_name}")
    for source in _OWN_ROWS:
        cursor.execute(f"DELETE FROM {source}", (table.name,))
    for inbox in chain.from_iterable(map(table.inboxes, get_args(Purpose))):
        cursor.execute("DELETE FROM uploads.attempts WHERE bucket = $1 AND starts_with(object_key, $2)", tuple(inbox))
    cursor.execute(
        "UPDATE uploads.removals SET finished_at = now() WHERE name = $1 AND finished_at IS NULL", (table.name,)
    )
    # The last step: if it fails, nothing is committed, and the next removal repeats it.
    online_rows.remove_table(table, (*others.datasets, *others.tables))
