"""The check of a file's header; the reason says first what the file seems to be, and then which columns it lacks."""

import re
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import DELIMITERS, display_text
from ml_platform.files.reading import Rows
from ml_platform.files.source_rows import source_keys
from ml_platform.specs.label_files import LabelFiles, has_labels_alone
from ml_platform.specs.spec import Dataset, Table

HEADER_WITHIN = 20  # rows in which a header is looked for that is not on the first line
LISTED = 50  # columns of the file that a reason lists
RESULT_COLUMNS = {"probability", "prediction", "model_version"}  # of every result file
_NUMERAL = re.compile(r"[+-]?\s*[$€£¥]?\s*[0-9][0-9.,]*\s*[%$€£¥]?")


def check_header(names: list[str], needed: Collection[str], rows: Rows, table: Table) -> None:
    """Check the names of a file's columns.

    Args:
        names: the header, stripped.
        needed: the names that it must have.
        rows: the file; to find out what a wrong one is, this reads some of its rows.
        table: the spec.

    Raises:
        ContractError: names are missing or duplicate, or some are extra and the spec does not allow that.
    """
    line, known_names = rows.line, set(names)
    missing = [name for name in needed if name not in known_names]
    duplicates = _duplicates(names, table)
    if missing:
        raise _Mismatch(names, frozenset(needed), missing, duplicates, rows, table, line).error()
    if duplicates:
        raise _error(rows, line, duplicates)
    if has_labels_alone(table) and (problem := _labels_alone(names, table)):  # also where no feature is needed
        raise _error(rows, line, problem)
    allowed = {*(table.header(name).strip() for name in table.columns), *table.ignore, *source_keys(names)}
    extra = [name or "(no name)" for name in names if name not in allowed]
    if extra and table.on_extra_column == "reject_file":
        raise _error(rows, line, f"columns that datasets/{table.name}.yaml does not list: {_listed(extra)}")


def _duplicates(names: list[str], table: Table) -> str:
    counts = Counter(name for name in names if name and name not in table.ignore)
    twice = sorted(name for name, count in counts.items() if count > 1)
    return f"the header names a column twice: {_listed(twice)}" if twice else ""


def _labels_alone(names: list[str], table: Table) -> str:
    """Return the reason for a file with labels alone that is uploaded as a training file."""
    if not isinstance(table, Dataset) or not (table.has_key and table.own_features) or isinstance(table, LabelFiles):
        return ""
    needed = filter(None, (*table.keys, table.event_time, table.label.column))
    features = {table.header(name).strip() for name in table.own_features}
    if not {table.header(name).strip() for name in needed} <= set(names) or features & set(names):
        return ""
    return (
        "it names no features, so this looks like a file with labels alone: put it into the folder labels of the "
        f"bucket train, named {table.name}*; a file for training needs the features"
    )


def _error(rows: Rows, line: int, problem: str) -> ContractError:
    if rows.format.kind != "csv":
        return ContractError(f"{rows.name}: {problem}")
    return ContractError(f"{rows.name}: line {line}: {problem}", line=line)


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(display_text, names[:LISTED]))
    return shown if len(names) <= LISTED else f"{shown} and {len(names) - LISTED:,} more"


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


@dataclass(frozen=True)
class _Mismatch:
    """A header that lacks names.

    Attributes:
        names: the header.
        needed: the names that it must have.
        missing: those that it lacks.
        duplicates: a sentence about names that it has twice; "" if there are none.
        rows: the file.
        table: the spec.
        line: of the header.
    """

    names: list[str]
    needed: frozenset[str]
    missing: list[str]
    duplicates: str
    rows: Rows
    table: Table
    line: int

    def error(self) -> ContractError:
        if self.rows.format.kind == "csv" and (line := self._line_of_header()):
            above = "line 1 is" if line == 2 else f"lines 1 to {line - 1} are"
            return _error(self.rows, line, f"the header is on this line; {above} not part of the table")
        explanations: list[Callable[[], str]] = [self._is_result, self._is_for_scoring]
        explanations += [lambda: _labels_alone(self.names, self.table)]
        if self.rows.format.kind == "csv":
            explanations += [self._is_without_header, self._has_other_delimiter, lambda: self.duplicates]
        problem = next(filter(None, (explain() for explain in explanations)), "")
        return _error(self.rows, self.line, f"{problem}; {self._lacks()}" if problem else self._lacks())

    def _line_of_header(self) -> int | None:
        """Return the line of a later row that is the header; what only a training file has may be missing."""
        wanted = self.needed - self._training_names
        with suppress(ContractError):
            for cells in islice(self.rows, HEADER_WITHIN):
                # A title that was put before a whole file has the file's byte order mark behind it.
                if wanted <= {cell.removeprefix("\ufeff").strip() for cell in cells}:
                    return self.rows.line
        return None

    @property
    def _training_names(self) -> set[str]:
        return {self.table.header(name).strip() for name in (*self.table.label_columns, *self.table.withheld)}

    def _is_result(self) -> str:
        is_result = set(self.names) >= RESULT_COLUMNS
        return "the file is a result with predictions; upload the rows themselves" if is_result else ""

    def _is_for_scoring(self) -> str:
        """Return the reason for a test file that is uploaded as a training file."""
        label = [self.table.header(name).strip() for name in self.table.label_columns][:1]
        written_otherwise = {_plain(name) for name in self.names} & set(map(_plain, label))
        is_other = written_otherwise or isinstance(self.table, LabelFiles)
        if is_other or not set(label) <= set(self.missing) <= self._training_names:
            return ""
        return (
            f"only what a file to be scored does not need is missing, so this looks like one: put it into the bucket "
            f"test, named {self.table.inbox_pattern('test')}; a file for training needs the label"
        )

    def _is_without_header(self) -> str:
        known = set(map(_plain, self.needed))
        filled = [name for name in self.names if name]
        numerals = sum(bool(_NUMERAL.fullmatch(name)) for name in filled)
        if any(_plain(name) in known for name in filled) or numerals * 3 < max(len(filled), 1):
            return ""
        return "this line seems to hold values: the file has no header line, which must name the columns"

    def _has_other_delimiter(self) -> str:
        if len(self.names) > 1:
            return ""
        declared = self.table.delimiter
        for sign, word in DELIMITERS.items():
            if declared and sign != self.rows.format.delimiter and sign in self.names[0]:
                return (
                    f"the cells seem to be separated by {word}, but datasets/{self.table.name}.yaml says {declared!r}; "
                    f"save the file with that, or set `delimiter: {sign!r}` there"
                )
        return f"this line is one cell; cells must be separated by {', '.join(DELIMITERS.values())}"

    def _lacks(self) -> str:
        there = {_plain(name): name for name in self.names}
        hints = [self._hint(name, there.get(_plain(name), "")) for name in self.missing]
        lacks = ", ".join(f"{name}{hint}" for name, hint in zip(self.missing, hints, strict=True))
        template = (
            "the header lacks {}; it names {}" if self.rows.format.kind == "csv" else "the rows lack {}; they name {}"
        )
        return template.format(lacks, _listed(self.names)) + self._encoding_hint()

    @staticmethod
    def _hint(name: str, similar: str) -> str:
        if not similar:
            return ""
        return f" ({similar} is there: {'case counts' if similar.lower() == name.lower() else 'write it the same way'})"

    def _encoding_hint(self) -> str:
        broken = any("\udc80" <= character <= "\udcff" for cell in self.rows.header for character in cell)
        encoding = self.rows.format.encoding
        return f"; it is not valid {encoding}: declare the file's `encoding`" if broken else ""
