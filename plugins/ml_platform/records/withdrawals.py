# ruff: noqa: S608 – names go through identifier(); values are bound
"""What a withdrawal of an upload would change."""

from dataclasses import dataclass

from ml_platform.removal.withdraw_upload import version_texts, versions_by_upload
from ml_platform.specs.spec import Table
from ml_platform.storage.database import identifier, rows, transaction
from ml_platform.storage.tables import existing_columns, key_list


@dataclass(frozen=True)
class Preview:
    """What a withdrawal would change.

    Attributes:
        rows: number of rows that would be removed.
        entities: number of entities that have such rows.
        versions: of models, trained with the upload; they would stay as they are.
    """

    rows: int
    entities: int
    versions: tuple[str, ...]


def preview(table: Table, sha256: str) -> Preview:
    """Return what a withdrawal of an upload would change; nothing is changed.

    Args:
        table: the spec.
        sha256: of the upload's bytes.

    Raises:
        ServiceError: Postgres is not available.
    """
    with transaction() as cursor:
        schemas = [one for one in ("features", "labels") if existing_columns(cursor, one, table.name)]
        places = [f"{schema}.{identifier(table.name)}" for schema in schemas]
        lines = " UNION ".join(f"SELECT line FROM {place} WHERE upload_sha256 = $1" for place in places)
        keys = " UNION ".join(f"SELECT {key_list(table)} FROM {place} WHERE upload_sha256 = $1" for place in places)
        counts = f"SELECT (SELECT count(*) FROM ({lines}) l), (SELECT count(*) FROM ({keys}) k)"
        number, entities = rows(cursor, counts, sha256)[0] if places else (0, 0)
    return Preview(number, entities, version_texts(table.name, versions_by_upload(table.name).get(sha256, ())))
