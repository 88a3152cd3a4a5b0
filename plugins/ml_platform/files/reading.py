"""Opening a file by its content: CSV or JSON lines, also in gzip, or Parquet."""

import codecs
import re
from collections.abc import Collection
from typing import BinaryIO

from ml_platform.exceptions import ContractError
from ml_platform.files import gunzip
from ml_platform.files.csv_rows import CsvRows, detect_delimiter
from ml_platform.files.formats import Format, Rows
from ml_platform.files.json_rows import JsonRows
from ml_platform.files.parquet_rows import ParquetRows
from ml_platform.files.rejected_rows import HEADERS
from ml_platform.files.text_lines import TextLines

__all__ = ["Format", "Rows", "open_rows"]

START_BYTES = 64 * 2**10  # the part of a file that is used to recognise its format
PARQUET = b"PAR1"
FOREIGN_STARTS = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PARE": "encrypted Parquet",
    b"ARROW1": "Arrow or Feather",
    b"Obj\x01": "Avro",
    b"ORC": "ORC",
    b"SQLite format 3\x00": "an SQLite database",
    b"%PDF-": "a PDF document",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"BZh91AY&SY": "compressed with bzip2",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
}
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SAVE_AS = "save it as CSV in UTF-8, JSON lines or Parquet"


def open_rows(
    stream: BinaryIO,
    name: str,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    wanted: Collection[str] = (),
) -> Rows:
    """Open a file of rows; the content decides its format, not the name.

    Args:
        stream: the file's bytes, seekable; read from the beginning, and left open.
        name: the file's name in errors.
        delimiter: between the cells of a CSV file; default: detected.
        encoding: of a text without a byte order mark; default: UTF-8.
        wanted: the columns that the caller needs; they help to detect the delimiter, and must not be nested.

    Returns:
        The rows; the header is already read.

    Raises:
        ContractError: the file is empty or broken, or its format is not supported.
    """
    stream.seek(0)
    zipped = stream.read(len(gunzip.MAGIC)) == gunzip.MAGIC
    start = _unpacked_stream(stream, name, zipped=zipped).read(START_BYTES)
    _reject_foreign(start, name, zipped=zipped)
    if start.startswith(PARQUET):
        stream.seek(0)
        return ParquetRows(stream, name, wanted)
    used = next((codec for mark, codec in BYTE_ORDER_MARKS.items() if start.startswith(mark)), encoding or "utf-8")
    text = start.decode(used, "replace")
    _reject_foreign_text(text.lstrip(), name)
    if text.lstrip().startswith("{"):
        form = Format("jsonl", None, used, zipped)
        return JsonRows(
            lambda: TextLines(_unpacked_stream(stream, name, zipped=zipped), used, name), name, form, wanted
        )
    form = Format("csv", delimiter or detect_delimiter(text, {*wanted, *HEADERS}), used, zipped)
    return CsvRows(TextLines(_unpacked_stream(stream, name, zipped=zipped), used, name), name, form)


def _unpacked_stream(stream: BinaryIO, name: str, *, zipped: bool) -> BinaryIO:
    """Return the file's bytes from the beginning, unpacked if necessary."""
    stream.seek(0)
    return gunzip.unpack(stream, name) if zipped else stream


def _reject_foreign(start: bytes, name: str, *, zipped: bool) -> None:
    for signature, what in FOREIGN_STARTS.items():
        if start.startswith(signature):
            raise ContractError(f"{name}: the file is {what}; {SAVE_AS}")
    if zipped and start.startswith(gunzip.MAGIC):
        raise ContractError(f"{name}: the file is gzip inside gzip; compress it once")
    if zipped and start.startswith(PARQUET):
        raise ContractError(f"{name}: the file is Parquet inside gzip; drop the Parquet file itself")


def _reject_foreign_text(start: str, name: str) -> None:
    first = re.split("[\r\n]", start, maxsplit=1)[0].strip()
    if "\x00" in first:
        raise ContractError(
            f"{name}: line 1: has NUL characters: the file is binary, or UTF-16 without a byte order mark; {SAVE_AS}, "
            "or declare its `encoding`"
        )
    if re.match(r"\[\s*[\[{]", start):
        raise ContractError(f"{name}: the file is a JSON array; write one object per line instead (JSON lines)")
    if first == "{":
        raise ContractError(f"{name}: a JSON object goes over several lines; write one object per line (JSON lines)")
