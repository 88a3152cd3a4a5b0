"""A file is rewritten without the rows of entities: in every format, and nothing else changes."""

import csv
import gzip
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_platform.exceptions import ContractError
from ml_platform.parsing.batches import read_batches
from ml_platform.removal.entities import Entities
from ml_platform.removal.rewriting import find_rows, write_without
from tests.ml_platform.ingestion.upload_cases import as_files, csv_bytes, make_dataset

ROWS = [{"ID": str(i), "NOTE": f"number {i}"} for i in range(1, 6)]
TABLE = make_dataset(on_bad_row="reject_row", max_bad_rows=1)


def entities(*keys: int, **others: Any) -> Entities:
    return Entities(TABLE, frozenset((key,) for key in keys), {"ID": ("ID",)} | others)


def rewritten(data: bytes, *keys: int, keep_lines: bool = True) -> tuple[bytes, set[int]]:
    found = find_rows(io.BytesIO(data), entities(*keys))
    out = io.BytesIO()
    write_without(io.BytesIO(data), found, out, keep_lines=keep_lines)
    return out.getvalue(), set(found.lines)


def good_rows(data: bytes) -> list[tuple[int, int, str]]:
    """Return line, key and note of each good row."""
    batches = list(read_batches(io.BytesIO(data), TABLE, "train", "the file"))
    return [(row["line"], row["ID"], row["NOTE"]) for batch in batches for row in batch.rows.to_pylist()]


@pytest.mark.parametrize("ending", list(as_files(ROWS)))
def test_in_every_format_only_the_rows_of_the_entities_go_and_all_others_keep_their_lines(ending: str) -> None:
    data = as_files(ROWS)[ending]
    without, lines = rewritten(data, 2, 5, 99)
    before = good_rows(data)
    assert lines == {line for line, key, _ in before if key in (2, 5)}
    assert good_rows(without) == [row for row in before if row[1] not in (2, 5)]
    plain = gzip.decompress(without) if ending.endswith(".gz") else without
    assert b"number 2" not in plain.replace(b"\x00", b"")
    shorter, _ = rewritten(data, 2, 5, keep_lines=False)
    assert [row[1:] for row in good_rows(shorter)] == [row[1:] for row in before if row[1] not in (2, 5)]
    assert rewritten(without, 2, 5) == (without, set())


def test_every_other_byte_stays_and_the_result_is_always_the_same() -> None:
    data = b'\xef\xbb\xbfID,NOTE\r\n1,"a\r\nb \x93"\n\n2,"two\nlines"\r\n 3 ,x\r\n4,y'
    without, lines = rewritten(data, 2, 3)
    assert lines == {5, 7}
    assert without == b'\xef\xbb\xbfID,NOTE\r\n1,"a\r\nb \x93"\n\n\n\r\n\r\n4,y'
    assert rewritten(data, 2, 3, keep_lines=False)[0] == b'\xef\xbb\xbfID,NOTE\r\n1,"a\r\nb \x93"\n\n4,y'
    assert rewritten(gzip.compress(data), 2, 3)[0] == rewritten(gzip.compress(data, mtime=1), 2, 3)[0]


def test_a_faulty_row_goes_if_it_has_the_key_anywhere() -> None:
    data = b"NOTE,ID\nx,1\ntoo,many,2,cells\nx,22\n2\n"
    assert rewritten(data, 2) == (b"NOTE,ID\nx,1\n\nx,22\n\n", {3, 5})
    lines = b'{"ID": 1}\n{"ID": 2, "ID": 3}\n{"ID": 2\n{"ID": 22}\n'
    assert rewritten(lines, 2) == (b'{"ID": 1}\n\n\n{"ID": 22}\n', {2, 3})


def test_a_file_of_rejected_rows_is_rewritten_too() -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("rejected: line", "rejected: reason", "ID"), (2, "bad", "1"), (3, "bad", "2")])
    assert rewritten(out.getvalue().encode(), 2, keep_lines=False) == (
        b"rejected: line,rejected: reason,ID\r\n2,bad,1\r\n", {3}
    )  # fmt: skip


def test_a_key_that_is_guarded_against_spreadsheets_is_found_in_results_only() -> None:
    table = make_dataset(entity={"name": "thing", "key": "NOTE"})
    formula = Entities(table, frozenset({("=1+1",)}), {"NOTE": ("NOTE",)})
    data = b"NOTE,probability\n=1+1,0.5\n'=1+1,0.5\nx,0.5\n"
    assert find_rows(io.BytesIO(data), formula).lines == {2}
    assert find_rows(io.BytesIO(data), formula, is_guarded=True).lines == {2, 3}


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG\r\n", b"NOTE\nx\n", b'ID\n"1\n', gzip.compress(b"ID\n1\n")[:-9]],
    ids=["empty", "an image", "no key column", "an open quote", "cut off"],
)
def test_a_file_that_cannot_be_searched_is_named(data: bytes) -> None:
    with pytest.raises(ContractError):
        find_rows(io.BytesIO(data), entities(1))


def test_a_key_column_that_had_another_name_is_found() -> None:
    found = find_rows(io.BytesIO(b"number;NOTE\n2;x\n"), entities(2, ID=("ID", "number")))
    assert found.lines == {2}


def test_nested_and_required_columns_of_a_parquet_file_stay_as_they_are() -> None:
    table = pa.table(
        {"ID": [1, 2, 3], "TAGS": [["a"], ["b"], None], "KIND": pa.array(list("xyz")).dictionary_encode()},
        pa.schema([
            pa.field("ID", pa.int64(), nullable=False), ("TAGS", pa.list_(pa.string())),
            ("KIND", pa.dictionary(pa.int32(), pa.string())),
        ]),
    )  # fmt: skip
    file = io.BytesIO()
    pq.write_table(table, file)
    without, lines = rewritten(file.getvalue(), 2)
    assert lines == {2}
    assert pq.read_table(io.BytesIO(without)).to_pylist() == [
        {"ID": 1, "TAGS": ["a"], "KIND": "x"}, {"ID": None, "TAGS": None, "KIND": None},
        {"ID": 3, "TAGS": None, "KIND": "z"},
    ]  # fmt: skip


def test_ten_thousands_of_rows_are_searched() -> None:
    data = csv_bytes(*({"ID": str(i % 30_000)} for i in range(60_000)))
    without, lines = rewritten(data, 7, keep_lines=False)
    assert lines == {9, 30_009}
    assert without.count(b"\n") == data.count(b"\n") - 2
