import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform import parsing
from ml_platform.datasets import dataset
from ml_platform.exceptions import ContractError
from ml_platform.parsing import BadValue, arrow_schema, read_batches
from ml_platform.spec import Dataset
from tests.ml_platform.upload_cases import GOOD, csv_bytes, make_dataset, timed_dataset

SAMPLE = Path(__file__).resolve().parents[2] / "minio" / "samples" / "train_auto.csv"
HEADER = ",".join(GOOD)
ROW = '1,0,0,3,0.5,"$67,349",z_Blue Collar,yes,any text'


def parse(data: bytes, of: Dataset | None = None, purpose: Any = "train") -> tuple[pa.Table, list[BadValue]]:
    of = of or make_dataset()
    batches = list(read_batches(io.BytesIO(data), of, purpose, "sample.csv"))
    table = pa.Table.from_batches([batch.rows for batch in batches], arrow_schema(of, purpose))
    bad = [value for batch in batches for value in batch.bad]
    assert sum(batch.rows_read for batch in batches) == table.num_rows + len({value.line for value in bad})
    return table, bad


def text(*lines: str, end: str = "\n") -> bytes:
    return ("\n".join([HEADER, *lines]) + end).encode("utf-8", "surrogateescape")


def only_bad(data: bytes, of: Dataset | None = None) -> BadValue:
    table, bad = parse(data, of)
    assert (table.num_rows, len(bad)) == (0, 1)
    return bad[0]


def test_rows_are_typed() -> None:
    table, bad = parse(text(ROW))
    assert not bad
    expected = {"line": 2, "ID": 1, "LABEL": 0, "COST": 0.0, "COUNT": 3, "RATIO": 0.5, "PRICE": 67349.0}
    assert table.to_pylist() == [expected | {"KIND": "Blue Collar", "FLAG": True, "NOTE": "any text"}]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + text(ROW),
        text(ROW).replace(b"\n", b"\r\n"),
        text(ROW, end=""),
        b"\n\n" + text("", ROW, "", "   ", ""),
        text(ROW).replace(b"ID", b" ID ", 1),
    ],
    ids=["byte order mark", "CRLF", "no last line break", "blank lines", "blanks in the header"],
)
def test_what_does_not_matter_is_ignored(data: bytes) -> None:
    table, bad = parse(data)
    assert (table.num_rows, bad) == (1, [])


def test_lines_are_physical_lines() -> None:
    table, bad = parse(text(ROW, ROW.replace("any text", '"two\nlines"'), "", ROW, ROW.replace("3", "x", 1)))
    assert table["line"].to_pylist() == [2, 3, 6]
    assert [value.line for value in bad] == [7]


def test_columns_may_be_reordered() -> None:
    columns = tuple(reversed(GOOD))
    table, _ = parse(csv_bytes({"ID": "5"}, columns=columns))
    assert table.column_names == ["line", *GOOD]
    assert table["ID"].to_pylist() == [5]


def test_extra_columns_follow_the_contract() -> None:
    data = csv_bytes({"MORE": "1", "": "2"})
    assert parse(data)[0].num_rows == 1
    with pytest.raises(ContractError, match=r"line 1: columns that .* does not list: MORE, \(no name\)"):
        parse(data, make_dataset(on_extra_column="reject_file"))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (text(), "no rows follow the header"),
        (text(ROW).replace(b"ID,", b"id,"), r"the header lacks ID \(id is there: case counts\)"),
        (text(ROW).replace(b"COUNT", b"ID"), "the header lacks COUNT"),
        (text(ROW).replace(b"NOTE", b"NOTE,NOTE"), "names a column twice: NOTE"),
        (text(ROW).replace(b",", b";"), "separated by a semicolon"),
        (text(ROW).replace(b",", b"\t"), "separated by a tab"),
        (text(ROW).decode().encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04....", "Excel"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (text(ROW, '2,0,0,3,0.5,1,"never closed', "3,0"), "line 3: a quote opens here and is never closed"),
        (text(ROW, '2,0,0,3,0.5,1,"ok\nok","open', "x"), "line 4: a quote opens here and is never closed"),
        (text(ROW, '2,0,0,3,0.5,1,"a" b,yes,t'), "line 3: text follows a closing quote"),
        (text(ROW, '2,0,0,3,0.5,1,"a', '3,0,0,3,0.5,1,"b",yes,t'), r"line 4: text follows .*begins on line 3"),
        (text("1,0,0,3,0.5,1,k,yes," + "x" * 140_000), "line 2: a cell is longer than 131,072 characters"),
        (text('1,0,0,3,0.5,1,k,yes,"' + "x\n" * 140_000), "line 2: a cell is longer.*opened on line 2 is not closed"),
        (text("1," * 3_000_000), "line 2: the row is longer than 4,194,304 characters"),
    ],
    ids=range(18),
)
def test_a_broken_file_says_why(data: bytes, problem: str) -> None:
    with pytest.raises(ContractError, match=f"^sample.csv: .*{problem}"):
        parse(data)


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (ROW.replace("1,", "007,", 1), "ID", "007", "leading zeros would be lost"),
        (ROW.replace("1,", ",", 1), "ID", "", "a value is required"),
        (ROW.replace("0,", ",", 1), "LABEL", "", "a value is required"),
        (ROW.replace("0.5", "NA"), "RATIO", "NA", "leave the cell empty"),
        (ROW.replace("any", "a\0b"), "NOTE", "a\\x00b text", "NUL"),
        (ROW.replace("any", "\udcff"), "NOTE", "\\xff text", "not valid UTF-8"),
        (ROW.replace(",3,", ",11,"), "COUNT", "11", "more than 10, the most allowed"),
        (ROW + ",9", "", f"{ROW},9\n", "10 cells, but the header names 9 columns"),
        (ROW.removesuffix(",any text"), "NOTE", ROW.removesuffix("any text").removesuffix(",") + "\n", "8 cells, but"),
    ],
)
def test_a_bad_row_says_why(row: str, column: str, value: str, reason: str) -> None:
    bad = only_bad(text(row))
    assert (bad.line, bad.column, bad.value) == (2, column, value)
    assert reason in bad.reason


