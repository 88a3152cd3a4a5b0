import gzip
import io
import json
from datetime import UTC, datetime
from string import ascii_letters, digits

import pytest

from ml_platform import reports
from ml_platform.files.reading import open_rows
from ml_platform.objects import Seen
from ml_platform.outcomes import Reason, new_outcome
from tests.ml_platform.upload_cases import json_lines, make_dataset, parquet

SEEN = Seen("train", "train_sample.csv", '"e"', datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC), 9)
SHA256 = "ab" * 32


def test_keys_name_the_file_its_arrival_and_its_content() -> None:
    outcome = new_outcome(make_dataset(), "train", SEEN, SHA256, "loaded", rows_rejected=1)
    assert outcome["archived_key"] == "processed/train_sample.20260131T120005Z.abababab.csv"
    assert outcome["report_key"] == "processed/train_sample.20260131T120005Z.abababab.report.json"
    assert outcome["rejected_key"] == "processed/train_sample.20260131T120005Z.abababab.rejected.csv"
    assert new_outcome(make_dataset(), "train", SEEN, SHA256, "rejected")["archived_key"].startswith("rejected/")


@pytest.mark.parametrize(
    "key", ["train_sample/../../etc/passwd.csv", "train_sample\n<b>'; DROP.csv", "train_sample漢" * 99]
)
def test_hostile_names_make_plain_keys(key: str) -> None:
    seen = Seen("train", key, '"e"', SEEN.last_modified, 9)
    archived = new_outcome(make_dataset(), "train", seen, SHA256, "loaded")["archived_key"]
    folder, _, name = archived.partition("/")
    assert folder == "processed"
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
    assert ".." not in name


def test_the_report_for_people_says_where_and_why() -> None:
    reasons = [
        Reason(line=None, column="", value="", reason="3 of 3 rows are bad"),
        Reason(line=2, column="AGE", value="x\ny", reason="not a whole number"),
        Reason(line=3, column="", value="1,2", reason="2 cells, but the header names 9 columns"),
    ]
    outcome = new_outcome(make_dataset(), "train", SEEN, SHA256, "rejected", reasons=reasons)
    text = reports.report_text(outcome).decode()
    assert "'train_sample.csv' was rejected" in text
    assert "- 3 of 3 rows are bad\n" in text
    assert "- line 2, column AGE: 'x\\ny': not a whole number\n" in text
    assert "- line 3: '1,2': 2 cells" in text
    assert json.loads(reports.report_json(outcome)) == outcome


def test_a_report_names_the_format_and_the_rows_of_parquet() -> None:
    reasons = [Reason(line=2, column="AGE", value="x", reason="not a whole number")]
    outcome = new_outcome(make_dataset(), "train", SEEN, SHA256, "rejected", reasons=reasons, format="Parquet")
    text = reports.report_text(outcome).decode()
    assert "- row 2, column AGE: 'x': not a whole number\n" in text
    assert "It was read as Parquet.\n" in text
    assert reports.summary(outcome).startswith("'train_sample.csv' (Parquet): 0 rows read")


@pytest.mark.parametrize(
    ("key", "ending"),
    [
        ("train_sample.csv.gz", ".csv.gz"),
        ("train_sample.v2.parquet", ".parquet"),
        ("train_sample.XLSX", ".XLSX"),
        ("train_sample", ""),
        ("train_sample.漢", ""),
        ("train_sample.csv/..", ""),
    ],
)
def test_an_archived_file_keeps_its_ending(key: str, ending: str) -> None:
    seen = Seen("train", key, '"e"', SEEN.last_modified, 9)
    outcome = new_outcome(make_dataset(), "train", seen, SHA256, "loaded", rows_rejected=1)
    assert outcome["archived_key"].endswith(f".abababab{ending}")
    assert outcome["report_key"].endswith(".abababab.report.json")
    assert outcome["rejected_key"] is not None
    assert outcome["rejected_key"].endswith(".abababab.rejected.csv")
    assert set(outcome["archived_key"]) <= set(ascii_letters + digits + "_-./")


def test_the_summary_counts() -> None:
    loaded = new_outcome(make_dataset(), "train", SEEN, SHA256, "loaded", rows_read=8161, rows_loaded=8161)
    expected = "'train_sample.csv': 8,161 rows read, 8,161 loaded, 0 rejected; already there: no"
    assert reports.summary(loaded) == expected
    duplicate = new_outcome(make_dataset(), "train", SEEN, SHA256, "duplicate")
    assert reports.summary(duplicate).endswith("already there: yes")


def test_rejected_rows_are_written_with_line_and_reasons() -> None:
    out = io.BytesIO()
    data = 'A,B\n1,2\n\n3,"x\ny"\n5,\udcff\n'.encode("utf-8", "surrogateescape")
    bad = [(4, "A: bad"), (4, "B: worse"), (6, "B: not UTF-8")]
    reports.write_rejected(io.BytesIO(data), ",", None, bad, out)
    assert out.getvalue() == b'line,reason,A,B\r\n4,A: bad; B: worse,3,"x\ny"\r\n6,B: not UTF-8,5,\xff\r\n'


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
    reports.write_rejected(io.BytesIO(data), delimiter, None, [(line, "bad")], out)
    sign = delimiter or ","
    assert out.getvalue().decode("utf-8-sig").splitlines() == [f"line{sign}reason{sign}A{sign}B", written]


def test_rejected_rows_in_another_encoding_come_back_marked_as_utf_8() -> None:
    out = io.BytesIO()
    reports.write_rejected(io.BytesIO("A\nä\n".encode("cp1252")), ",", "cp1252", [(2, "bad")], out)
    assert out.getvalue() == "line,reason,A\r\n2,bad,ä\r\n".encode("utf-8-sig")
    assert list(open_rows(out, "a.csv", encoding="cp1252")) == [["2", "bad", "ä"]]


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--1"])
def test_a_formula_is_harmless(cell: str) -> None:
    assert reports.harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-5", "+3.5", "-$1,234.50", "-1e-3", "plain", "", "a=b"])
def test_what_is_no_formula_stays(cell: str) -> None:
    assert reports.harmless(cell) == cell
