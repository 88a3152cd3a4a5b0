"""Rows of a database as JSON lines: every digit is kept, and equal rows give equal lines."""

import heapq
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby, islice
from operator import itemgetter
from typing import IO, Any

from ml_platform.files.source_rows import POSITION

LINES_IN_MEMORY = 20_000  # of rows with the same watermark


def quoted(text: str) -> str:
    """Return a text as JSON."""
    return json.dumps(text, ensure_ascii=False)


def _number(value: float | Decimal) -> str:
    """Return a number with its digits; NaN and infinity, which JSON lacks, become texts."""
    return str(value) if math.isfinite(value) else quoted(str(value))


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return f'"\\\\x{bytes(value).hex()}"'


def _duration(value: timedelta) -> str:
    """Return hours, minutes and seconds, which may be negative, as the type TIME of MySQL has them."""
    sign, rest = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(rest.days * 86_400 + rest.seconds, 60)
    fraction = f".{rest.microseconds:06}" if rest.microseconds else ""
    return f'"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{fraction}"'


def _iso(value: date | time | datetime) -> str:
    return f'"{value.isoformat()}"'


def _list(values: Sequence[Any]) -> str:
    return f"[{','.join(map(encode, values))}]"


def _object(values: dict[Any, Any]) -> str:
    return f"{{{','.join(f'{quoted(str(key))}:{encode(value)}' for key, value in values.items())}}}"


ENCODERS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _number,
    Decimal: _number,
    str: quoted,
    datetime: _iso,
    date: _iso,
    time: _iso,
    timedelta: _duration,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    list: _list,
    tuple: _list,
    dict: _object,
}


def encode(value: Any) -> str:
    """Return a value as JSON; one of a type without an entry becomes its text."""
    encoder = ENCODERS.get(type(value))
    return encoder(value) if encoder else quoted(str(value))


def line_maker(names: Sequence[str]) -> Callable[[str, Sequence[Any]], bytes]:
    """Return a function that makes a line of a position and the values of a row."""
    heads = [f",{quoted(name)}:" for name in names]

    def line(position: str, values: Sequence[Any]) -> bytes:
        cells = "".join([head + encode(value) for head, value in zip(heads, values, strict=True)])
        return f"{_head(position)}{cells}}}".encode("utf-8", "surrogateescape")

    return line


def line_of_object(position: str, body: str) -> bytes:
    """Return the line of a position and a row that the database wrote as a JSON object."""
    if "\n" in body or "\r" in body:  # between values of a JSON column; inside of texts they are escaped
        body = body.replace("\n", " ").replace("\r", " ")
    return f"{_head(position)}{',' if body != '{}' else ''}{body[1:]}".encode()


def _head(position: str) -> str:
    return f'{{"{POSITION}":{quoted(position)}'


def in_order(pairs: Iterable[tuple[Any, bytes]]) -> Iterator[bytes]:
    """Yield the lines of pairs of a watermark and a line; where watermarks are equal, in the order of the lines.

    A database may return such rows in any order, and the order of texts depends on its collation. So texts count as
    equal here. A few lines are in memory, the others in temporary files.
    """
    for _, group in groupby(pairs, key=_tie):
        yield from _sorted(map(itemgetter(1), group))


def _tie(pair: tuple[Any, bytes]) -> Any:
    return "" if isinstance(pair[0], str) else pair[0]


def _sorted(lines: Iterator[bytes]) -> Iterator[bytes]:
    chunk = sorted(islice(lines, LINES_IN_MEMORY))
    if len(chunk) < LINES_IN_MEMORY:
        yield from chunk
        return
    with ExitStack() as files:
        chunks = []
        while chunk:
            chunks.append(files.enter_context(_spilled(chunk)))
            chunk = sorted(islice(lines, LINES_IN_MEMORY))
        yield from heapq.merge(*(map(bytes.rstrip, file) for file in chunks))


def _spilled(lines: list[bytes]) -> IO[bytes]:
    file = tempfile.TemporaryFile(prefix="sort-")  # noqa: SIM115 – the caller closes it
    file.writelines(line + b"\n" for line in lines)
    file.seek(0)
    return file
