"""Opening a file by its content: CSV or JSON lines, also in gzip, or Parquet."""

import codecs
from collections.abc import Collection
from typing import BinaryIO

from ml_platform.files import gunzip
from ml_platform.files.csv_rows import CsvRows, detect_delimiter
from ml_platform.files.foreign import PARQUET, reject_foreign_bytes, reject_foreign_text
from ml_platform.files.formats import Format, Rows
from ml_platform.files.json_rows import JsonRows
from ml_platform.files.parquet_rows import ParquetRows
from ml_platform.files.rejected_rows import HEADERS
from ml_platform.files.text_lines import TextLines

__all__ = ["Format", "Rows", "open_rows"]

START_BYTES = 64 * 2**10  # the part of a file that is used to recognise its format
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


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
    reject_foreign_bytes(start, name, zipped=zipped)
    if start.startswith(PARQUET):
        stream.seek(0)
        return ParquetRows(stream, name, wanted)
    used = next((codec for mark, codec in BYTE_ORDER_MARKS.items() if start.startswith(mark)), encoding or "utf-8")
    text = start.decode(used, "replace")
    reject_foreign_text(text, name)
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
