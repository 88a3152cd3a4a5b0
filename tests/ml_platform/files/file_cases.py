"""Helpers of the tests of this package: files of every format, and their rows."""

import gzip
import io
import json
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ml_platform.files.formats import Fault
from ml_platform.files.reading import Rows, open_rows

compress = partial(gzip.compress, mtime=0)  # the same bytes in each process: they name the tests
CSV = b"a,b\n1,2\n"


def opened(data: bytes, **options: Any) -> Rows:
    return open_rows(io.BytesIO(data), "a.file", **options)


def rows_of(data: bytes, **options: Any) -> list[tuple[int, list[str]]]:
    rows = opened(data, **options)
    return [(rows.line, cells) for cells in rows]


def faults_of(data: bytes, **options: Any) -> list[tuple[int, Fault]]:
    rows = opened(data, **options)
    return [(rows.line, fault) for _ in rows for fault in rows.faults]


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, **options)
    return sink.getvalue()


def json_lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
