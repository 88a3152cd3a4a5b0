"""Rejected rows go back to people as CSV, harmless to spreadsheets, and come in again as the cells that they were."""

import re
from collections.abc import Sequence

from ml_platform.files.formats import Native

HEADERS = ("rejected: line", "rejected: reason")  # the first two columns; a file that has them is one of these
NATIVE = "native:"  # before a cell that is `Native`; who writes another value over it writes a text as any other

_HALF = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # lone surrogates, but for those that stand for undecodable bytes
_GUARDED = re.compile(rf"'*([=+\-@\t\r]|{NATIVE})")
_PLAIN_NUMBER = re.compile(r"[+-]?\s*[$€£¥]?[0-9.,]+(e[+-]?[0-9]+)?", re.IGNORECASE)


def harmless(cell: str) -> str:
    """Return a cell that can be written, and that no spreadsheet takes for a formula: an apostrophe goes before one.

    One also goes before what `own_cells` would else take for written here; only half a character does not come back.
    """
    if isinstance(cell, Native):
        return f"{NATIVE}{cell}"
    cell = _HALF.sub("\N{REPLACEMENT CHARACTER}", cell)
    return f"'{cell}" if _is_guarded(cell) else cell


def _is_guarded(cell: str) -> bool:
    return bool(_GUARDED.match(cell)) and not _PLAIN_NUMBER.fullmatch(cell)


def are_returned(header: Sequence[str]) -> bool:
    """Return whether the rows under a header are rejected ones that were written here."""
    return tuple(cell.strip() for cell in header[: len(HEADERS)]) == HEADERS


def own_cells(cells: Sequence[str]) -> list[str]:
    """Return the cells that a rejected row, or its header, had in its own file: without line and reason."""
    return [_own(cell) for cell in cells[len(HEADERS) :]]


def _own(cell: str) -> str:
    if cell.startswith(NATIVE):
        return Native(cell.removeprefix(NATIVE))
    return cell[1:] if cell.startswith("'") and _is_guarded(cell[1:]) else cell
