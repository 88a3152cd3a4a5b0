"""Helpers of the tests of this package: a small file as text, and its parsed rows."""

import io
from typing import Any

import pyarrow as pa

from ml_platform.parsing.batches import BadValue, arrow_schema, read_batches
from tests.ml_platform.ingestion.upload_cases import GOOD, make_dataset

HEADER = ",".join(GOOD)
ROW = '1,0,0,3,0.5,"$67,349",z_Blue Collar,yes,any text'


def parse(data: bytes, of: Any = None, purpose: Any = "train") -> tuple[pa.Table, list[BadValue]]:
    of = of or make_dataset()
    batches = list(read_batches(io.BytesIO(data), of, purpose, "sample.csv"))
    table = pa.Table.from_batches([batch.rows for batch in batches], arrow_schema(of, purpose))
    bad = [value for batch in batches for value in batch.bad]
    assert sum(batch.rows_read for batch in batches) == table.num_rows + len({value.line for value in bad})
    return table, bad


def text(*lines: str, end: str = "\n") -> bytes:
    return ("\n".join([HEADER, *lines]) + end).encode("utf-8", "surrogateescape")


def only_bad(data: bytes, of: Any = None) -> BadValue:
    table, bad = parse(data, of)
    assert (table.num_rows, len(bad)) == (0, 1)
    return bad[0]
