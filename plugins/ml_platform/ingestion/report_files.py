"""The files beside an archived upload: a report for machines, one for people, and the rejected rows."""

import csv
import io
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO

from ml_platform.files.formats import Native
from ml_platform.files.reading import Rows, open_rows
from ml_platform.files.rejected_rows import HEADERS, ROW_HEADER, escape_cell

log = logging.getLogger(__name__)

DONE = {"train": "loaded", "test": "scored"}


def report_json(report: Mapping[str, Any]) -> bytes:
    """Return the report for machines, as JSON."""
    return json.dumps(report, indent=2, ensure_ascii=False).encode() + b"\n"


def summary(report: Mapping[str, Any]) -> str:
    """Return one line: the file, its rows read, loaded, rejected and already there, and its keys already known."""
    present = "yes" if report["outcome"] == "duplicate" else f"{report['rows_present']:,} rows"
    file_format = f" ({report['format']})" if report["format"] else ""
    unchanged, changed = report["keys_unchanged"], report["keys_changed"]
    keys = f"; known keys: {unchanged:,} unchanged, {changed:,} changed" if report["keys_known"] else ""
    return (
        f"{report['key']!r}{file_format}: {report['rows_read']:,} rows read, {report['rows_loaded']:,} loaded, "
        f"{report['rows_rejected']:,} rejected; already there: {'no' if present == '0 rows' else present}{keys}"
    )


def reason_texts(report: Mapping[str, Any]) -> list[str]:
    """Return the reasons as sentences; they count rows in a Parquet file and lines in any other."""
    unit = "row" if report["format"].startswith("Parquet") else "line"
    return [_reason_text(reason, unit) for reason in report["reasons"]]


def _reason_text(reason: Mapping[str, Any], unit: str) -> str:
    if not (reason["column"] or reason["value"]):  # about the whole file: the sentence names the line itself
        return str(reason["reason"])
    column = f", column {reason['column']}" if reason["column"] else ""
    return f"{unit} {reason['line']}{column}: {reason['value']!r}: {reason['reason']}"


def log_warnings(report: Mapping[str, Any]) -> None:
    """Write each warning of a report to the log."""
    for text in report["warnings"]:
        log.warning("%r: %s", report["key"], text)


def report_text(report: Mapping[str, Any]) -> bytes:
    """Return the report for the person who uploaded a rejected file."""
    lines = [
        f"The file {report['key']!r} was rejected. Nothing of it was {DONE[report['purpose']]}.",
        "",
        *(f"  - {text}" for text in reason_texts(report)),
        "",
        *([f"It was read as {report['format']}."] if report["format"] else []),
        *([f"Also unusual: {text}" for text in report["warnings"]]),
        f"These columns and values are allowed in this file (datasets/{report['dataset']}.yaml):",
        "",
        *(f"  - {text}" for text in report["allowed"]),
        "",
        *(
            [f"A file to start from, with the header and an example row: {report['template']}"]
            * bool(report["template"])
        ),
        "Fix the file or the YAML, and upload the file again.",
        f"The file is now at {report['archived_key']}; the SHA-256 of its bytes is {report['sha256']}.",
    ]
    return ("\n".join(lines) + "\n").encode()


def write_rejected(
    stream: BinaryIO,
    delimiter: str | None,
    encoding: str | None,
    bad: Iterable[tuple[int, str]],
    out: BinaryIO,
    *,
    is_numbered: bool = False,
) -> None:
    """Write the rejected rows of a file as CSV, each with its line and reasons, to be fixed and uploaded again.

    `open_rows` reads the same cells back from it, except lone surrogates.

    Args:
        stream: the file's bytes, whatever its format.
        delimiter: separates the cells of the file, and of the CSV that is written; None is a comma.
        encoding: of the file; only used for a text without a byte order mark.
        bad: line (`Rows.line`) and reason, ordered by line; the reasons of one line are joined.
        out: written to in UTF-8; both streams stay open.
        is_numbered: also write the number of each row in the file, from 1, which names the row where it has no key.
    """
    rows = open_rows(stream, "the file", delimiter=delimiter, encoding=encoding)
    # The byte order mark tells spreadsheets, and a spec that declares another encoding, that this is UTF-8.
    encoding_out = "utf-8" if rows.format.encoding == "utf-8" else "utf-8-sig"
    text = io.TextIOWrapper(out, encoding=encoding_out, errors="surrogateescape", newline="", write_through=True)
    writer = csv.writer(text, delimiter=delimiter or ",")
    added = [*HEADERS, ROW_HEADER] if is_numbered else HEADERS
    writer.writerow([*added, *map(escape_cell, rows.header)])
    for line, reasons, number, cells in _rejected_rows(rows, bad):
        numbers = [number] if is_numbered else []
        writer.writerow([line, escape_cell(reasons), *numbers, *map(escape_cell, _mark_native(rows, cells))])
    rows.close()
    text.detach()


def _rejected_rows(rows: Rows, bad: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str, int | str, list[str]]]:
    """Yield line, reasons, number and cells of each bad row; a row that is missing from the file has no number."""
    numbered = enumerate(rows, start=1)
    for line, reasons in groupby(bad, key=lambda entry: entry[0]):
        number, cells = next((row for row in numbered if rows.line == line), ("", list[str]()))
        yield line, "; ".join(reason for _, reason in reasons), number, cells


def _mark_native(rows: Rows, cells: list[str]) -> list[str]:
    """Return the cells; those of native columns become `Native`, because CSV has no types."""
    if not rows.native:
        return cells
    columns = zip(rows.header, cells, strict=False)  # a row that is missing from the file has no cells
    return [Native(cell) if cell and name in rows.native else cell for name, cell in columns]
