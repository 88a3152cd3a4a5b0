"""The physical lines of a text file, decoded, with a limit on their length."""

import codecs
import io
import re
from typing import BinaryIO

from ml_platform.exceptions import ContractError

ROW_CHARACTERS = 4 * 2**20  # a longer row rejects the file; this bounds memory
# After an undecodable byte in these encodings, the start of the next character is unknown. All others extend ASCII: an
# undecodable byte becomes a lone surrogate and affects one cell only.
_STRICT = ("utf-16", "utf-32", "utf-7")


class TextLines:
    """Reads line by line; a line keeps its end: LF, CR LF or CR."""

    def __init__(self, stream: BinaryIO, encoding: str, name: str) -> None:
        """Read from a stream of bytes, which stays open; `name` is the file's name in errors."""
        strict = codecs.lookup(encoding).name.startswith(_STRICT)
        self._name, self._encoding = name, encoding
        self._text = io.TextIOWrapper(
            stream, encoding=encoding, errors="strict" if strict else "surrogateescape", newline=""
        )

    def read(self, number: int) -> str:
        """Return the next line with its end, at most `ROW_CHARACTERS` of it; "" at the end of the file.

        Args:
            number: number of the physical line, for errors.

        Raises:
            ContractError: bytes of this or a later line cannot be decoded.
        """
        try:
            return self._text.readline(ROW_CHARACTERS)
        except UnicodeDecodeError as error:
            # The wrapper decodes ahead: count the lines before the error.
            before = error.object[: error.start].decode(error.encoding, "replace")
            line = number + len(re.findall("\r\n?|\n", before))
            invalid = error.object[error.start : error.end].hex(" ")
            raise ContractError(
                f"{self._name}: line {line}: the bytes {invalid} are not valid {self._encoding.upper()}; save the file "
                "as UTF-8, or declare its `encoding`",
                line=line,
            ) from None

    def close(self) -> None:
        """Detach from the stream; it stays open."""
        self._text.detach()
