"""Parquet files: exact texts of all types, nested columns, and limits on size."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from ml_platform.exceptions import ContractError
from ml_platform.files import parquet_rows
from tests.ml_platform.files.file_cases import opened, parquet, rows_of

BERLIN = pa.timestamp("us", tz="Europe/Berlin")
MOMENT = datetime(2026, 1, 31, 23, 59, 1, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (pa.int64(), -(2**63), str(-(2**63))),
        (pa.uint64(), 2**64 - 1, str(2**64 - 1)),
        (pa.float64(), 0.1, "0.1"),
        (pa.float64(), 1e300, "1e+300"),
        (pa.float64(), 123456789012.0, "123456789012"),
        (pa.float64(), -0.0, "0"),
        (pa.float64(), float("nan"), ""),
        (pa.float64(), float("inf"), "inf"),
        (pa.float32(), 0.1, "0.1"),
        (pa.float16(), 1.5, "1.5"),
        (pa.decimal128(10, 2), Decimal("1.10"), "1.10"),
        (pa.decimal128(38, 9), Decimal(0), "0.000000000"),
        (pa.decimal128(38, 9), Decimal("-1e-9"), "-0.000000001"),
        (pa.bool_(), False, "false"),
        (pa.date32(), date(2026, 1, 31), "2026-01-31"),
        (pa.timestamp("s"), MOMENT.replace(tzinfo=None, microsecond=0), "2026-01-31 23:59:01.000"),
        (pa.timestamp("ms", tz="UTC"), MOMENT, "2026-01-31 23:59:01.250Z"),
        (BERLIN, MOMENT, "2026-01-31 23:59:01.250000Z"),
        (pa.timestamp("ns"), 1_250_000_000, "1970-01-01 00:00:01.250000"),
        (pa.timestamp("ns", tz="UTC"), 1_250_000_001, "1970-01-01 00:00:01.250000001Z"),
        (pa.string(), " ä\n", " ä\n"),
        (pa.large_string(), "x", "x"),
        (pa.string_view(), "x", "x"),
        (pa.binary(), b"\xffx", "\udcffx"),
        (pa.binary_view(), b"ab", "ab"),
        (pa.binary_view(), b"\xffx", "\udcffx"),
        (pa.dictionary(pa.int8(), pa.string()), "x", "x"),
        (pa.list_(pa.int64()), [1, 2], "[1, 2]"),
        (pa.duration("s"), 5, "5"),
        (pa.null(), None, ""),
    ],
)
def test_values_of_parquet_become_exact_texts(kind: pa.DataType, value: Any, text: str) -> None:
    if pa.types.is_timestamp(kind) and isinstance(value, int):
        column = pa.array([value, None], pa.int64()).cast(kind)
    else:
        column = pa.array([value, None], kind)
    assert rows_of(parquet({"a": column})) == [(1, [text]), (2, [""])]


def test_nested_and_native_columns_are_known_from_the_schema() -> None:
    columns = {"n": pa.array([[1]]), "f": [0.5], "t": [MOMENT], "i": [1], "s": ["x"]}
    rows = opened(parquet(columns))
    assert (rows.nested, rows.native, rows.format.unit) == ({"n"}, {"f", "t"}, "row")
    with pytest.raises(ContractError, match=r"not single values: n \(list"):
        opened(parquet(columns), wanted=["n"])


@pytest.mark.parametrize("data", [b"PAR1", parquet({"a": [1]})[:-5]])
def test_a_broken_file_says_so(data: bytes) -> None:
    with pytest.raises(ContractError, match=r"^a.file: the Parquet file is broken"):
        opened(data)


def test_broken_data_say_so() -> None:
    data = bytearray(parquet({"a": list(range(1000))}))
    data[4:60] = bytes(56)
    rows = opened(bytes(data))
    with pytest.raises(ContractError, match=r"^a.file: the Parquet file is broken"):
        list(rows)


def test_a_file_without_rows_has_its_header() -> None:
    rows = opened(parquet({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}))
    assert (rows.header, list(rows)) == (["a", "b"], [])


def test_a_parquet_bomb_is_refused_by_its_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    data = parquet({"a": ["x" * 100_000] * 2_000}, use_dictionary=False, compression="zstd")
    monkeypatch.setattr("ml_platform.files.formats.UNPACKED_BYTES", 2**20)
    with pytest.raises(ContractError, match=r"says it holds 200,.* bytes in 2,000 rows"):
        opened(data)
    monkeypatch.undo()
    monkeypatch.setattr(parquet_rows, "ROW_GROUP_BYTES", 1000)
    with pytest.raises(ContractError, match="smaller row groups"):
        opened(parquet({"a": list(range(1000))}))


def test_a_long_cell_rejects_the_file() -> None:
    with pytest.raises(ContractError, match="column a: a cell is longer than 131,072 characters"):
        list(opened(parquet({"a": ["x" * 140_000]})))


def test_a_file_is_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "BATCH_ROWS", 7)
    data = parquet({"a": list(range(100))}, row_group_size=10)
    assert rows_of(data) == [(i + 1, [str(i)]) for i in range(100)]
