"""The files beside an archived upload: people can read them, and upload the rejected rows again."""

import gzip
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.files.formats import Native
from ml_platform.files.reading import Rows, open_rows
from ml_platform.ingestion import report_files
from ml_platform.ingestion.upload_report import Reason, new_report
from ml_platform.parsing.batches import read_batches, typed_batches
from ml_platform.storage.object_store import ObjectVersion
from tests.ml_platform.ingestion.upload_cases import json_lines, make_dataset, parquet

VERSION = ObjectVersion("train", "train_sample.csv", '"e"', datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC), 9)
SHA256 = "ab" * 32


def test_the_report_for_people_says_where_and_why() -> None:
    reasons = [
        Reason(line=None, column="", value="", reason="3 of 3 rows are bad"),
        Reason(line=1, column="", value="", reason="a.csv: line 1: the header lacks AGE"),
        Reason(line=2, column="AGE", value="x\ny", reason="not a whole number"),
        Reason(line=3, column="", value="1,2", reason="2 cells, but the header names 9 columns"),
    ]
    report = new_report(
        make_dataset(), "train", VERSION, SHA256, "rejected", reasons=reasons,
        warnings=["1 column is ignored: MORE"], allowed=["AGE: a whole number"],
        template="reports/templates/sample.csv",
    )  # fmt: skip
    text = report_files.report_text(report).decode()
    assert "'train_sample.csv' was rejected. Nothing of it was loaded." in text
    assert "- 3 of 3 rows are bad\n" in text
    assert "- line 2, column AGE: 'x\\ny': not a whole number\n" in text
    assert "- line 3: '1,2': 2 cells" in text
    assert "- a.csv: line 1: the header lacks AGE\n" in text
    assert "Also unusual: 1 column is ignored: MORE\n" in text
    assert "allowed in this file (datasets/sample.yaml):\n\n  - AGE: a whole number\n\n" in text
    assert "an example row: reports/templates/sample.csv\n" in text
    assert f"{report['archived_key']}; the SHA-256 of its bytes is {SHA256}" in text
    assert json.loads(report_files.report_json(report)) == report


def test_a_report_names_the_format_and_the_rows_of_parquet() -> None:
    reasons = [Reason(line=2, column="AGE", value="x", reason="not a whole number")]
    report = new_report(make_dataset(), "train", VERSION, SHA256, "rejected", reasons=reasons, format="Parquet")
    text = report_files.report_text(report).decode()
    assert "- row 2, column AGE: 'x': not a whole number\n" in text
    assert "It was read as Parquet.\n" in text
    assert report_files.summary(report).startswith("'train_sample.csv' (Parquet): 0 rows read")


def test_warnings_are_logged_with_the_file(caplog: pytest.LogCaptureFixture) -> None:
    report = new_report(make_dataset(), "train", VERSION, SHA256, "loaded", warnings=["AGE is 3 in all 20 rows"])
    report_files.log_warnings(report)
    assert [record.getMessage() for record in caplog.records] == ["'train_sample.csv': AGE is 3 in all 20 rows"]


def test_the_summary_counts() -> None:
    loaded = new_report(make_dataset(), "train", VERSION, SHA256, "loaded", rows_read=8161, rows_loaded=8161)
    expected = "'train_sample.csv': 8,161 rows read, 8,161 loaded, 0 rejected; already there: no"
    assert report_files.summary(loaded) == expected
    duplicate = new_report(make_dataset(), "train", VERSION, SHA256, "duplicate")
    assert report_files.summary(duplicate).endswith("already there: yes")
    partly = new_report(make_dataset(), "train", VERSION, SHA256, "loaded", rows_read=1500, rows_present=1500)
    assert report_files.summary(partly).endswith("already there: 1,500 rows")


def test_rejected_rows_are_written_with_line_and_reasons() -> None:
    out = io.BytesIO()
    data = 'A,B\n1,2\n\n3,"x\ny"\n5,\udcff\n'.encode("utf-8", "surrogateescape")
    bad = [(4, "A: bad"), (4, "B: worse"), (6, "B: not UTF-8")]
    report_files.write_rejected(io.BytesIO(data), ",", None, bad, out)
    assert (
        out.getvalue()
        == b'rejected: line,rejected: reason,A,B\r\n4,A: bad; B: worse,3,"x\ny"\r\n6,B: not UTF-8,5,\xff\r\n'
    )


def test_rejected_rows_without_a_key_have_their_number() -> None:
    out = io.BytesIO()
    data = b'A,B\n1,2\n\n3,"x\ny"\n5\n6,7\n'
    bad = [(4, "A: bad"), (6, "B: lacks"), (9, "B: not in the file")]
    report_files.write_rejected(io.BytesIO(data), ",", None, bad, out, is_numbered=True)
    assert out.getvalue().decode().splitlines() == [
        "rejected: line,rejected: reason,rejected: row,A,B",
        '4,A: bad,2,3,"x',
        'y"',
        "6,B: lacks,3,5",
        "9,B: not in the file,",
    ]
    assert next(iter(open_rows(out, "again.csv"))) == ["3", "x\ny"]


ROWS = [{"A": "1", "B": "x;ä"}, {"A": "2", "B": "=1"}]
UTF_16 = 'A;B\n1;"x;ä"\n2;=1\n'.encode("utf-16")


