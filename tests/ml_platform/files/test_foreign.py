"""A file of another format: the reason says what it is, and no table is taken for one."""

import io
import pickle
import tarfile
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pytest
from matplotlib.figure import Figure

from ml_platform.exceptions import ContractError
from ml_platform.files.foreign import LETTER_STARTS, SAVE_AS
from tests.ml_platform.files.file_cases import CSV, compress, opened


def zipped(*names: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return sink.getvalue()


def tarred() -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo("train.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    return sink.getvalue()


def pictured(form: str) -> bytes:
    sink = io.BytesIO()
    Figure().savefig(sink, format=form)
    return sink.getvalue()


def orc() -> bytes:
    sink = pa.BufferOutputStream()
    pyarrow.orc.write_table(pa.table({"a": [1], "b": [2]}), sink)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def feather() -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"a": [1], "b": [2]}), sink)
    return sink.getvalue()


def numpy_array() -> bytes:
    sink = io.BytesIO()
    np.save(sink, np.arange(3))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: pictured("png"), "a PNG image"),
        (lambda: pictured("jpeg"), "a JPEG image"),
        (lambda: pictured("pdf"), "a PDF document"),
        (lambda: pictured("svg"), "an XML document"),
        (lambda: b"<!DOCTYPE html>\n<html><body>Not found", "an HTML page"),
        (lambda: b'\n <HTML lang="de">', "an HTML page"),
        (lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'>", "an SVG image"),
        (lambda: b"{\\rtf1\\ansi text}", "a document in rich text"),
        (lambda: zipped("train.csv"), "a zip archive"),
        (lambda: zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"),
        (lambda: zipped("[Content_Types].xml", "word/document.xml"), "a Word document"),
        (tarred, "a tar archive"),
        (lambda: compress(tarred()), "a tar archive"),
        (orc, "ORC"),
        (lambda: b"FEA1\x00\x00\x00\x00", "Feather"),
        (feather, "Arrow or Feather"),
        (numpy_array, "an array of NumPy"),
        (lambda: pickle.dumps({"a": 1, "b": list(range(99))}), "a pickle of Python"),
        (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "a pointer of Git LFS"),
    ],
)
def test_the_reason_says_what_the_file_is(make: object, what: str) -> None:
    with pytest.raises(ContractError, match=f"^a.file: the file is {what}.*; {SAVE_AS}$") as error:
        opened(make())  # type: ignore[operator]
    assert error.value.line is None


@pytest.mark.parametrize("name", [*(start.decode() for start in LETTER_STARTS), "PARENT1", "ORCID", "html", "<b>"])
def test_a_column_may_be_named_like_the_beginning_of_another_format(name: str) -> None:
    rows = opened(f"{name},b\n1,2\n".encode())
    assert (rows.header, list(rows)) == ([name, "b"], [["1", "2"]])


@pytest.mark.parametrize(
    ("data", "line"),
    [(CSV.decode().encode("utf-16-le"), 1), (b'[{"a": 1}]', None), (b'{\n "a": 1}', None), (compress(b"%PDF-1"), None)],
)
def test_an_error_keeps_the_line_that_it_names(data: bytes, line: int | None) -> None:
    with pytest.raises(ContractError) as error:
        opened(data)
    assert error.value.line == line
    assert ("line 1" in str(error.value)) == (line == 1)
