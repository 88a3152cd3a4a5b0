"""Check a spec before anything is loaded: find its mistakes, and try a file against it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ml_platform.exceptions import ConfigurationError
from ml_platform.ingestion.label_values import loaded_other_value
from ml_platform.ingestion.loading import Counts, rejection_reason
from ml_platform.parsing.batches import BadValue, Batch, open_table, source_of, typed_batches
from ml_platform.parsing.column_warnings import ColumnWarnings
from ml_platform.parsing.conversion import allowed_values
from ml_platform.parsing.labels import class_text, label_values
from ml_platform.specs.catalog import NO_DRAFTS, catalog
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import tables
from ml_platform.training.search_plan import SearchPlan

SHOWN = 10


@dataclass
class Trial:
    """What a load of the file would do.

    Attributes:
        rows_read: valid and rejected rows together.
        rows_rejected: rows with a bad value, and `duplicate_rows`.
        duplicate_rows: rows of a training file with the key and the timestamps of an earlier row.
        bad_values: the first `SHOWN` bad values.
        refusal: why so many rejected rows would reject the whole file; "" if it would be loaded.
        warnings: what is unusual in the columns, a sentence each, such as columns that the spec does not list.
        format: the recognised format, for people.
    """

    rows_read: int = 0
    rows_rejected: int = 0
    duplicate_rows: int = 0
    bad_values: list[BadValue] = field(default_factory=list)
    refusal: str = ""
    warnings: list[str] = field(default_factory=list)
    format: str = ""

    @property
    def share(self) -> float:
        """The share of rejected rows, 0 to 1; 0 for an empty file."""
        return self.rows_rejected / self.rows_read if self.rows_read else 0.0


def problems(directory: Path, name: str | None = None, drafts: Mapping[str, str] = NO_DRAFTS) -> list[str]:
    """Return every mistake in the specs of a folder; an empty list if all are valid.

    Args:
        directory: the folder.
        name: of one data set or feature table, to check only that one.
        drafts: texts by names of files, in the place of those files.
    """
    specs = catalog(directory, drafts)
    texts = [*specs.problems]
    for table in (*specs.datasets, *specs.tables):
        path = directory / f"{table.name}.yaml"
        texts += _invalid_values(table, path)
        texts += _invalid_settings(table, path) if isinstance(table, Dataset) else ()
    return [text for text in texts if name is None or text.startswith(str(directory / f"{name}.yaml"))]


def _invalid_values(table: Table, path: Path) -> Iterator[str]:
    for name, column in table.columns.items():
        try:
            allowed_values(column)
        except ConfigurationError as error:
            yield f"{path}: columns.{name}: {error}"


def _invalid_settings(dataset: Dataset, path: Path) -> Iterator[str]:
    """Yield the mistakes that only the modules that use the spec can find: in label values and candidates."""
    try:
        label_values(dataset)
    except ConfigurationError as error:
        yield str(error).replace(f"datasets/{dataset.name}.yaml", str(path))
    try:
        SearchPlan.of(dataset)
    except ConfigurationError as error:
        yield f"{path}: {error}"


def incompatible_changes(directory: Path, name: str | None = None) -> list[str]:
    """Return what in the specs of a folder is incompatible with rows already loaded, so that the next load refuses it.

    Raises:
        ServiceError: Postgres is not available.
    """
    specs = catalog(directory)
    return [
        text
        for table in (*specs.datasets, *specs.tables)
        if name in (None, table.name)
        for text in tables.incompatible_changes(table)
    ]


def loaded_label(table: Table) -> str | None:
    """Return the label value of the loaded rows that the spec does not name; None if there is none, or it names all.

    Raises:
        ServiceError: Postgres is not available.
    """
    return loaded_other_value(table) if isinstance(table, Dataset) and table.label.names_positive_only else None


def try_file(table: Table, path: Path, purpose: Purpose, *, other_label: str | None = None) -> Trial:
    """Read a file as a load would, and load nothing.

    Args:
        table: the spec.
        path: of the file.
        purpose: whether it is for training or to be scored.
        other_label: see `loaded_label`; without it, the file's most frequent value but the positive one is allowed.

    Raises:
        ContractError: the file would be rejected as a whole, whatever its rows are.
        ConfigurationError: the file cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            return try_stream(table, stream, purpose, path.name, other_label=other_label)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def try_stream(table: Table, stream: BinaryIO, purpose: Purpose, name: str, *, other_label: str | None = None) -> Trial:
    """Read an open file as a load would, and load nothing; the stream stays open.

    Args:
        table: the spec; for a file with labels alone that of `label_files`.
        stream: the file's bytes, seekable.
        purpose: whether it is for training or to be scored.
        name: of the file, in errors.
        other_label: as for `try_file`.

    Raises:
        ContractError: the file would be rejected as a whole, whatever its rows are.
    """
    labels = None
    if purpose == "train" and isinstance(table, Dataset) and table.label.names_positive_only:
        labels = _LabelValues(table, other_label)
    source = None if table.has_key else source_of(stream)
    rows = open_table(stream, table, purpose, name)
    warnings, trial = ColumnWarnings(rows, table), Trial(format=str(rows.format))
    _read(table, purpose, warnings.watch(typed_batches(rows, table, purpose, source)), trial, labels)
    trial.warnings = warnings.texts()
    counts = Counts(trial.rows_read, 0, trial.rows_rejected)
    trial.refusal = rejection_reason(table, counts, table.inbox_prefix("train")) or ""
    return trial


def _read(
    table: Table, purpose: Purpose, batches: Iterator[Batch], trial: Trial, labels: "_LabelValues | None"
) -> None:
    columns = [*table.keys, *(column for column in (table.event_time, table.known_at) if column in table.columns)]
    keys: set[tuple[Any, ...]] = set()
    for batch in batches:
        trial.rows_read += batch.rows_read
        trial.rows_rejected += batch.rows_read - batch.rows.num_rows
        trial.bad_values += batch.bad[: SHOWN - len(trial.bad_values)]
        if purpose == "train" and table.has_key:  # equal rows without a key are different entities
            for key in zip(*(batch.rows[column].to_pylist() for column in columns), strict=True):
                trial.duplicate_rows += key in keys
                keys.add(key)
        if labels:
            labels.add(batch)
    trial.rows_rejected += trial.duplicate_rows
    if labels:
        third = labels.third_values()
        trial.rows_rejected += sum(labels.counts[bad.value] for bad in third)
        trial.bad_values += third[: SHOWN - len(trial.bad_values)]


class _LabelValues:
    """Counts the values of a label of which the spec names only the positive one."""

    def __init__(self, dataset: Dataset, other: str | None) -> None:
        self._column = dataset.label.column
        self._header = dataset.header(self._column)
        self._positive = label_values(dataset)[0]
        self._other = other
        self._first_lines: dict[str, int] = {}
        self.counts: Counter[str] = Counter()

    def add(self, batch: Batch) -> None:
        lines = batch.rows["line"].to_pylist()
        for line, value in zip(lines, batch.rows[self._column].to_pylist(), strict=True):
            if value != self._positive:
                self.counts[class_text(value)] += 1
                self._first_lines.setdefault(class_text(value), line)

    def third_values(self) -> list[BadValue]:
        """Return each value but the positive and the other one, with its first line."""
        if not self.counts:
            return []
        other = self._other or self.counts.most_common(1)[0][0]
        return [
            BadValue(
                line=self._first_lines[value],
                column=self._header,
                value=value,
                reason=f"not allowed, in {count:,} rows; allowed are {other}, {class_text(self._positive)}",
            )
            for value, count in self.counts.most_common()
            if value != other
        ]
