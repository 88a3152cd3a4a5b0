"""`ml-platform eda`: write a data report about the loaded rows, or the newest files, to the bucket `reports`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import psycopg
import pyarrow as pa

from ml_platform.eda.page import ReportData, render_page
from ml_platform.evaluation.sensitive_groups import groups_of
from ml_platform.evaluation.tasks import kind_of
from ml_platform.exceptions import ContractError, DegenerateDataError
from ml_platform.parsing.batches import read_batches
from ml_platform.scoring.model_rows import model_frame
from ml_platform.specs.catalog import DATASETS_DIR, find_table
from ml_platform.specs.parts import NUMERIC_TYPES, Purpose
from ml_platform.specs.spec import ROW_ID, Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import identifier, transaction
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import existing_columns, feature_columns, sql_types

BUCKET = "reports"
TIME = "event_timestamp"  # of loaded rows; a reserved name, so no column of a file has it
MOST_ROWS = 50_000
_NO_DATA = (".report.json", ".report.txt", ".rejected.csv")  # reports beside an archived file


def publish(name: str, out: Path | None = None, directory: Path = DATASETS_DIR) -> str:
    """Write the report of a data set or feature table; return a sentence that says where it is.

    Args:
        name: of the data set or feature table.
        out: a local file to write it to; None for the bucket.
        directory: of the specs.

    Raises:
        ConfigurationError: there is no such data set, or its spec is invalid.
        DegenerateDataError: no rows are loaded, and no file has any.
    """
    html = render_page(report_data(find_table(name, directory))).encode()
    if out is not None:
        out.write_bytes(html)
        return f"{out} is written"
    key = f"{name}/eda.{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.html"
    object_store.put_new(BUCKET, key, html, "text/html; charset=utf-8")
    console = f": {folders}{BUCKET}/{name}/" if (folders := os.environ.get("BUCKETS_URL")) else ""
    return f"{key} is in the bucket {BUCKET}; open it in the console{console}"


def report_data(table: Table) -> ReportData:
    """Return the newest training rows, loaded or else of the newest file, and the rows of the newest test file.

    Raises:
        DegenerateDataError: no rows are loaded, and no file has any.
    """
    rows, source = _loaded(table), "the database"
    if not rows.num_rows:
        rows, source, _ = newest_file(table, "train")
    if not rows.num_rows:
        raise DegenerateDataError(
            f"{table.name}: there are no rows yet: none are loaded, and no file {table.inbox_pattern('train')} has any"
        )
    if not isinstance(table, Dataset):
        features = tuple(table.own_features)
        return ReportData(table.name, table.description, source, as_frame(table, rows), features)
    test, test_source, uploaded = newest_file(table, "test")
    compared, frame = as_frame(table, test, uploaded) if test.num_rows else None, as_frame(table, rows)
    return ReportData(
        table.name, table.description, source, frame, tuple(table.features), table.label.column,
        compared, test_source, kind_of(table.label), _groups(table, frame),
    )  # fmt: skip


def _groups(table: Dataset, frame: pd.DataFrame) -> tuple[pd.Series, ...]:
    columns = (frame[one.column] for one in table.sensitive)
    return tuple(
        groups_of(values, table.columns[one.column].type, values, one.cuts)
        for one, values in zip(table.sensitive, columns, strict=True)
    )


def _loaded(table: Table) -> pa.RecordBatch:
    """Return the newest loaded rows, at most `MOST_ROWS`, typed as if read from a file."""
    name = identifier(table.name)
    labels = f"LEFT JOIN LATERAL ({_label_of_row(table)}) l ON true" if table.label_columns else ""
    order = "f.created_timestamp DESC, f.event_timestamp DESC, f.line"
    with transaction() as cursor:
        loaded = {schema: existing_columns(cursor, schema, table.name) for schema in ("features", "labels")}
        if not loaded["features"]:
            return pa.RecordBatch.from_pylist([])
        selected = ", ".join(f"{sql} AS {identifier(column)}" for column, sql in _columns_sql(table, loaded).items())
        cursor.execute(
            f"SELECT {selected} FROM (SELECT * FROM features.{name} f ORDER BY {order} LIMIT {MOST_ROWS}) f"  # noqa: S608
            f" {labels} ORDER BY {order}"
        )
        return _one_batch(cursor.fetch_arrow_table())


def _label_of_row(table: Table) -> str:
    """Return the SQL of the newest label that is about the row of features `f`: up to the entity's next row.

    Without an event time, a label that was uploaded before any row of its key is about the first one.
    """
    features = f"FROM features.{identifier(table.name)} o WHERE {_same_key(table, 'o')}"
    next_row = f"(SELECT min(o.event_timestamp) {features} AND o.event_timestamp > f.event_timestamp)"
    first = f"NOT EXISTS (SELECT {features} AND o.event_timestamp < f.event_timestamp)"
    since = "l.event_timestamp >= f.event_timestamp" + ("" if table.event_time else f" OR {first}")
    return (
        f"SELECT * FROM labels.{identifier(table.name)} l WHERE {_same_key(table, 'l')} AND ({since})"  # noqa: S608
        f" AND l.event_timestamp < coalesce({next_row}, 'infinity')"
        " ORDER BY l.event_timestamp DESC, l.created_timestamp DESC LIMIT 1"
    )


def _same_key(table: Table, other: str) -> str:
    return " AND ".join(f"{other}.{identifier(key)} = f.{identifier(key)}" for key in table.keys)


def _columns_sql(table: Table, loaded: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return the SQL of each column and of the event time; NULL for a column of the spec that the tables lack."""
    types = sql_types(table)
    sources = dict.fromkeys((*table.entity.key, *feature_columns(table)), ("features", "f"))
    sources |= dict.fromkeys(table.label_columns, ("labels", "l"))
    columns = {
        column: f"{alias}.{identifier(column)}" if column in loaded[schema] else f"NULL::{types[column]}"
        for column, (schema, alias) in sources.items()
    }
    return columns | {column: f"f.{TIME}" for column in (table.event_time, TIME) if column}


