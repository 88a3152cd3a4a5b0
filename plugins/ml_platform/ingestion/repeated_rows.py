# ruff: noqa: S608 – names go through identifier(); values are bound
"""A warning about a file without a key that seems to replace an earlier one: all its rows count as new ones."""

from typing import Any

from ml_platform.ingestion.staging import INCOMING
from ml_platform.parsing.row_ids import SOURCE_DIGITS
from ml_platform.specs.spec import ROW_ID, Table
from ml_platform.storage.database import identifier, rows

MANY = 0.5  # share of the rows from which this is no chance


def repeats_warning(cursor: Any, table: Table, sha256: str) -> str:
    """Return a warning if many rows have number and features of rows of one earlier file; "" if not.

    Args:
        cursor: of the transaction of the load, after the rows are inserted.
        table: the spec.
        sha256: of the upload.
    """
    if table.has_key:
        return ""
    place = f"substr({{}}.{identifier(ROW_ID)}, {SOURCE_DIGITS + 1})"  # the id without the file: number and features
    found = rows(
        cursor,
        f"SELECT l.object_key, l.sha256, count(*), (SELECT count(*) FROM {INCOMING})"
        f" FROM {INCOMING} i JOIN features.{identifier(table.name)} f ON {place.format('i')} = {place.format('f')}"
        " JOIN uploads.ledger l ON (l.dataset, l.purpose, l.sha256) = ($1, 'train', f.upload_sha256)"
        " WHERE f.upload_sha256 <> $2 GROUP BY 1, 2 ORDER BY 3 DESC, l.sha256 LIMIT 1",
        *(table.name, sha256),
    )
    if not found or found[0][2] < MANY * found[0][3]:
        return ""
    key, earlier, same, count = found[0]
    return (
        f"{same:,} of {count:,} rows are as in {key!r}, at the same place; without a key they are loaded once more; if "
        "this file replaces that one, take that one back: "
        f"./ml-platform uploads withdraw {table.name} {earlier[:12]} --reason ..."
    )
