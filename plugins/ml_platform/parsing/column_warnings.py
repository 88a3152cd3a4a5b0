"""Warnings about the columns of a file that is valid: extra, empty and constant ones, and a label of a single class."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.files.formats import display_text
from ml_platform.files.reading import Rows
from ml_platform.files.source_rows import source_keys
from ml_platform.parsing.batches import Batch
from ml_platform.specs.spec import Dataset, Table

FEW_ROWS = 10  # in a smaller file, a constant column says nothing
LISTED = 20  # names or values that a sentence lists


class ColumnWarnings:
    """Watches the batches of one file, and then says what is unusual about its columns."""

    def __init__(self, rows: Rows, table: Table) -> None:
        """Keep the header, before the first batch is read."""
        self._table = table
        names = [name.strip() for name in rows.header]
        known = {*(table.header(name).strip() for name in table.columns), *table.ignore, *source_keys(names)}
        self._extra = [name for name in names if name not in known]
        self._rows = 0
        self._present: dict[str, int] = {}
        self._values: dict[str, set[Any]] = {}

    def watch(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield the batches, and count what is in them."""
        for batch in batches:
            self._rows += batch.rows.num_rows
            for name in self._columns(batch.rows):
                self._count(name, batch.rows.column(name))
            yield batch

    def _columns(self, rows: pa.RecordBatch) -> list[str]:
        label = [self._table.label.column] if isinstance(self._table, Dataset) else []
        return [name for name in (*label, *self._table.own_features) if name in rows.schema.names]

    def _count(self, name: str, values: pa.Array) -> None:
        self._present[name] = self._present.get(name, 0) + len(values) - values.null_count
        if len(seen := self._values.setdefault(name, set())) < 2 and values.null_count < len(values):
            seen.update(pc.min_max(values).as_py().values())

    def texts(self) -> list[str]:
        """Return a sentence for each finding, so far."""
        if self._rows < FEW_ROWS:
            return self._extra_columns()
        columns = (self._about(name, present) for name, present in self._present.items())
        return [*self._extra_columns(), *filter(None, columns)]

    def _extra_columns(self) -> list[str]:
        if not self._extra:
            return []
        count = "1 column is" if len(self._extra) == 1 else f"{len(self._extra):,} columns are"
        where = f"datasets/{self._table.name}.yaml does not list"
        return [f"{count} ignored, which {where}: {listed([name or '(no name)' for name in self._extra])}"]

    def _about(self, name: str, present: int) -> str:
        header, rows = self._table.header(name), f"{self._rows:,} rows"
        if not present:
            return f"{header} has no value in any of the {rows}"
        if present < self._rows or len(self._values[name]) > 1:
            return ""
        (value,) = self._values[name]
        if isinstance(self._table, Dataset) and name == self._table.label.column:
            return f"the label {header} has a single class: it is {display_text(str(value))} in all {rows}"
        return f"{header} is {display_text(str(value))} in all {rows}"


def listed(names: list[str]) -> str:
    """Return names as a text, the first of many."""
    shown = ", ".join(map(display_text, names[:LISTED]))
    return shown if len(names) <= LISTED else f"{shown} and {len(names) - LISTED:,} more"
