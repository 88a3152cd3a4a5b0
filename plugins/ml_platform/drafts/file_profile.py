"""What the beginning of a file shows: how it is written, its columns, and what each of them seems to be."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from ml_platform.drafts.guessing import Guess, guess, quoted
from ml_platform.exceptions import ConfigurationError
from ml_platform.files.reading import Format, open_rows
from ml_platform.parsing.conversion import convert
from ml_platform.specs.parts import IDENTIFIER_CHARACTERS
from ml_platform.specs.spec import RESERVED_COLUMNS

PROFILED_ROWS = 200_000
_OTHER_ENCODINGS = ("cp1252", "latin-1")  # every byte is something in the last


@dataclass(frozen=True)
class Profile:
    """What the beginning of a file shows.

    Attributes:
        file: its name.
        form: how it is written.
        encoding: what the spec must say, if it is no UTF-8.
        rows: how many were looked at.
        is_cut: whether the file has more.
        guesses: per column, under the name that a spec can give it.
        cells: the texts of each column, shape (rows,).
        notes: what a person should look at.
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
        """Return a column's typed values, null where missing or wrong."""
        declared = self.guesses[name].column
        missing = {str(token) for token in declared.missing}
        texts = [None if cell.strip() in missing else cell for cell in self.cells[name]]
        return convert(pa.array(texts, pa.string()), declared)[0]


def profile(path: Path, longest: int = IDENTIFIER_CHARACTERS) -> Profile:
    """Look at the first `PROFILED_ROWS` rows of a file of any format that the platform reads.

    Args:
        path: the file.
        longest: so many characters a column's name may have; a longer header gets a shorter one.

    Raises:
        ContractError: the file is broken, or names a column twice.
        ConfigurationError: it cannot be read, or has no rows.
    """
    for encoding in (None, *_OTHER_ENCODINGS):
        form, header_row, read, is_cut = _beginning(path, encoding)
        if _is_text([header_row, *read]):
            break
    else:  # JSON can escape half a character, in any encoding: those cells will be rejected
        encoding = None
        form, header_row, read, is_cut = _beginning(path, encoding)
        read = [[cell.encode(errors="replace").decode() for cell in cells] for cells in read]
    if not read:
        raise ConfigurationError(f"{path}: no rows follow the header")
    headers = [header.strip() for header in header_row]
    if twins := [header for header, n in Counter(headers).items() if header and n > 1]:
        raise ConfigurationError(f"{path}: the header names a column twice: {', '.join(map(quoted, twins))}")
    names = column_names(headers, longest)
    cells = {names[h]: list(texts) for h, texts in zip(headers, zip(*read, strict=True), strict=True) if h}
    decimal = "," if form.delimiter == ";" else "."
    guesses = {names[h]: guess(h, cells[names[h]], decimal=decimal) for h in headers if h}
    notes = ["a column without a name in the header is not read"] if "" in headers else []
    if encoding:
        notes.append(f"the file is no UTF-8; that it is {encoding} is a guess: look at its special characters")
    return Profile(path.name, str(form), encoding, len(read), is_cut, guesses, cells, tuple(notes))


def _ascii(text: str) -> str:
    """Return a text without accents and umlauts."""
    spelled = text.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


def _beginning(path: Path, encoding: str | None) -> tuple[Format, list[str], list[list[str]], bool]:
    """Return how a file is written, its header, its first rows, and whether there are more."""
    try:
        with path.open("rb") as stream:
            rows = open_rows(stream, path.name, encoding=encoding)
            whole = (cells for cells in rows if not rows.faults)
            read = list(islice(whole, PROFILED_ROWS))
            is_cut = next(whole, None) is not None
            rows.close()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    return rows.format, rows.header, read, is_cut


def _is_text(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether all cells could be decoded; what could not stands in them as surrogates."""
    try:
        for cells in rows:
            "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True


def column_names(headers: Sequence[str], longest: int = IDENTIFIER_CHARACTERS) -> dict[str, str]:
    """Return per header the name that a spec can give the column: itself, if it can, or else made of its words.

    Args:
        headers: as the file calls the columns, each once.
        longest: so many characters a name may have.
    """
    names: dict[str, str] = {}
    for header in headers:
        name = header
        is_name = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) and len(name) <= longest and "__" not in name
        if not is_name or name.lower() in RESERVED_COLUMNS:
            room = longest - len("c_") - len(f"_{len(headers)}")  # for what may come before and after it
            name = re.sub("[^a-z0-9]+", "_", _ascii(header.lower())).strip("_")[:room].strip("_") or "column"
            name = f"c_{name}" if name[0].isdigit() or name in RESERVED_COLUMNS else name
        number = next(
            n for n in range(1, len(headers) + 2) if (name if n == 1 else f"{name}_{n}") not in names.values()
        )
        names[header] = name if number == 1 else f"{name}_{number}"
    return names
