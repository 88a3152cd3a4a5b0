"""What a file of rows is: its format, and the rows that every format gives in the same way."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Kind = Literal["csv", "jsonl", "parquet", "json"]

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SHOWN_CHARACTERS = 200
CELL_CHARACTERS = 131_072  # the csv module's own limit, for the cells of every format
# What a file may swell to when it is unpacked: honest data of ours shrink by less than 20, a bomb by up to 1,000.
UNPACKED_BYTES, UNPACKED_RATIO = 64 * 2**20, 200


@dataclass(frozen=True)
class Format:
    """How a file's rows are written; its text is for people.

    Attributes:
        kind: csv, jsonl (one JSON object per line), parquet, or json (a list of objects, as requests bring it).
        delimiter: what separates the cells of a CSV file.
        encoding: Python's name of a text file's encoding.
        gzip: whether it is compressed as a whole.
    """

    kind: Kind
    delimiter: str | None = None
    encoding: str | None = None
    gzip: bool = False

    def __str__(self) -> str:
        """Return it as a report says it, such as `CSV, separated by commas, UTF-8`."""
        name = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet", "json": "JSON"}[self.kind]
        separated = f"separated by {DELIMITERS.get(self.delimiter, repr(self.delimiter))}" if self.delimiter else ""
        encoding = (self.encoding or "").removesuffix("-sig").upper()
        return ", ".join(filter(None, (name, separated, encoding, "gzip" if self.gzip else "")))

    @property
    def unit(self) -> str:
        """What `Rows.line` counts: the physical lines of a text; the rows of a Parquet file or a request."""
        return "row" if self.kind in ("parquet", "json") else "line"


class Native(str):
    """A cell that the file holds as a number or a time of its own, not as a text.

    It has a decimal point or is ISO 8601, whatever a spec says about texts.
    """

    __slots__ = ()


class Fault(NamedTuple):
    """What is wrong with a row before its values are looked at: the column ("" for the whole row), the value, why."""

    column: str
    value: str
    reason: str


class Rows(Protocol):
    """The rows of a file, whatever its format; read once, from the beginning.

    Attributes:
        name: what errors call the file.
        format: how the file is written.
        header: the columns, as the file calls them; of JSON lines every key of any row.
        nested: those of them that hold lists or objects anywhere (their cells are JSON texts).
        native: those of them whose cells all are as if they were `Native`; in others, single cells may be.
        line: physical line on which the latest row begins, the first is 1; of Parquet and JSON the number of the row.
        size: how much memory the latest row takes, roughly in characters.
        faults: what is wrong with the latest row, so that its cells do not stand under the header; mostly empty.
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
        """Let go of the stream without closing it."""


def shown(text: str) -> str:
    """Return a cell as it can stand in a report and a table: short, without NUL and undecodable bytes."""
    clean = storable(text)
    return clean if len(clean) <= SHOWN_CHARACTERS else f"{clean[:SHOWN_CHARACTERS]}… ({len(text):,} characters)"


def storable(text: str) -> str:
    """Return a text with NUL and what is no character written out, as any table can hold it."""
    return re.sub("[\x00\ud800-\udfff]", _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    is_byte = code == 0 or 0xDC80 <= code <= 0xDCFF  # what could not be decoded stands in the text as such
    return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"


def unpacked_limit(packed: int) -> int:
    """Return to how many bytes a file of so many may swell when it is unpacked."""
    return max(UNPACKED_BYTES, UNPACKED_RATIO * packed)
