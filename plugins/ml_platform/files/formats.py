"""The format of a file, and the protocol of its rows, which is the same for every format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Kind = Literal["csv", "jsonl", "parquet", "json"]

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SHOWN_CHARACTERS = 200
CELL_CHARACTERS = 131_072  # the limit of the csv module, applied to every format
# The size to which a file may unpack. The samples compress by a factor below 20, a decompression bomb by up to 1,000.
UNPACKED_BYTES, UNPACKED_RATIO = 64 * 2**20, 200


@dataclass(frozen=True)
class Format:
    """How a file's rows are written; `str` gives a text for people.

    Attributes:
        kind: csv, jsonl (one JSON object per line), parquet, or json (a list of objects, as in a request).
        delimiter: between the cells of a CSV file.
        encoding: Python's name of a text file's encoding.
        gzip: whether the whole file is compressed.
    """

    kind: Kind
    delimiter: str | None = None
    encoding: str | None = None
    gzip: bool = False

    def __str__(self) -> str:
        """Return the text for a report, such as `CSV, separated by commas, UTF-8`."""
        name = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet", "json": "JSON"}[self.kind]
        separated = f"separated by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}" if self.delimiter else ""
        encoding = (self.encoding or "").removesuffix("-sig").upper()
        return ", ".join(filter(None, (name, separated, encoding, "gzip" if self.gzip else "")))

    @property
    def unit(self) -> str:
        """The unit of `Rows.line`: a physical line of a text file, or a row of a Parquet file or a request."""
        return "row" if self.kind in ("parquet", "json") else "line"


class Native(str):
    """The text of a cell that the file stores as a number or a time, not as a text.

    It has a decimal point or is ISO 8601. The notation that a spec gives for texts does not apply to it.
    """

    __slots__ = ()


class Fault(NamedTuple):
    """A fault of a row, found before its values are parsed: column ("" for the whole row), value and reason."""

    column: str
    value: str
    reason: str


class Rows(Protocol):
    """The rows of a file of any format; they can be read once, from the beginning.

    Attributes:
        name: the file's name in errors.
        format: how the file is written.
        header: the column names in the file; for JSON, all keys of all rows.
        nested: the columns with lists or objects in any row (their cells are JSON texts).
        native: the columns whose cells all count as `Native`; in other columns, single cells may be `Native`.
        line: physical line on which the latest row begins, from 1; for Parquet and JSON lists the row's number.
        size: memory of the latest row, roughly in characters.
        faults: faults of the latest row; if there are any, its cells do not match the header.
    """

    name: str
    format: Format
    header: list[str]
    nested: frozenset[str]
    native: frozenset[str]
    line: int
    size: int
    faults: tuple[Fault, ...]

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each row as texts, in the header's order; a missing value is an empty text.

        Raises:
            ContractError: the file is broken from here on.
        """

    def close(self) -> None:
        """Detach from the stream; it stays open."""


def display_text(text: str) -> str:
    """Return a cell for a report or a table: shortened, with NUL and undecodable bytes escaped."""
    clean = escape_text(text)
    return clean if len(clean) <= SHOWN_CHARACTERS else f"{clean[:SHOWN_CHARACTERS]}… ({len(text):,} characters)"


def escape_text(text: str) -> str:
    """Return a text with NUL and lone surrogates escaped, so that any table can store it."""
    return re.sub("[\x00\ud800-\udfff]", _escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    is_byte = code == 0 or 0xDC80 <= code <= 0xDCFF  # undecodable bytes are in the text as these surrogates
    return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"


def unpacked_limit(packed: int) -> int:
    """Return the greatest unpacked size in bytes that a file of `packed` bytes may have."""
    return max(UNPACKED_BYTES, UNPACKED_RATIO * packed)
