"""The physical lines of a text file, decoded, and bounded in length."""

import codecs
import io
import re
from typing import BinaryIO

from ml_platform.exceptions import ContractError

ROW_CHARACTERS = 4 * 2**20  # a longer row rejects the file, so that memory stays bounded
# Bytes that these cannot decode leave open where the next character begins. All others extend ASCII: what they cannot
# decode stands in the text as lone surrogates, and spoils one cell only.
_STRICT = ("utf-16", "utf-32", "utf-7")


class TextLines:
    """Reads line by line; a line ends with LF, CR LF or CR, as the file has it."""

    def __init__(self, stream: BinaryIO, encoding: str, name: str) -> None:
        """Read from a stream of bytes, which stays open; `name` is what errors call it."""
        strict = codecs.lookup(encoding).name.startswith(_STRICT)
        self._name, self._encoding = name, encoding
        self._text = io.TextIOWrapper(
            stream, encoding=encoding, errors="strict" if strict else "surrogateescape", newline=""
        )

    def read(self, number: int) -> str:
        """Return the next line with its end, or the first `ROW_CHARACTERS` of it; "" at the end of the file.

        Args:
            number: the physical line that is read, for errors.

        Raises:
            ContractError: bytes from here on cannot be decoded.
        """
        try:
            return self._text.readline(ROW_CHARACTERS)
        except UnicodeDecodeError as error:
            # It decodes ahead, so the line is found by what could still be decoded.
            before = error.object[: error.start].decode(error.encoding, "replace")
            line = number + len(re.findall("\r\n?|\n", before))
            wrong = error.object[error.start : error.end].hex(" ")
            raise ContractError(
                f"{self._name}: line {line}: the bytes {wrong} are not valid {self._encoding.upper()}; save the file "
                "as UTF-8, or declare its `encoding`"
            ) from None

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.detach()
