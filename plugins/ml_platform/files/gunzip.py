"""Reading a gzip file as a stream; broken files and decompression bombs are rejected."""

import gzip
import io
import zlib
from typing import Any, BinaryIO

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import unpacked_limit

MAGIC = b"\x1f\x8b"
BUFFER_BYTES = 64 * 2**10


class _Unpacked(io.RawIOBase):
    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._name = name
        self._limit = unpacked_limit(stream.seek(0, io.SEEK_END))
        stream.seek(0)
        self._gzip = gzip.GzipFile(fileobj=stream)
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._gzip.read(len(buffer))
        except EOFError:
            raise ContractError(f"{self._name}: the gzip file ends too early; it may be cut off") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise ContractError(f"{self._name}: the gzip file is broken: {error}") from None
        self._size += len(data)
        if self._size > self._limit:
            raise ContractError(f"{self._name}: the gzip file holds more than {self._limit:,} bytes; drop it unpacked")
        buffer[: len(data)] = data
        return len(data)


def unpack(stream: BinaryIO, name: str) -> BinaryIO:
    """Return the unpacked bytes of a gzip file as a stream, from the beginning; `stream` stays open.

    Reading raises ContractError if the file is broken, cut off or followed by other data, or if it unpacks to more than
    `unpacked_limit` allows.
    """
    return io.BufferedReader(_Unpacked(stream, name), BUFFER_BYTES)
