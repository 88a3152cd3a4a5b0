"""Files of any kind: what they are recognised as, the rows they give, and how broken ones are refused."""

import gc
import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.exceptions import ContractError
from ml_platform.files import gunzip, parquet_rows
from ml_platform.files.formats import SHOWN_CHARACTERS, Fault, Native, display_text
from ml_platform.files.reading import Rows, open_rows

compress = partial(gzip.compress, mtime=0)  # the same bytes in each process: they name the tests
CSV = b"a,b\n1,2\n"


def opened(data: bytes, **options: Any) -> Rows:
    return open_rows(io.BytesIO(data), "a.file", **options)


def drain(stream: BinaryIO) -> None:
    rows = open_rows(stream, "a.file")
    try:
        list(rows)
    finally:
        rows.close()


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


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (CSV, "CSV, separated by commas, UTF-8"),
        (b"\xef\xbb\xbf" + CSV, "CSV, separated by commas, UTF-8"),
        (CSV.replace(b",", b";"), "CSV, separated by semicolons, UTF-8"),
        (CSV.replace(b",", b"\t"), "CSV, separated by tabs, UTF-8"),
        (CSV.replace(b",", b"|"), "CSV, separated by bars, UTF-8"),
        (CSV.decode().encode("utf-16"), "CSV, separated by commas, UTF-16"),
        (b"\xfe\xff" + CSV.decode().encode("utf-16-be"), "CSV, separated by commas, UTF-16"),
        (compress(CSV), "CSV, separated by commas, UTF-8, gzip"),
        (compress(b"a,b\n") + compress(b"1,2\n"), "CSV, separated by commas, UTF-8, gzip"),
        (b'{"a": 1, "b": 2}', "JSON lines, UTF-8"),
        (b' \n\n {"a": "1", "b": 2}\r\n', "JSON lines, UTF-8"),
        ('{"a": 1, "b": 2}'.encode("utf-16"), "JSON lines, UTF-16"),
        (compress(b'{"a": 1, "b": 2}'), "JSON lines, UTF-8, gzip"),
        (parquet({"a": [1], "b": [2]}), "Parquet"),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, said: str) -> None:
    rows = opened(data)
    assert (str(rows.format), rows.header) == (said, ["a", "b"])
    assert list(rows) == [["1", "2"]]


@pytest.mark.parametrize("data", [CSV, compress(CSV), json_lines({"a": 1}), parquet({"a": [1]})])
def test_the_stream_is_read_from_its_beginning_and_stays_open(data: bytes) -> None:
    stream = io.BytesIO(data)
    for _ in range(2):
        rows = open_rows(stream, "a.file")
        assert len(list(rows)) == 1
        rows.close()
    assert not stream.closed


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04....", "Excel workbook; save it as CSV in UTF-8, JSON lines or Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
        (b"BZh91AY&SY...", "bzip2"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "UTF-32"),
        (CSV.decode().encode("utf-16-le"), "line 1: has NUL characters: .* declare its `encoding`"),
        (b'[{"a": 1}]', "JSON array; write one object per line"),
        (b'\n[\n  {"a": 1}]', "JSON array"),
        (b'{\n  "a": 1\n}', "goes over several lines"),
        (b'{"a": 1', "no line holds a JSON object .*: not valid JSON"),
        (b"{}\n{}", "no line holds a JSON object with values"),
        (compress(compress(CSV)), "gzip inside gzip"),
        (compress(parquet({"a": [1]})), "Parquet inside gzip"),
        (compress(b"PK\x03\x04"), "Excel"),
        (compress(CSV)[:-9], "ends too early"),
        (compress(CSV)[:12], "ends too early"),
        (compress(CSV)[:-8] + b"\0" * 8, "gzip file is broken: CRC"),
        (compress(CSV) + b"more", "gzip file is broken"),
        (b"\x1f\x8b\x08", "ends too early"),
        (b"PAR1", "Parquet file is broken"),
        (parquet({"a": [1]})[:-5], "Parquet file is broken"),
        (b"PARE....", "encrypted"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, problem: str) -> None:
    stream = io.BytesIO(data)
    with pytest.raises(ContractError, match=f"^a.file: .*({problem})"):
        drain(stream)
    gc.collect()
    assert not stream.closed


