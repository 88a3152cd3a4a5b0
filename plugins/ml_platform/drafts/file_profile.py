"""Profile the first rows of a file: its format, its columns, and the likely type of each."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from ml_platform.drafts.guessing import Guess, guess_column, quoted
from ml_platform.exceptions import ConfigurationError
from ml_platform.files.reading import Format, open_rows
from ml_platform.parsing.conversion import convert
from ml_platform.specs.parts import IDENTIFIER_CHARACTERS
from ml_platform.specs.spec import RESERVED_COLUMNS

PROFILED_ROWS = 200_000
_OTHER_ENCODINGS = ("cp1252", "latin-1")  # latin-1 last: it decodes every byte


@dataclass(frozen=True)
class Profile:
    """The first rows of a file.

    Attributes:
        file: the file's name.
        form: the format, as a text for people.
        encoding: the encoding to declare in the spec; None for UTF-8.
        rows: how many rows were read.
        is_cut: whether the file has more rows.
        guesses: the guess per column, under the name that a spec can give it.
        cells: the texts of each column, shape (rows,).
        notes: what a person must check, one sentence each.
    """

    file: str
    form: str
    encoding: str | None
    rows: int
    is_cut: bool
    guesses: dict[str, Guess]
    cells: dict[str, list[str]]
    notes: tuple[str, ...]

    def values(self, name: str) -> pa.Array:
        """Return a column's typed values, shape (rows,); null for a missing or invalid text."""
        declared = self.guesses[name].column
        missing = {str(token) for token in declared.missing}
        texts = [None if cell.strip() in missing else cell for cell in self.cells[name]]
        return convert(pa.array(texts, pa.string()), declared)[0]


def profile_file(path: Path, longest: int = IDENTIFIER_CHARACTERS, most: int = PROFILED_ROWS) -> Profile:
    """Profile the first rows of a file, in any format that the platform reads.

    Args:
        path: the file.
        longest: the most characters a column's name may have; a longer header is shortened.
        most: how many rows are read.

    Raises:
        ContractError: the file cannot be parsed.
        ConfigurationError: the file cannot be opened, has no rows, or names a column twice.
    """
    for encoding in (None, *_OTHER_ENCODINGS):
        form, header_row, read, is_cut = _beginning(path, encoding, most)
        if _is_text([header_row, *read]):
            break
    else:  # JSON can escape half a surrogate pair, in any encoding: those cells will be rejected
        encoding = None
        form, header_row, read, is_cut = _beginning(path, encoding, most)
        read = [[cell.encode(errors="replace").decode() for cell in cells] for cells in read]
    if not read:
        raise ConfigurationError(f"{path}: no rows follow the header")
    headers = [header.strip() for header in header_row]
    if duplicates := [header for header, n in Counter(headers).items() if header and n > 1]:
        raise ConfigurationError(f"{path}: the header names a column twice: {', '.join(map(quoted, duplicates))}")
    names = column_names(headers, longest)
    cells = {names[h]: list(texts) for h, texts in zip(headers, zip(*read, strict=True), strict=True) if h}
    decimal = "," if form.delimiter == ";" else "."
    guesses = {names[h]: guess_column(h, cells[names[h]], decimal=decimal) for h in headers if h}
    notes = ["a column without a header is not read"] if "" in headers else []
    if encoding:
        notes.append(f"the file is not UTF-8; {encoding} is a guess: check its special characters")
    return Profile(path.name, str(form), encoding, len(read), is_cut, guesses, cells, tuple(notes))


def _ascii(text: str) -> str:
    """Return a text in ASCII, accents and umlauts spelled out or dropped."""
    spelled = text.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


def _beginning(path: Path, encoding: str | None, most: int) -> tuple[Format, list[str], list[list[str]], bool]:
    """Return the file's format, its header, its first rows, and whether it has more."""
    try:
        with path.open("rb") as stream:
            rows = open_rows(stream, path.name, encoding=encoding)
            valid = (cells for cells in rows if not rows.faults)
            read = list(islice(valid, most))
            is_cut = next(valid, None) is not None
            rows.close()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    return rows.format, rows.header, read, is_cut


def _is_text(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether all cells could be decoded; bytes that could not are surrogates in them."""
    try:
        for cells in rows:
            "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def column_names(headers: Sequence[str], longest: int = IDENTIFIER_CHARACTERS) -> dict[str, str]:
    """Return a valid and unique column name per header: the header itself if valid, or else its words in ASCII.

    Args:
        headers: of the file, without duplicates.
        longest: the most characters a name may have.
    """
    names: dict[str, str] = {}
    for header in headers:
        name = header
        is_name = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) and len(name) <= longest and "__" not in name
        if not is_name or name.lower() in RESERVED_COLUMNS:
            room = longest - len("c_") - len(f"_{len(headers)}")  # space for the prefix and the number below
            name = re.sub("[^a-z0-9]+", "_", _ascii(header.lower())).strip("_")[:room].strip("_") or "column"
            name = f"c_{name}" if name[0].isdigit() or name in RESERVED_COLUMNS else name
        number = next(
            n for n in range(1, len(headers) + 2) if (name if n == 1 else f"{name}_{n}") not in names.values()
        )
        names[header] = name if number == 1 else f"{name}_{number}"
    return names