@pytest.mark.parametrize(
    ("data", "delimiter", "line", "written"),
    [
        (json_lines(ROWS), None, 2, "2,bad,2,'=1"),
        (json_lines(ROWS) + b"[=1]\n", None, 3, "3,bad,[=1]"),
        (json_lines([*ROWS, {"A": "a\ud800"}]), None, 3, "3,bad,a\ufffd,"),
        (parquet(ROWS), None, 1, "1,bad,1,x;ä"),
        (parquet(ROWS), ";", 1, '1;bad;1;"x;ä"'),
        (gzip.compress(b"A|B\n1|2\n", mtime=0), "|", 2, "2|bad|1|2"),
        (UTF_16, ";", 2, '2;bad;1;"x;ä"'),
    ],
)
def test_rejected_rows_of_every_format_come_back_as_csv(
    data: bytes, delimiter: str | None, line: int, written: str
) -> None:
    out = io.BytesIO()
    report_files.write_rejected(io.BytesIO(data), delimiter, None, [(line, "bad")], out)
    sign = delimiter or ","
    header = sign.join(["rejected: line", "rejected: reason", "A", "B"])
    assert out.getvalue().decode("utf-8-sig").splitlines() == [header, written]


def test_rejected_rows_in_another_encoding_come_back_marked_as_utf_8() -> None:
    out = io.BytesIO()
    report_files.write_rejected(io.BytesIO("A\nä\n".encode("cp1252")), ",", "cp1252", [(2, "bad")], out)
    assert out.getvalue() == "rejected: line,rejected: reason,A\r\n2,bad,ä\r\n".encode("utf-8-sig")
    assert list(open_rows(out, "a.csv", encoding="cp1252")) == [["ä"]]


def returned(data: bytes, delimiter: str = ",") -> Rows:
    """Return the rows of a file as if all were rejected and dropped again."""
    out = io.BytesIO()
    rows = open_rows(io.BytesIO(data), "a.file", delimiter=delimiter)
    report_files.write_rejected(
        io.BytesIO(data), delimiter, None, [(rows.line, '=bad; \'bad, "bad"') for _ in rows], out
    )
    return open_rows(out, "again.csv")


def cells_of(rows: Rows) -> list[list[tuple[str, bool]]]:
    """Return each cell, and whether it is of a type of the file's own."""
    native = [name in rows.native for name in rows.header]
    return [
        [(cell, bool(cell) and (whole or isinstance(cell, Native))) for cell, whole in zip(cells, native, strict=True)]
        for cells in rows
    ]


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.builds(
    "".join, st.lists(st.sampled_from(["'", "=", "-", "+", "@", "\t", "\r", "\n", '"', ",", ";", "5", "b1", "native:"]))
)


@given(st.lists(TEXTS, min_size=2, max_size=4, unique=True).flatmap(
    lambda keys: st.tuples(st.just(keys), st.lists(st.lists(TEXTS | st.floats(allow_nan=False, allow_infinity=False),
                                                            min_size=len(keys), max_size=len(keys)), min_size=1))
))  # fmt: skip
def test_rejected_rows_come_in_again_as_they_were(table: tuple[list[str], list[list[str | float]]]) -> None:
    header, rows = table
    data = json_lines(dict(zip(header, row, strict=True)) for row in rows)
    again = returned(data)
    assert again.header == header
    assert cells_of(again) == cells_of(open_rows(io.BytesIO(data), "a.jsonl"))


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_rejected_rows_of_a_returned_file_come_in_again(sign: str) -> None:
    data = sign.join(["line", "reason", "-key"]).encode() + b"\n" + sign.join(["1", "-x", "'-b1"]).encode() + b"\n"
    out = io.BytesIO()
    report_files.write_rejected(io.BytesIO(data), sign, None, [(2, "bad")], out)
    again = returned(out.getvalue(), sign)
    assert (again.header, again.format.delimiter) == (["line", "reason", "-key"], sign)
    assert [(again.line, cells) for cells in again] == [(2, ["1", "-x", "'-b1"])]


def test_rejected_values_of_parquet_come_in_again_as_what_they_were() -> None:
    moment = datetime(2026, 1, 31, 23, 59, 1, 250000, tzinfo=UTC)
    data = parquet(
        [{"f": 1.859, "t": moment, "s": "1.859", "i": 3}, {"f": None, "t": None, "s": "native:1", "i": None}]
    )
    assert cells_of(returned(data)) == cells_of(open_rows(io.BytesIO(data), "a.parquet"))


def test_rejected_rows_are_typed_as_those_of_their_file() -> None:
    columns = {"PRICE": {"type": "money", "decimal": ","}, "AT": {"type": "timestamp", "format": "%d.%m.%Y"}}
    dataset = make_dataset(on_extra_column="reject_file", columns={"ID": "text", "reason": "text"} | columns)
    row = {"LABEL": 0, "COST": 0.5, "COUNT": 3, "RATIO": 1e-7, "KIND": "k", "FLAG": True, "NOTE": "=1+1", "reason": "r"}
    moments = [datetime(2026, 1, 31, 23, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)]
    data = parquet([row | {"ID": f"-b{i}", "PRICE": i + 0.859, "AT": at} for i, at in enumerate(moments)])
    (first,) = read_batches(io.BytesIO(data), dataset, "train", "a.parquet")
    (again,) = typed_batches(returned(data), dataset, "train")
    assert not again.bad
    assert again.rows.drop_columns("line") == first.rows.drop_columns("line")
    assert again.rows["PRICE"].to_pylist() == [0.859, 1.859]