def test_a_cut_last_row_is_suspected() -> None:
    assert "may be cut off" in only_bad(text(ROW[:11], end="")).reason


def test_an_overlong_key_is_refused() -> None:
    of = make_dataset(columns={"ID": "text"})
    assert only_bad(csv_bytes({"ID": "k" * 501}), of).reason == "a key of more than 500 characters"
    assert parse(csv_bytes({"ID": "k" * 500}), of)[0].num_rows == 1


def test_a_long_value_is_shortened_in_reports() -> None:
    assert only_bad(csv_bytes({"RATIO": "x" * 1000})).value == "x" * 200 + "… (1,000 characters)"


def test_a_row_with_several_bad_values_counts_once() -> None:
    table, bad = parse(csv_bytes({"RATIO": "x", "COUNT": "y"}, {"ID": "2"}))
    assert table["ID"].to_pylist() == [2]
    assert [(value.line, value.column) for value in bad] == [(2, "COUNT"), (2, "RATIO")]


def test_a_test_file_needs_no_label() -> None:
    columns = tuple(name for name in GOOD if name not in ("LABEL", "COST"))
    table, bad = parse(csv_bytes({}, columns=columns), purpose="test")
    assert (table.num_rows, bad) == (1, [])
    assert "LABEL" not in table.column_names
    assert not parse(csv_bytes({"LABEL": "?", "COST": "NA"}), purpose="test")[1]
    with pytest.raises(ContractError, match="lacks LABEL"):
        parse(csv_bytes({}, columns=columns))


def test_a_row_needs_its_event_time_for_training_only() -> None:
    data = csv_bytes({"AT": ""})
    assert [value.column for value in parse(data, timed_dataset())[1]] == ["AT"]
    assert not parse(data, timed_dataset(), "test")[1]


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "BATCH_ROWS", 10)
    data = csv_bytes(*({"ID": str(i), "RATIO": "x" if i % 7 == 0 else "1"} for i in range(25)))
    batches = list(read_batches(io.BytesIO(data), make_dataset(), "train", "sample.csv"))
    assert [batch.rows_read for batch in batches] == [10, 10, 5]
    table, bad = parse(data)
    assert table["ID"].to_pylist() == [i for i in range(25) if i % 7]
    assert [value.line for value in bad] == [i + 2 for i in range(25) if i % 7 == 0]


def test_the_stream_stays_open() -> None:
    stream = io.BytesIO(text(ROW))
    list(read_batches(stream, make_dataset(), "train", "sample.csv"))
    assert not stream.closed


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.lists(CELLS, min_size=1, max_size=30))
def test_any_text_comes_through_with_its_line(notes: list[str]) -> None:
    data = csv_bytes(*({"ID": str(i), "NOTE": note} for i, note in enumerate(notes)))
    table, bad = parse(data)
    assert not bad
    assert table["ID"].to_pylist() == list(range(len(notes)))
    assert [note or "" for note in table["NOTE"].to_pylist()] == [_stripped(note) for note in notes]


def _stripped(note: str) -> str:
    import pyarrow.compute as pc

    stripped: str = pc.utf8_trim_whitespace(pa.scalar(note)).as_py()
    return stripped


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    try:
        parse(HEADER.encode() + b"\n" + data)
    except ContractError as error:
        assert "sample.csv: line" in str(error)  # noqa: PT017


def test_the_sample_file_is_read_whole() -> None:
    auto = dataset("auto")
    with SAMPLE.open("rb") as stream:
        batches = list(read_batches(stream, auto, "train", SAMPLE.name))
    assert sum(batch.rows.num_rows for batch in batches) == sum(batch.rows_read for batch in batches) == 8161
    assert batches[0].rows.schema.field("INCOME").type == pa.float64()
    assert batches[0].rows.schema.field("INDEX").type == pa.int64()
