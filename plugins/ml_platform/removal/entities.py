"""The entities to erase: their typed keys, and how they are found in rows of texts."""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa

from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.files.formats import Rows, escape_text
from ml_platform.files.rejected_rows import original_cell
from ml_platform.parsing.conversion import convert
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.parts import Column
from ml_platform.specs.spec import Table
from ml_platform.storage.database import fetch

BATCH_ROWS = 20_000
Key = tuple[Any, ...]


class _Entry(NamedTuple):
    """A row: its line, the number of its physical lines, and the texts of its key; of a faulty row all its cells."""

    line: int
    height: int
    texts: list[str]
    is_faulty: bool


@dataclass(frozen=True)
class Entities:
    """Some entities of a table.

    Attributes:
        table: the spec.
        keys: their typed keys, each with the values of all key columns.
        headers: by key column, the names that it has or had in files.
    """

    table: Table
    keys: frozenset[Key]
    headers: dict[str, tuple[str, ...]] = field(hash=False)

    def batch(self) -> pa.RecordBatch:
        """Return the keys as typed columns, shape (n_entities, n_keys), sorted."""
        types = {name: ARROW_TYPES[self.table.columns[name].type] for name in self.table.keys}
        columns = zip(*sorted(self.keys), strict=True)
        arrays = [pa.array(values, kind) for values, kind in zip(columns, types.values(), strict=True)]
        return pa.RecordBatch.from_arrays(arrays, list(types))

    def lines_in(self, rows: Rows, *, is_guarded: bool = False) -> Iterator[tuple[int, int]]:
        """Yield line (`Rows.line`) and number of physical lines of each row about one of the entities.

        The cells of a faulty row may be shifted. It counts as a row of an entity if it has the entity's key anywhere.

        Args:
            rows: of an open file.
            is_guarded: its cells may be guarded against spreadsheets as `escape_cell` does it.

        Raises:
            ContractError: the file has no key, or is broken.
        """
        entries = self._entries(rows, is_guarded=is_guarded)
        while part := list(islice(entries, BATCH_ROWS)):
            sound = [entry for entry in part if not entry.is_faulty]
            found = {entry.line for entry, key in zip(sound, self._typed(sound), strict=True) if key in self.keys}
            found |= {entry.line for entry in part if entry.is_faulty and self._mentioned(entry.texts)}
            yield from ((entry.line, entry.height) for entry in part if entry.line in found)

    def _positions(self, header: Sequence[str]) -> list[int]:
        names = [escape_text(cell.strip()) for cell in header]
        positions = []
        for key in self.table.keys:
            there = [name for name in self.headers[key] if name in names]
            if not there:
                raise ContractError(f"no column is named {' or '.join(self.headers[key])}")
            positions.append(names.index(there[0]))
        return positions

    def _entries(self, rows: Rows, *, is_guarded: bool) -> Iterator[_Entry]:
        positions = self._positions(rows.header)
        for cells in rows:
            texts = cells if rows.faults else [cells[position] for position in positions]
            height = len(getattr(rows, "raw", ())) or 1
            yield _Entry(rows.line, height, list(map(original_cell, texts)) if is_guarded else texts, bool(rows.faults))

    def _typed(self, entries: Sequence[_Entry]) -> Iterator[Key]:
        columns = [
            _values(self.table, name, [entry.texts[i] for entry in entries]) for i, name in enumerate(self.table.keys)
        ]
        return zip(*columns, strict=True)

    def _mentioned(self, cells: Collection[str]) -> bool:
        text = " ".join(cells)
        return any(all(re.search(rf"(?<!\w){re.escape(str(part))}(?!\w)", text) for part in key) for key in self.keys)


def _values(table: Table, name: str, texts: Sequence[str]) -> list[Any]:
    """Return typed key values, None for texts that are none."""
    cleaned = [escape_text(text) for text in texts]
    values, _ = convert(pa.array(cleaned, pa.string()), _unlimited(table.columns[name]), missing=table.missing)
    typed: list[Any] = values.to_pylist()
    return typed


def find_entities(table: Table, keys: Sequence[str]) -> Entities:
    """Return the entities of some keys, written as in the files.

    Args:
        table: the spec.
        keys: a text per entity; of a key of several columns the values, separated by commas and quoted as in CSV.

    Raises:
        ConfigurationError: the table has no key, a key has the wrong number of values, or a value is not of its
            column's type.
        ServiceError: Postgres is not available.
    """
    if not table.has_key:
        raise ConfigurationError(
            f"{table.name} has no key by which the rows of one entity could be found; take back the uploads that hold "
            f"them, ./ml-platform uploads withdraw {table.name} ID --reason ..., and drop the files without these rows"
        )
    parts = [_parts(table, key) for key in keys]
    columns = [_typed_column(table, name, [part[i] for part in parts]) for i, name in enumerate(table.keys)]
    return Entities(table, frozenset(zip(*columns, strict=True)), _headers(table))


def _parts(table: Table, key: str) -> list[str]:
    if len(table.keys) == 1:
        return [key]
    parts = next(csv.reader([key]), [])
    if len(parts) != len(table.keys):
        names = ", ".join(map(table.header, table.keys))
        raise ConfigurationError(f"{key!r} has {len(parts)} values, but a key of {table.name} is {names}")
    return parts


def _unlimited(column: Column) -> Column:
    """Return the column without limits: rows of an earlier spec, and rejected ones, may have keys beyond them."""
    return column.model_copy(update={"min": None, "max": None, "values": None})


def _typed_column(table: Table, name: str, texts: list[str]) -> list[Any]:
    column = _unlimited(table.columns[name])
    values, reasons = convert(pa.array(texts, pa.string()), column, required=True, missing=table.missing)
    for i, reason in reasons.items():
        raise ConfigurationError(f"{table.header(name)} {texts[i]!r}: {reason}")
    typed: list[Any] = values.to_pylist()
    return typed


def _headers(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the names of each key column in files, now and in earlier versions of the spec."""
    earlier = fetch(
        "SELECT spec->'columns' #>> array[k, 'header'], k FROM uploads.specs, unnest(string_to_array($2, E'\\n')) k"
        " WHERE name = $1",
        *(table.name, "\n".join(table.keys)),
    )
    names = {key: {table.header(key).strip()} for key in table.keys}
    for header, key in earlier:
        names[key].add((header or key).strip())
    return {key: tuple(sorted(found)) for key, found in names.items()}
