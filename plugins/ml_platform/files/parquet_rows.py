"""The rows of a Parquet file; each value becomes the exact text that a careful CSV writer would write."""

import io
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import CELL_CHARACTERS, Fault, Format, unpacked_limit

BATCH_ROWS = 2_000
ROW_GROUP_BYTES = 512 * 2**20  # a row group is in memory as a whole
EXACT = 2**53  # a whole float up to this is written as an integer


def _is_nested(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind))


def _is_native(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_temporal(kind))


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ContractError(f"{name}: the Parquet file is broken: {str(error).strip()}") from None


class ParquetRows:
    """The rows of a Parquet file; see `formats.Rows`."""

    def __init__(self, stream: BinaryIO, name: str, wanted: Collection[str]) -> None:
        """Read the schema, and check the unpacked size that the metadata give.

        Raises:
            ContractError: the file is broken or too large when unpacked, or a wanted column is nested.
        """
        self.name, self.format = name, Format("parquet")
        self.line, self.size = 0, 0
        self.faults: tuple[Fault, ...] = ()
        size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        with _translated(name):
            self._file = pq.ParquetFile(stream)
            schema: pa.Schema = self._file.schema_arrow
        self._check_size(unpacked_limit(size))
        self.header: list[str] = schema.names
        kinds = {field.name: _value_type(field.type) for field in schema}
        self.nested = frozenset(column for column, kind in kinds.items() if _is_nested(kind))
        self.native = frozenset(column for column, kind in kinds.items() if _is_native(kind))
        required = (column for column in self.header if column in self.nested and column.strip() in wanted)
        if unusable := [f"{column} ({kinds[column]})" for column in required]:
            raise ContractError(f"{name}: columns that hold lists or objects, not single values: {', '.join(unusable)}")

    def _check_size(self, limit: int) -> None:
        metadata = self._file.metadata
        groups = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
        if sum(groups) > limit or metadata.num_rows > limit:
            raise ContractError(
                f"{self.name}: the Parquet file says it holds {sum(groups):,} bytes in {metadata.num_rows:,} rows, "
                f"and for its size {limit:,} of each are allowed"
            )
        if groups and max(groups) > ROW_GROUP_BYTES:
            raise ContractError(
                f"{self.name}: a row group holds {max(groups):,} bytes, and {ROW_GROUP_BYTES:,} are allowed; write the "
                "file with smaller row groups"
            )

    def close(self) -> None:
        """Detach from the stream; it stays open."""
        self._file.close()

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the values of each row.

        Raises:
            ContractError: the data are broken, or a text is too long.
        """
        with _translated(self.name):
            for batch in self._file.iter_batches(batch_size=BATCH_ROWS):
                columns = [self._texts(name, batch.column(i)) for i, name in enumerate(self.header)]
                self.size = max(batch.nbytes // max(batch.num_rows, 1), len(columns))
                for row in zip(*columns, strict=True):
                    self.line += 1
                    yield list(row)

    def _texts(self, column: str, values: pa.Array) -> list[str]:
        texts = _texts(values)
        if any(len(text) > CELL_CHARACTERS for text in texts):
            raise ContractError(f"{self.name}: column {column}: a cell is longer than {CELL_CHARACTERS:,} characters")
        return texts


def _texts(values: pa.Array) -> list[str]:
    """Return the values of one column as texts, a missing one as an empty text."""
    kind = _value_type(values.type)
    if kind != values.type:
        values = values.cast(kind)
    if _is_nested(kind):
        return [
            "" if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values.to_pylist()
        ]
    if pa.types.is_decimal(kind):  # Arrow writes a zero with nine decimals as 0E-9
        return ["" if value is None else f"{value:f}" for value in values.to_pylist()]
    if pa.types.is_floating(kind):
        values = _float_texts(values)
    elif pa.types.is_timestamp(kind):
        values = _time_texts(values)
    elif pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        values = values.cast(pa.string())
    raw: list[Any] = _decode(values) if _is_text(values.type) else values.to_pylist()
    return ["" if value is None else str(value) for value in raw]


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    raw = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(test(kind) for test in (*texts, *raw))


def _decode(values: pa.Array) -> list[str | None]:
    """Return texts; bytes that are not UTF-8 become lone surrogates, as in a CSV file."""
    try:
        texts: list[str | None] = values.cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, UnicodeDecodeError):
        raw = values.cast(pa.binary()).to_pylist()
        return [None if value is None else value.decode("utf-8", "surrogateescape") for value in raw]
    return texts


def _float_texts(values: pa.Array) -> pa.Array:
    """Return the shortest texts that give the same floats again; whole ones without a point, NaN as missing."""
    wide = values.cast(pa.float64())
    whole = pc.and_(pc.equal(pc.floor(wide), wide), pc.less_equal(pc.abs(wide), EXACT))
    integers = pc.if_else(whole, wide, 0.0).cast(pa.int64()).cast(pa.string())
    narrow = values.cast(pa.float32()) if pa.types.is_float16(values.type) else values
    return pc.if_else(pc.is_nan(wide), None, pc.if_else(whole, integers, narrow.cast(pa.string())))


def _time_texts(values: pa.Array) -> pa.Array:
    """Return ISO 8601 texts, in UTC if there is a zone; nine decimals only if six are not exact."""
    if values.type.tz is not None:
        values = values.cast(pa.timestamp(values.type.unit, tz="UTC"))
    texts = values.cast(pa.string())
    return pc.replace_substring_regex(texts, r"(\.[0-9]{6})000(Z?)$", r"\1\2")
