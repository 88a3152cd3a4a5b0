"""The cells of rejected rows in a CSV file: safe in spreadsheets, and read again as the original cells."""

import re
from collections.abc import Sequence

from ml_platform.files.formats import Native

HEADERS = ("rejected: line", "rejected: reason")  # the first two columns of every file of rejected rows
ROW_HEADER = "rejected: row"  # the third one where rows have no key: the row's number, as in the result
NATIVE = (
    "native:"  # precedes a `Native` cell; a value that a person types over it has no prefix and is an ordinary text
)

_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # lone surrogates, except those that represent undecodable bytes
_RISKY = re.compile(rf"'*([=+\-@\t\r]|{NATIVE})")
_PLAIN_NUMBER = re.compile(r"[+-]?\s*[$€£¥]?[0-9.,]+(e[+-]?[0-9]+)?", re.IGNORECASE)


def escape_cell(cell: str) -> str:
    """Return the text of a cell that can be written and that no spreadsheet runs as a formula.

    An apostrophe is put before a formula, and before a text that `original_cells` would otherwise change. Only a lone
    surrogate is lost: it becomes a replacement character.
    """
    if isinstance(cell, Native):
        return f"{NATIVE}{cell}"
    cell = _HALF.sub("\N{REPLACEMENT CHARACTER}", cell)
    return f"'{cell}" if _needs_guard(cell) else cell


def _needs_guard(cell: str) -> bool:
    return bool(_RISKY.match(cell)) and not _PLAIN_NUMBER.fullmatch(cell)


def added_columns(header: Sequence[str]) -> int:
    """Return how many columns a file of rejected rows has before those of the original file; 0 for any other file."""
    first, third = [cell.strip() for cell in header[: len(HEADERS)]], header[len(HEADERS) : len(HEADERS) + 1]
    if tuple(first) != HEADERS:
        return 0
    return len(HEADERS) + ([cell.strip() for cell in third] == [ROW_HEADER])


def original_cells(cells: Sequence[str], added: int) -> list[str]:
    """Return the original cells of a rejected row or of its header, without the columns that were added."""
    return [original_cell(cell) for cell in cells[added:]]


def original_cell(cell: str) -> str:
    """Return the text of which `escape_cell` made a cell."""
    if cell.startswith(NATIVE):
        return Native(cell.removeprefix(NATIVE))
    return cell[1:] if cell.startswith("'") and _needs_guard(cell[1:]) else cell
