"""What stands beside an archived file: a report for machines, one for people, and the rejected rows themselves."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, BinaryIO

from ml_platform.csv_rows import Rows

FORMULA = re.compile(r"[=+\-@\t\r]")
PLAIN_NUMBER = re.compile(r"[+-]?\s*[$€£¥]?[0-9.,]+(e[+-]?[0-9]+)?", re.IGNORECASE)


def report_json(outcome: Mapping[str, Any]) -> bytes:
    """Return the report for machines: the outcome as it is, as JSON."""
    return json.dumps(outcome, indent=2, ensure_ascii=False).encode() + b"\n"


def summary(outcome: Mapping[str, Any]) -> str:
    """Return one line: the file, its rows and what became of them."""
    again = "yes" if outcome["outcome"] == "duplicate" else f"{outcome['rows_present']:,} rows"
    return (
        f"{outcome['key']!r}: {outcome['rows_read']:,} rows read, {outcome['rows_loaded']:,} loaded, "
        f"{outcome['rows_rejected']:,} rejected; already there: {'no' if again == '0 rows' else again}"
    )


def reason_text(reason: Mapping[str, Any]) -> str:
    """Return one reason as a sentence."""
    if reason["line"] is None:
        return str(reason["reason"])
    column = f", column {reason['column']}" if reason["column"] else ""
    return f"line {reason['line']}{column}: {reason['value']!r}: {reason['reason']}"


def report_text(outcome: Mapping[str, Any]) -> bytes:
    """Return the report for the person who dropped a file that was rejected."""
    lines = [
        f"The file {outcome['key']!r} was rejected. Nothing of it was loaded.",
        "",
        *(f"  - {reason_text(reason)}" for reason in outcome["reasons"]),
        "",
        f"What is allowed stands in datasets/{outcome['dataset']}.yaml. Mend the file or that YAML, drop it again.",
        f"The file lies at {outcome['archived_key']}; the SHA-256 of its bytes is {outcome['sha256']}.",
    ]
    return ("\n".join(lines) + "\n").encode()


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: what looks like one gets an apostrophe before it."""
    return f"'{cell}" if FORMULA.match(cell) and not PLAIN_NUMBER.fullmatch(cell) else cell


def write_rejected(stream: BinaryIO, delimiter: str, bad: Iterable[tuple[int, str]], out: BinaryIO) -> None:
    """Write the rejected rows of a file, each with its line and reasons, to be mended and dropped again.

    Args:
        stream: the file's bytes.
        delimiter: what separates its cells.
        bad: physical line and reason, ordered by line; several reasons of one line are joined.
        out: where to write, in UTF-8; both streams stay open.
    """
    text = io.TextIOWrapper(out, encoding="utf-8", errors="surrogateescape", newline="", write_through=True)
    writer = csv.writer(text, delimiter=delimiter)
    rows = Rows(stream, delimiter, "the file")
    cells = iter(rows)
    writer.writerow(["line", "reason", *map(harmless, next(cells, []))])
    writer.writerows(_rejected(rows, cells, bad))
    rows.close()
    text.detach()


def _rejected(rows: Rows, cells: Iterator[list[str]], bad: Iterable[tuple[int, str]]) -> Iterator[list[str]]:
    for line, reasons in groupby(bad, key=lambda entry: entry[0]):
        joined = "; ".join(reason for _, reason in reasons)
        found = next((row for row in cells if rows.line == line), [])
        yield [str(line), joined, *map(harmless, found)]