def test_a_gzip_bomb_is_refused_before_it_swells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.files.formats.UNPACKED_BYTES", 2**20)
    bomb = compress(b"a,b\n" + b"1,2\n" * 2**20)
    rows = opened(bomb)
    with pytest.raises(ContractError, match=r"holds more than 1,0.*bytes"):
        list(rows)
    assert rows.line < 2**18 + gunzip.BUFFER_BYTES


def test_a_parquet_bomb_is_refused_by_its_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    data = parquet({"a": ["x" * 100_000] * 2_000}, use_dictionary=False, compression="zstd")
    monkeypatch.setattr("ml_platform.files.formats.UNPACKED_BYTES", 2**20)
    with pytest.raises(ContractError, match=r"says it holds 200,.* bytes in 2,000 rows"):
        opened(data)
    monkeypatch.undo()
    monkeypatch.setattr(parquet_rows, "ROW_GROUP_BYTES", 1000)
    with pytest.raises(ContractError, match="smaller row groups"):
        opened(parquet({"a": list(range(1000))}))


@pytest.mark.parametrize(
    ("start", "wanted", "delimiter"),
    [
        ("a;b\n1,5;2,5\n", (), ";"),
        ("a;b,c\n1;2\n", ("a",), ";"),
        ("a,b;c\n", ("a", "b;c"), ","),
        ("a b|c\n1|2\n", (), "|"),
        ('"a;x","b;y"\n1,2\n', (), ","),
        ('a\tb\n"x\n,y"\t2\n', (), "\t"),
        ("a\n1\n", (), ","),
        ("a\n1;2\n", ("a",), ","),
        ("note;more\nx, y;z\nx, y, w;z\n", (), ";"),
        ("\n\na;b\n1;2", (), ";"),
    ],
)
def test_the_delimiter_is_detected(start: str, wanted: tuple[str, ...], delimiter: str) -> None:
    assert opened(start.encode(), wanted=wanted).format.delimiter == delimiter


def test_what_is_declared_is_not_detected() -> None:
    assert opened(b"a;b\n1;2\n", delimiter=",").header == ["a;b"]
    assert opened("ä,b\n".encode("cp1252"), encoding="cp1252").header == ["ä", "b"]
    assert opened("ä,b\n".encode("utf-16-be"), encoding="utf-16-be").header == ["ä", "b"]


