"""What stands beside an archived file: a report for machines, one for people, and the rejected rows themselves."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO

from ml_platform.files.formats import Native
from ml_platform.files.reading import Rows, open_rows
from ml_platform.files.rejected_rows import HEADERS, escape_cell


def report_json(report: Mapping[str, Any]) -> bytes:
    """Return the report for machines: the outcome as it is, as JSON."""
    return json.dumps(report, indent=2, ensure_ascii=False).encode() + b"\n"


def summary(report: Mapping[str, Any]) -> str:
    """Return one line: the file, its rows and what became of them."""
    again = "yes" if report["outcome"] == "duplicate" else f"{report['rows_present']:,} rows"
    form = f" ({report['format']})" if report["format"] else ""
    return (
        f"{report['key']!r}{form}: {report['rows_read']:,} rows read, {report['rows_loaded']:,} loaded, "
        f"{report['rows_rejected']:,} rejected; already there: {'no' if again == '0 rows' else again}"
    )


def reason_texts(report: Mapping[str, Any]) -> list[str]:
    """Return the reasons as sentences; a Parquet file has rows, any other lines."""
    unit = "row" if report["format"].startswith("Parquet") else "line"
    return [_reason_text(reason, unit) for reason in report["reasons"]]


def _reason_text(reason: Mapping[str, Any], unit: str) -> str:
    if reason["line"] is None:
        return str(reason["reason"])
    column = f", column {reason['column']}" if reason["column"] else ""
    return f"{unit} {reason['line']}{column}: {reason['value']!r}: {reason['reason']}"


def report_text(report: Mapping[str, Any]) -> bytes:
    """Return the report for the person who dropped a file that was rejected."""
    lines = [
        f"The file {report['key']!r} was rejected. Nothing of it was loaded.",
        "",
        *(f"  - {text}" for text in reason_texts(report)),
        "",
        *([f"It was read as {report['format']}."] if report["format"] else []),
        f"What is allowed stands in datasets/{report['dataset']}.yaml. Mend the file or that YAML, drop it again.",
        f"The file lies at {report['archived_key']}; the SHA-256 of its bytes is {report['sha256']}.",
    ]
    return ("\n".join(lines) + "\n").encode()


def write_rejected(
    stream: BinaryIO, delimiter: str | None, encoding: str | None, bad: Iterable[tuple[int, str]], out: BinaryIO
) -> None:
    """Write the rejected rows of a file as CSV, each with its line and reasons, to be mended and dropped again.

    What `open_rows` reads of it are the cells of the file, but for half characters.

    Args:
        stream: the file's bytes, whatever its format.
        delimiter: what separates its cells, and those that are written; None is a comma.
        encoding: of the file, if it is a text without a byte order mark.
        bad: line (`Rows.line`) and reason, ordered by line; several reasons of one line are joined.
        out: where to write, in UTF-8; both streams stay open.
    """
    rows = open_rows(stream, "the file", delimiter=delimiter, encoding=encoding)
    # A byte order mark says UTF-8 to a spec that declares another encoding, and to spreadsheets.
    marked = "utf-8" if rows.format.encoding == "utf-8" else "utf-8-sig"
    text = io.TextIOWrapper(out, encoding=marked, errors="surrogateescape", newline="", write_through=True)
    writer = csv.writer(text, delimiter=delimiter or ",")
    writer.writerow([*HEADERS, *map(escape_cell, rows.header)])
    writer.writerows(_rejected(rows, bad))
    rows.close()
    text.detach()


def _rejected(rows: Rows, bad: Iterable[tuple[int, str]]) -> Iterator[list[str]]:
    cells = iter(rows)
    for line, reasons in groupby(bad, key=lambda entry: entry[0]):
        joined = "; ".join(reason for _, reason in reasons)
        found = next((row for row in cells if rows.line == line), [])
        yield [str(line), escape_cell(joined), *map(escape_cell, _marked(rows, found))]


def _marked(rows: Rows, cells: list[str]) -> list[str]:
    """Return the cells with those of native columns as `Native`, which CSV has no type for."""
    if not rows.native:
        return cells
    columns = zip(rows.header, cells, strict=False)  # a row that is not found any more has no cells
    return [Native(cell) if cell and name in rows.native else cell for name, cell in columns]
