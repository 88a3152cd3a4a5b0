"""A file without the rows of some entities. All other rows keep their bytes and, in an upload, their line numbers."""

import gzip
import io
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ml_platform.files import gunzip
from ml_platform.files.formats import Format
from ml_platform.files.parquet_rows import BATCH_ROWS
from ml_platform.files.reading import open_rows
from ml_platform.files.text_lines import TextLines
from ml_platform.removal.entities import Entities

_LINE_END = re.compile("[\r\n]*$")


@dataclass(frozen=True)
class FoundRows:
    """The rows of some entities in a file.

    Attributes:
        format: of the file.
        lines: where they begin, as `Rows.line`.
        physical_lines: all physical lines that they cover; for a Parquet file the same as `lines`.
    """

    format: Format
    lines: frozenset[int]
    physical_lines: frozenset[int]


def find_rows(
    stream: BinaryIO,
    entities: Entities,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    is_guarded: bool = False,
) -> FoundRows:
    """Find the rows of some entities in a file.

    Args:
        stream: the file's bytes, seekable; left open.
        entities: to look for.
        delimiter: between the cells of a CSV file; default: detected.
        encoding: of a text without a byte order mark; default: UTF-8.
        is_guarded: see `Entities.lines_in`.

    Raises:
        ContractError: the file cannot be read to its end, or has no key.
    """
    wanted = [name for names in entities.headers.values() for name in names]
    with closing(open_rows(stream, "the file", delimiter=delimiter, encoding=encoding, wanted=wanted)) as rows:
        found = dict(entities.lines_in(rows, is_guarded=is_guarded))
        physical = (line + i for line, height in found.items() for i in range(height))
        return FoundRows(rows.format, frozenset(found), frozenset(physical))


def write_without(stream: BinaryIO, found: FoundRows, out: BinaryIO, *, keep_lines: bool) -> None:
    """Write a file without some of its rows.

    Args:
        stream: the file's bytes, seekable; left open.
        found: the rows to leave out, as `find_rows` returned them.
        out: is written from its beginning; left open.
        keep_lines: leave an empty line, or in a Parquet file a row of missing values, so that all others keep their
            line numbers.
    """
    stream.seek(0)
    if found.format.kind == "parquet":
        _write_parquet(stream, found.lines, out, keep_lines=keep_lines)
    elif found.format.gzip:
        with gzip.GzipFile(filename="", fileobj=out, mode="wb", mtime=0) as packed:
            _write_text(gunzip.unpack(stream, "the file"), found, packed, keep_lines=keep_lines)  # type: ignore[arg-type]
    else:
        _write_text(stream, found, out, keep_lines=keep_lines)


def _write_text(stream: BinaryIO, found: FoundRows, out: BinaryIO, *, keep_lines: bool) -> None:
    encoding = found.format.encoding or "utf-8"
    # The encoding of the reader's error handler: undecodable bytes come out as they were.
    text = io.TextIOWrapper(out, encoding=encoding, errors="surrogateescape", newline="", write_through=True)
    with closing(TextLines(stream, encoding, "the file")) as lines:
        for number, line in enumerate(iter(lambda: lines.read(1), ""), start=1):
            if number not in found.physical_lines:
                text.write(line)
            elif keep_lines:
                text.write(_LINE_END.search(line)[0])  # type: ignore[index] # an empty end also matches
    text.detach()


def _write_parquet(stream: BinaryIO, rows: frozenset[int], out: BinaryIO, *, keep_lines: bool) -> None:
    file = pq.ParquetFile(stream)
    schema = pa.schema([field.with_nullable(True) for field in file.schema_arrow], file.schema_arrow.metadata)
    with pq.ParquetWriter(out, schema) as writer:
        for indices, batch in _with_indices(file, rows, keep_lines=keep_lines):
            columns = [column.take(indices) for column in batch.columns]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _with_indices(
    file: pq.ParquetFile, rows: frozenset[int], *, keep_lines: bool
) -> Iterator[tuple[pa.Array, pa.RecordBatch]]:
    """Yield each batch with the indices of the rows to write; null gives a row of missing values."""
    first = 1
    for batch in file.iter_batches(batch_size=BATCH_ROWS):
        wanted = [None if first + i in rows else i for i in range(batch.num_rows)]
        kept = wanted if keep_lines else [i for i in wanted if i is not None]
        yield pa.array(kept, pa.int64()), batch
        first += batch.num_rows