def test_a_byte_order_mark_wins_over_the_declared_encoding() -> None:
    assert opened("ä,b\n".encode("utf-8-sig"), encoding="cp1252").header == ["ä", "b"]
    assert opened("ä,b\n".encode("utf-16"), encoding="cp1252").header == ["ä", "b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_bytes_that_are_no_utf_16_reject_the_file_with_their_line(end: str) -> None:
    lines = end.join(["a,b", *(f"{i},{i}" for i in range(5000)), "x"]).encode("utf-16")
    with pytest.raises(ContractError, match=r"^a.file: line 5002: the bytes 00 d8 are not valid UTF-16"):
        list(opened(lines + b"\x00\xd8,\x00"))
    with pytest.raises(ContractError, match=r"line 5002: .*not valid UTF-16"):
        list(opened(lines + b"\x00"))


def test_bytes_that_the_encoding_lacks_stay_in_their_cell() -> None:
    assert rows_of(b"a,b\n\xff,1\n") == [(2, ["\udcff", "1"])]
    assert rows_of(b"a,b\n\x81\xe4,1\n", encoding="cp1252") == [(2, ["\udc81ä", "1"])]


def test_numbers_of_json_keep_their_digits() -> None:
    data = b'{"id": 9223372036854775807, "x": 0.10, "y": 1E400, "z": -0}\n{"id": "007", "x": null, "y": true, "w": ""}'
    rows = opened(data)
    assert rows.header == ["id", "x", "y", "z", "w"]
    cells = list(rows)
    assert cells == [["9223372036854775807", "0.10", "1E400", "-0", ""], ["007", "", "true", "", ""]]
    assert [cell for row in cells for cell in row if isinstance(cell, Native)] == ["0.10", "1E400"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[1]", "not a JSON object"),
        ("1", "not a JSON object"),
        ('{"a": 1', "not valid JSON: .* at character"),
        ('{"a": 1} {"a": 2}', "not valid JSON: Extra data at character 10"),
        ('{"a": 1, "b": 2, "a": 3}', "names a key twice: a"),
        ('{"a": NaN}', "NaN is no number in JSON"),
        ('{"a": -Infinity}', "-Infinity is no number in JSON"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ("a,b", "not valid JSON"),
    ],
)
def test_a_broken_line_of_json_is_a_bad_row(line: str, reason: str) -> None:
    found = faults_of(f'{{"a": 1}}\n\n{line}\n{{"a": 2}}'.encode())
    [(number, fault)] = found
    assert (number, fault.column, fault.value) == (3, "", display_text(line))
    with pytest.raises(ValueError, match=reason):
        raise ValueError(fault.reason)


def test_a_list_or_object_is_no_single_value() -> None:
    data = json_lines({"a": 1, "b": [1]}, {"a": {"c": 2}, "b": 3})
    assert opened(data).nested == {"a", "b"}
    assert faults_of(data, wanted=["a"]) == [(2, Fault("a", '{"c": "2"}', "not a single value"))]
    assert not faults_of(data)


def test_a_value_that_is_nested_too_deeply_is_a_bad_row() -> None:
    deep = range(900, 1001)
    lines = [f'{{"a": {"[" * levels}{"]" * levels}}}' for levels in deep]
    found = faults_of("\n".join(['{"a": 1}', *lines]).encode(), wanted=["a"])
    assert [line for line, _ in found] == list(range(2, 2 + len(deep)))
    assert all("nested too deeply" in fault.reason for _, fault in found)


def test_a_long_line_of_json_rejects_the_file() -> None:
    with pytest.raises(ContractError, match="line 2: the row is longer than"):
        opened(b'{"a": 1}\n{"a": "' + b"x" * 5_000_000)


def test_endless_keys_reject_the_file() -> None:
    with pytest.raises(ContractError, match="line 2: the rows have more than 10,000 different keys"):
        opened(json_lines({"a": 1}, {f"k{i}": i for i in range(10_000)}))


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


def test_parquet_says_what_it_holds() -> None:
    columns = {"n": pa.array([[1]]), "f": [0.5], "t": [MOMENT], "i": [1], "s": ["x"]}
    rows = opened(parquet(columns))
    assert (rows.nested, rows.native, rows.format.unit) == ({"n"}, {"f", "t"}, "row")
    with pytest.raises(ContractError, match=r"not single values: n \(list"):
        opened(parquet(columns), wanted=["n"])


def test_a_long_cell_of_parquet_rejects_the_file() -> None:
    with pytest.raises(ContractError, match="column a: a cell is longer than 131,072 characters"):
        list(opened(parquet({"a": ["x" * 140_000]})))


def test_parquet_is_read_in_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "BATCH_ROWS", 7)
    data = parquet({"a": list(range(100))}, row_group_size=10)
    assert rows_of(data) == [(i + 1, [str(i)]) for i in range(100)]


def test_cells_are_shown_so_that_tables_and_reports_can_hold_them() -> None:
    assert display_text("a\0\udcff\ud800") == "a\\x00\\xff\\ud800"
    assert display_text("x" * SHOWN_CHARACTERS) == "x" * SHOWN_CHARACTERS
    assert len(display_text("x" * 10_000)) < SHOWN_CHARACTERS + 30


def mangled(make: Callable[[], bytes]) -> st.SearchStrategy[bytes]:
    whole = make()
    cut = st.integers(0, len(whole)).map(lambda end: whole[:end])
    changed = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)).map(
        lambda change: whole[: change[0]] + bytes([change[1]]) + whole[change[0] + 1 :]
    )
    return cut | changed


BROKEN = st.one_of(
    mangled(lambda: compress(CSV * 50)),
    mangled(lambda: parquet({"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5]})),
    mangled(lambda: json_lines({"a": 1, "b": "ä"}, {"a": 2.5, "c": None})),
    mangled(lambda: (CSV * 5).decode().encode("utf-16")),
    st.binary(max_size=200),
)


@given(BROKEN)
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    try:
        assert all(isinstance(cell, str) for row in opened(data) for cell in row)
    except ContractError as error:
        assert str(error).startswith("a.file: ")  # noqa: PT017