def newest_file(table: Table, purpose: Purpose) -> tuple[pa.RecordBatch, str, datetime]:
    """Return the valid rows of the newest file, waiting or archived, its name for people, and its upload time."""
    versions = object_store.list_objects(purpose, table.inbox_prefix(purpose))
    versions += object_store.list_objects(purpose, f"processed/{table.inbox_prefix(purpose)}")
    files = [version for version in versions if not version.key.endswith(_NO_DATA)]
    for version in sorted(files, key=lambda version: version.last_modified, reverse=True):
        try:
            return _rows_of(table, purpose, version), f"the file {version.key!r}", version.last_modified
        except ContractError:  # a rejected file: try the one before it
            continue
    return pa.RecordBatch.from_pylist([]), "", datetime.now(UTC)


def _rows_of(table: Table, purpose: Purpose, version: ObjectVersion) -> pa.RecordBatch:
    with object_store.local_copy(version) as copy:
        batches: list[pa.RecordBatch] = []
        for batch in read_batches(copy.file, table, purpose, repr(version.key)):
            batches.append(batch.rows)
            if sum(one.num_rows for one in batches) >= MOST_ROWS:
                break
        made_here = ["line"] if table.has_key else ["line", ROW_ID]
        return _one_batch(pa.Table.from_batches(batches).slice(0, MOST_ROWS)).drop_columns(made_here)


def _one_batch(rows: pa.Table) -> pa.RecordBatch:
    batches: list[pa.RecordBatch] = rows.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([])


def as_frame(table: Table, rows: pa.RecordBatch, uploaded: datetime | None = None) -> pd.DataFrame:
    """Return typed rows as `ReportData` takes them, with joined features as of each row's event time.

    Args:
        table: the spec of the rows.
        rows: shape (n_rows, n_columns).
        uploaded: the event time of rows that have none; None for now.
    """
    frame: pd.DataFrame = rows.to_pandas()
    columns = table.columns
    if isinstance(table, Dataset):
        frame, columns = _with_joined(table, rows, uploaded or datetime.now(UTC)), columns | table.features
    frame = frame.drop(columns=TIME, errors="ignore")
    series = {name: _as_series(frame[name], columns[name].type) for name in frame.columns}
    if isinstance(table, Dataset) and (label := table.label.column) in frame:
        series[label] = kind_of(table.label).readable(rows[label].to_pylist())
    return frame.assign(**series)


def _with_joined(table: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame:
    """Return `model_frame`; features of a table that nothing was loaded into yet are missing."""
    timed = table.model_copy(update={"event_time": TIME}) if TIME in rows.schema.names else table
    try:
        return model_frame(timed, rows, uploaded)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        frame: pd.DataFrame = rows.to_pandas()
        return frame.assign(**{name: None for name in table.features if name not in frame})


def _as_series(values: pd.Series, kind: str) -> pd.Series:
    if kind in (*NUMERIC_TYPES, "boolean"):
        return values.astype("float64")
    return values if kind == "timestamp" else values.astype(object).where(values.notna(), float("nan"))
