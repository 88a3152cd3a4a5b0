"""What every kind of source is read through: the newest positions, and the rows between two of them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, NamedTuple

from ml_platform.specs.sources import SourceBase

BEGINNING = ""  # the position before the first row of a partition
SLUG_CHARACTERS = 40


class Range(NamedTuple):
    """Rows of one partition of a source: those after `start` (empty: the beginning), up to `end`."""

    partition: str
    start: str
    end: str


@dataclass(frozen=True)
class Reading:
    """What was read of a range.

    Attributes:
        rows: number of rows in the file; None if the file was copied and its rows were not counted.
        skipped: number of entries that are no rows, such as tombstones.
        notes: sentences about the range for people.
    """

    rows: int | None
    skipped: int = 0
    notes: tuple[str, ...] = ()


class Reader(ABC):
    """An open source. The positions are texts; their order is the source's.

    Attributes:
        source: the spec.
        settle: seconds that a range rests between its plan and its reading.
    """

    settle: float = 0.0

    def __init__(self, source: SourceBase) -> None:
        """Store the spec; a subclass connects to the server."""
        self.source = source

    @abstractmethod
    def positions(self) -> dict[str, str]:
        """Return the newest position of each partition; empty partitions may be missing.

        Raises:
            SourceAwayError: the server cannot be reached; it is waited for.
            ConfigurationError: what the spec or the connection names does not exist, or the login is refused.
        """

    @abstractmethod
    def next_range(self, partition: str, start: str, newest: str) -> Range | None:
        """Return the range of the next file after `start`; None if there is nothing new.

        Raises:
            ConfigurationError: `start` is no position of this source any more.
        """

    @abstractmethod
    def read(self, part: Range, file: BinaryIO) -> Reading:
        """Write the rows of a range as a file: the same bytes each time, as long as the source keeps the rows.

        Raises:
            SourceAwayError, ConfigurationError: as `positions`.
        """

    @abstractmethod
    def lag(self, done: Mapping[str, str], newest: Mapping[str, str]) -> int | None:
        """Return how many rows, or files, wait to be read; None if that would be costly to count."""

    @abstractmethod
    def range_of(self, partition: str, start: str, end: str) -> Range:
        """Return the range that a person names; an empty end is the newest position.

        Raises:
            ConfigurationError: there is no such partition, or a position is none of this source; the text says what is.
            SourceAwayError: as `positions`.
        """

    def file_name(self, part: Range) -> str:
        """Return what the name of the file of a range says of it, with its ending."""
        partition = f"{slug(part.partition)}." if part.partition else ""
        return f"{partition}{slug(part.start or '0')}-{slug(part.end)}.jsonl.gz"

    def describe(self, positions: Mapping[str, str]) -> str:
        """Return positions as a text for people."""
        return ", ".join(f"{partition}: {end}" if partition else end for partition, end in sorted(positions.items()))

    @abstractmethod
    def close(self) -> None:
        """Disconnect from the server."""

    def __enter__(self) -> "Reader":
        """Return the reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect from the server."""
        self.close()


def slug(text: str) -> str:
    """Return a text as a part of a file's name; a long one ends in a digest."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "", text)
    if len(plain) <= SLUG_CHARACTERS:
        return plain
    return f"{plain[:SLUG_CHARACTERS]}{sha256(text.encode()).hexdigest()[:8]}"
