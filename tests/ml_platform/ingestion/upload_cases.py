"""A small data set with every type, its files, how to upload them, and what must hold after a load."""

import csv
import gzip
import io
import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from ml_platform.ingestion import inbox, uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch

GOOD = {
    "ID": "1",
    "LABEL": "0",
    "COST": "0",
    "COUNT": "3",
    "RATIO": "0.5",
    "PRICE": "$67,349",
    "KIND": "z_Blue Collar",
    "FLAG": "yes",
    "NOTE": "any text",
}


def make_dataset(name: str = "sample", **changes: Any) -> Dataset:
    declared = {
        "name": name,
        "description": "every type once",
        "entity": {"name": "thing", "key": "ID"},
        "label": {"column": "LABEL", "positive": 1},
        "leaks": ["COST"],
        "columns": {
            "ID": "integer",
            "LABEL": "integer",
            "COST": "number",
            "COUNT": {"type": "integer", "min": 0, "max": 10},
            "RATIO": "number",
            "PRICE": "money",
            "KIND": {"type": "category", "strip_prefix": "z_"},
            "FLAG": "boolean",
            "NOTE": "text",
        },
        "max_bad_rows": 0.5,
        "search": {"candidates": {"logistic_regression": {}}},
    }
    columns = changes.pop("columns", {})
    return Dataset.model_validate(declared | {"columns": declared["columns"] | columns} | changes)  # type: ignore[operator]


def timed_dataset(name: str = "sample", **changes: Any) -> Dataset:
    changes = {"event_time": "AT", "columns": {"AT": "timestamp"} | changes.pop("columns", {})} | changes
    return make_dataset(name, **changes)


def csv_bytes(*rows: dict[str, str], columns: tuple[str, ...] = (), delimiter: str = ",") -> bytes:
    """Return a CSV file; each row is `GOOD` with some cells changed."""
    names = columns or tuple(dict.fromkeys([*GOOD, *(name for row in rows for name in row)]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names, extrasaction="ignore", delimiter=delimiter)
    writer.writeheader()
    writer.writerows(GOOD | row for row in rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def as_files(rows: list[dict[str, str]]) -> dict[str, bytes]:
    """Return the same rows in every format, by the ending of its files; each row is `GOOD` with some cells changed."""
    text = csv_bytes(*rows)
    separated = {f".{i}.csv": csv_bytes(*rows, delimiter=sign) for i, sign in enumerate(";\t|")}
    utf_16 = {".le.csv": text.decode().encode("utf-16"), ".be.csv": b"\xfe\xff" + text.decode().encode("utf-16-be")}
    whole = [GOOD | row for row in rows]
    lines = json_lines({name: value or None for name, value in row.items()} for row in whole)
    packed = {".csv.gz": gzip.compress(text, mtime=0), ".jsonl.gz": gzip.compress(lines, mtime=0)}
    marked = {".bom.csv": b"\xef\xbb\xbf" + text}
    return {".csv": text, ".jsonl": lines, ".parquet": parquet(whole)} | separated | utf_16 | packed | marked


def many(count: int, **cells: str) -> bytes:
    return csv_bytes(*({"ID": str(i)} | cells for i in range(count)))


def new_name() -> str:
    return f"t{uuid4().hex[:12]}"


def drop(dataset: Dataset, data: bytes, suffix: str = "", bucket: str = "train", ending: str = ".csv") -> str:
    key = f"{bucket}_{dataset.name}{suffix}{ending}"
    object_store.client().put_object(Bucket=bucket, Key=key, Body=data)
    return key


def waiting_keys(table: Table) -> list[str]:
    """Return the keys of the files that can be loaded, the oldest first."""
    return [version.key for version in inbox.look(table, "train").due]


def upload_later(report: UploadReport, data: bytes) -> None:
    """Upload a file again under a report's key, in a later second: the store's times are whole seconds."""
    is_later = False
    while not is_later:
        object_store.client().put_object(Bucket=report["bucket"], Key=report["key"], Body=data)
        version = object_store.head(report["bucket"], report["key"])
        is_later = version is not None and version.last_modified.isoformat() > report["last_modified"]


def rows_in(schema: str, dataset: Dataset, columns: str = "count(*)") -> Any:
    rows = fetch(f'SELECT {columns} FROM {schema}."{dataset.name}"')
    return rows[0][0] if columns == "count(*)" else rows


def ingest(dataset: Dataset, data: bytes, suffix: str = "") -> UploadReport:
    return uploads.ingest(dataset, drop(dataset, data, suffix))


def assert_accounted(dataset: Dataset, report: UploadReport) -> None:
    """Assert that every row of a loaded file is loaded, rejected or already there, exactly once."""
    assert report["rows_read"] == report["rows_loaded"] + report["rows_rejected"] + report["rows_present"]
    ledger = fetch(
        "SELECT rows_read, rows_loaded, rows_rejected FROM uploads.ledger WHERE dataset = $1 AND sha256 = $2",
        *(dataset.name, report["sha256"]),
    )
    assert ledger == [(report["rows_read"], report["rows_loaded"], report["rows_rejected"])]
    for schema in ("features", "labels"):
        statement = f'SELECT count(*), count(DISTINCT line) FROM {schema}."{dataset.name}" WHERE upload_sha256 = $1'
        assert fetch(statement, report["sha256"]) == [(report["rows_loaded"],) * 2]
    rejected = "SELECT count(DISTINCT line) FROM uploads.rejected_rows WHERE dataset = $1 AND sha256 = $2"
    assert fetch(rejected, dataset.name, report["sha256"]) == [(report["rows_rejected"],)]


# The same data, exported again
EXPORTS = {
    "line ends": lambda data: data.replace(b"\r\n", b"\n"),
    "semicolons": lambda data: data.replace(b",", b";").replace(b'"$67;349"', b'"$67,349"'),
    "trailing blanks": lambda data: data.replace(b"any text", b"any text  "),
    "other order": lambda data: b"".join([*data.splitlines(True)[:1], *data.splitlines(True)[:0:-1]]),
}
