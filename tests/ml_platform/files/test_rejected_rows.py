"""Cells of rejected rows: safe in a spreadsheet, and read again as the original cells."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.files.formats import Native
from ml_platform.files.reading import open_rows
from ml_platform.files.rejected_rows import HEADERS, added_columns, escape_cell, original_cells

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "--1", "-b1", "'-b1", "''=1", "native:1"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_harmless(cell: str) -> None:
    assert escape_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-5", "+3.5", "-$1,234.50", "-1e-3", "plain", "", "a=b", "'", "'a", "5'"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert escape_cell(cell) == cell


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(FORMULAS))
def test_a_cell_comes_back_as_it_was(cell: str) -> None:
    assert original_cells([*HEADERS, escape_cell(cell)], len(HEADERS)) == [cell]


@pytest.mark.parametrize("cell", ["1.5", "-1e-7", "2026-01-31T00:00:00Z"])
def test_a_native_cell_comes_back_as_a_native_one(cell: str) -> None:
    assert escape_cell(Native(cell)) == f"native:{cell}"
    (again,) = original_cells(["2", "reason", escape_cell(Native(cell))], 2)
    assert (again, type(again)) == (cell, Native)


def test_a_lone_surrogate_is_replaced_and_an_undecodable_byte_stays() -> None:
    assert escape_cell("a\ud800") == "a\N{REPLACEMENT CHARACTER}"
    assert escape_cell("a\udcff") == "a\udcff"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (["rejected: line", " rejected: reason ", "a"], 2),
        (["rejected: line", "rejected: reason"], 2),
        (["rejected: line", "rejected: reason", " rejected: row", "a"], 3),
        (["rejected: line", "a", "rejected: reason"], 0),
        (["rejected: line"], 0),
        ([], 0),
    ],
)
def test_the_first_headers_mark_a_file_of_rejected_rows(header: list[str], expected: int) -> None:
    assert added_columns(header) == expected


def test_line_and_reason_are_left_out() -> None:
    assert original_cells(["7", "not a number", "'=1", "x"], 2) == ["=1", "x"]


def test_the_number_of_a_row_is_left_out() -> None:
    rows = open_rows(io.BytesIO(b"rejected: line,rejected: reason,rejected: row,A\n7,x,6,'=1\n"), "again.csv")
    assert (rows.header, list(rows)) == (["A"], [["=1"]])


def test_lines_are_those_of_the_file_of_rejected_rows() -> None:
    rows = open_rows(io.BytesIO(b'rejected: line,rejected: reason,A,B\n7,"x\ny",1,2\n9,x,1\n9,x,1,2,3\n'), "again.csv")
    read = [(rows.line, cells, [(fault.column, fault.reason) for fault in rows.faults]) for cells in rows]
    misfits = ["1 cells, but the header names 2 columns", "3 cells, but the header names 2 columns"]
    assert read == [(2, ["1", "2"], []), (4, ["1"], [("B", misfits[0])]), (5, ["1", "2", "3"], [("", misfits[1])])]
