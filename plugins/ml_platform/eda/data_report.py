"""`ml-platform eda`: the data report of what is loaded, or of the newest files, into the bucket `reports`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psycopg
import pyarrow as pa

from ml_platform.eda.page import Data, report
from ml_platform.exceptions import ContractError, DegenerateDataError
from ml_platform.parsing.batches import read_batches
from ml_platform.parsing.labels import class_text
from ml_platform.scoring.model_rows import model_frame
from ml_platform.specs.catalog import DATASETS_DIR, find_table
from ml_platform.specs.parts import NUMERIC_TYPES, Purpose
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import identifier, transaction
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import existing_columns, feature_columns, sql_types

BUCKET = "reports"
TIME = "event_timestamp"  # of loaded rows; no column can be called so
MOST_ROWS = 50_000
LINK_SECONDS = 7 * 24 * 3600
_BESIDE = (".report.json", ".report.txt", ".rejected.csv")  # what lies beside an archived file, and is no data


def publish(name: str, out: Path | None = None, directory: Path = DATASETS_DIR) -> str:
    """Draw the report of a data set or feature table and return what to tell: where it is.

    Args:
        name: of the data set or feature table.
        out: a local file to write it to, in place of the bucket.
        directory: where the specs lie.

    Raises:
        ConfigurationError: there is no such data set, or it is wrong.
        DegenerateDataError: there are no rows, neither loaded nor in a file.
    """
    html = report(data(find_table(name, directory))).encode()
    if out is not None:
        out.write_bytes(html)
        return f"{out} is written"
    key = f"{name}/eda.{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.html"
    object_store.put_new(BUCKET, key, html, "text/html; charset=utf-8")
    console = f" ({url})" if (url := os.environ.get("CONSOLE_URL")) else ""
    link = object_store.presigned_url(BUCKET, key, LINK_SECONDS)
    return f"{key} is in the bucket {BUCKET}, for the console{console}; for the next 7 days also here:\n{link}"


def data(table: Table) -> Data:
    """Return the newest rows of a table: those loaded or else of the newest file, and those of the newest test file."""
    rows, source = _loaded(table), "loaded"
    if not rows.num_rows:
        rows, source, _ = newest_file(table, "train")
    if not rows.num_rows:
        raise DegenerateDataError(
            f"{table.name}: there are no rows yet, neither loaded nor in a file {table.inbox_pattern('train')}"
        )
    if not isinstance(table, Dataset):
        features = tuple(table.own_features)
        return Data(table.name, table.description, source, as_frame(table, rows), features)
    test, test_source, uploaded = newest_file(table, "test")
    compared = as_frame(table, test, uploaded) if test.num_rows else None
    return Data(
        table.name, table.description, source, as_frame(table, rows), tuple(table.features), table.label.column,
        compared, test_source,
    )  # fmt: skip


def _loaded(table: Table) -> pa.RecordBatch:
    """Return the newest loaded rows, as a file's would be read."""
    name = identifier(table.name)
    labels = (
        f"JOIN labels.{name} l USING ({', '.join(map(identifier, table.keys))}, event_timestamp, created_timestamp)"
    )
    order = "f.created_timestamp DESC, f.event_timestamp DESC, f.line"
    with transaction() as cursor:
        there = {schema: existing_columns(cursor, schema, table.name) for schema in ("features", "labels")}
        if not there["features"]:
            return pa.RecordBatch.from_pylist([])
        selected = ", ".join(f"{sql} AS {identifier(column)}" for column, sql in _selected(table, there).items())
        cursor.execute(
            f"SELECT {selected} FROM features.{name} f {labels if table.label_columns else ''}"  # noqa: S608 – quoted
            f" ORDER BY {order} LIMIT {MOST_ROWS}"
        )
        return _one_batch(cursor.fetch_arrow_table())


def _selected(table: Table, there: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the SQL of each column, and of each row's time; what the YAML has that nothing loaded has is missing."""
    types = sql_types(table)
    sources = dict.fromkeys((*table.keys, *feature_columns(table)), ("features", "f"))
    sources |= dict.fromkeys(table.label_columns, ("labels", "l"))
    columns = {
        column: f"{alias}.{identifier(column)}" if column in there[schema] else f"NULL::{types[column]}"
        for column, (schema, alias) in sources.items()
    }
    return columns | {column: f"f.{TIME}" for column in (table.event_time, TIME) if column}


def newest_file(table: Table, purpose: Purpose) -> tuple[pa.RecordBatch, str, datetime]:
    """Return the good rows of the newest file, waiting or archived, what to call it, and when it was uploaded."""
    found = object_store.list_objects(purpose, table.inbox_prefix(purpose))
    found += object_store.list_objects(purpose, f"processed/{table.inbox_prefix(purpose)}")
    files = [version for version in found if not version.key.endswith(_BESIDE)]
    for version in sorted(files, key=lambda version: version.last_modified, reverse=True):
        try:
            return _rows_of(table, purpose, version), f"the file {version.key!r}", version.last_modified
        except ContractError:  # it was rejected, or will be: what was good before it counts
            continue
    return pa.RecordBatch.from_pylist([]), "", datetime.now(UTC)


def _rows_of(table: Table, purpose: Purpose, version: ObjectVersion) -> pa.RecordBatch:
    with object_store.local_copy(version) as copy:
        batches: list[pa.RecordBatch] = []
        for batch in read_batches(copy.file, table, purpose, repr(version.key)):
            batches.append(batch.rows)
            if sum(one.num_rows for one in batches) >= MOST_ROWS:
                break
        return _one_batch(pa.Table.from_batches(batches).slice(0, MOST_ROWS)).drop_columns(["line"])


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    found: list[pa.RecordBatch] = rows.combine_chunks().to_batches()
    return found[0] if found else pa.RecordBatch.from_pylist([])


def as_frame(table: Table, rows: pa.RecordBatch, uploaded: datetime | None = None) -> pd.DataFrame:
    """Return typed rows as `eda.Data` takes them, with the features of other tables as of each row's time."""
    frame: pd.DataFrame = rows.to_pandas()
    columns = table.columns
    if isinstance(table, Dataset):
        frame, columns = _with_joined(table, rows, uploaded or datetime.now(UTC)), columns | table.features
    frame = frame.drop(columns=TIME, errors="ignore")
    drawn = {name: _as_drawn(frame[name], columns[name].type) for name in frame.columns}
    for name in table.label_columns[:1]:
        if name in frame:  # the classes as files write them
            drawn[name] = pd.Series([value if value is None else class_text(value) for value in rows[name].to_pylist()])
    return frame.assign(**drawn)


def _with_joined(table: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame:
    """Return what `model_frame` does; features that nothing was loaded for yet are missing."""
    timed = table.model_copy(update={"event_time": TIME}) if TIME in rows.schema.names else table
    try:
        return model_frame(timed, rows, uploaded)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        frame: pd.DataFrame = rows.to_pandas()
        return frame.assign(**{name: None for name in table.features if name not in frame})


def _as_drawn(values: pd.Series, kind: str) -> pd.Series:
    if kind in (*NUMERIC_TYPES, "boolean"):
        return values.astype("float64")
    return values if kind == "timestamp" else values.astype(object).where(values.notna(), float("nan"))
