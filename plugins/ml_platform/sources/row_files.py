"""Files of rows as JSON lines in gzip: for the same rows the same bytes."""

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

from ml_platform.files.json_rows import decode_json
from ml_platform.files.source_rows import FAULT, POSITION, VALUE

LEVEL = 1  # the fastest; a file of the inbox is read once


def write_lines(lines: Iterable[bytes], file: BinaryIO) -> int:
    """Write lines, each without its end, as a gzip file; return their number.

    The same lines give the same bytes: no time and no name is stored.
    """
    count = 0
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0) as packed:
        for line in lines:
            packed.write(line)
            packed.write(b"\n")
            count += 1
    return count


def row_line(row: Mapping[str, Any], position: str) -> bytes:
    """Return a row as a line; its values are texts, whole numbers, booleans, lists, objects or None."""
    return json.dumps({POSITION: position, **row}, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def text_line(content: bytes, position: str, extra: Mapping[str, Any] | None = None) -> bytes:
    """Return a JSON object of a source as a line, its numbers with all their digits.

    A text that is no JSON object becomes a line with the fault, so that it comes back as a rejected row.

    Args:
        content: the text, in UTF-8.
        position: where it is in the source, for people.
        extra: more values of the row; the object's own values win.
    """
    try:
        text, row = parse_object(content)
    except ValueError as error:
        return fault_line(content, position, str(error))
    return object_line(text, row, position, extra or {})


def parse_object(content: bytes) -> tuple[str, dict[str, Any]]:
    """Return the text and the keys of a JSON object in UTF-8.

    Raises:
        ValueError: it is none; the error says why.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not valid UTF-8 at byte {error.start + 1}") from None
    row = decode_json(text)
    if not isinstance(row, dict):
        raise ValueError('not a JSON object such as {"a": 1}')  # noqa: TRY004 – a fault of the data
    return text, row


def object_line(text: str, row: Mapping[str, Any], position: str, extra: Mapping[str, Any]) -> bytes:
    """Return what `parse_object` found as a line; `position` and `extra` as `text_line`.

    Bytes in `extra` that are no UTF-8 are written as they are, so that their cell is rejected.
    """
    more = {POSITION: position} | {name: value for name, value in extra.items() if name not in row}
    head = json.dumps(more, ensure_ascii=False, separators=(",", ":"))
    # Valid JSON has line breaks between values only, where a blank means the same.
    body = text.strip().replace("\n", " ").replace("\r", " ").removeprefix("{").lstrip()
    return f"{head[:-1]}{'' if body == '}' else ','}{body}".encode("utf-8", "surrogateescape")


def fault_line(content: bytes, position: str, reason: str) -> bytes:
    """Return the line of something that is no row, with the reason."""
    value = content.decode("utf-8", "backslashreplace")
    return json.dumps(
        {POSITION: position, FAULT: reason, VALUE: value}, ensure_ascii=False, separators=(",", ":")
    ).encode("utf-8", "surrogatepass")
