"""What can be said about a spec before anything is loaded: its mistakes, and what of a file it would reject."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.batches import BadValue, read_batches
from ml_platform.parsing.conversion import allowed_values
from ml_platform.parsing.labels import label_values
from ml_platform.specs.catalog import catalog
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table
from ml_platform.training.candidates import candidates

SHOWN = 10


@dataclass
class Trial:
    """What loading a file would do.

    Attributes:
        rows_read: good and bad rows together.
        rows_rejected: rows that a load would reject: with a bad value, or counted in `rows_of_known_keys`.
        rows_of_known_keys: rows of a training file that share key and clocks with an earlier one of it.
        bad: the first `SHOWN` bad values.
    """

    rows_read: int = 0
    rows_rejected: int = 0
    rows_of_known_keys: int = 0
    bad: list[BadValue] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of rows that is rejected."""
        return self.rows_rejected / self.rows_read if self.rows_read else 0.0


def problems(directory: Path, name: str | None = None) -> list[str]:
    """Return every mistake in the specs of a folder, or in one of them and what it joins; none is good news."""
    found = catalog(directory)
    texts = [*found.problems]
    for table in (*found.datasets, *found.tables):
        path = directory / f"{table.name}.yaml"
        texts += _wrong_values(table, path)
        texts += _deeper(table, path) if isinstance(table, Dataset) else ()
    return [text for text in texts if name is None or text.startswith(str(directory / f"{name}.yaml"))]


def _wrong_values(table: Table, path: Path) -> Iterator[str]:
    for name, column in table.columns.items():
        try:
            allowed_values(column)
        except ConfigurationError as error:
            yield f"{path}: columns.{name}: {error}"


def _deeper(dataset: Dataset, path: Path) -> Iterator[str]:
    """Yield what only the modules that use a spec can tell."""
    try:
        label_values(dataset)
    except ConfigurationError as error:
        yield str(error).replace(f"datasets/{dataset.name}.yaml", str(path))
    try:
        candidates(dataset.search)
    except ConfigurationError as error:
        yield f"{path}: {error}"


def read(table: Table, path: Path, purpose: Purpose) -> Trial:
    """Read a file as a load would.

    Raises:
        ContractError: the file would be rejected as a whole.
        ConfigurationError: it cannot be opened.
    """
    trial, seen = Trial(), set()
    columns = [*table.keys, *(column for column in (table.event_time, table.known_at) if column in table.columns)]
    try:
        with path.open("rb") as stream:
            for batch in read_batches(stream, table, purpose, path.name):
                trial.rows_read += batch.rows_read
                trial.rows_rejected += batch.rows_read - batch.rows.num_rows
                trial.bad += batch.bad[: SHOWN - len(trial.bad)]
                if purpose == "train":
                    for key in zip(*(batch.rows[column].to_pylist() for column in columns), strict=True):
                        trial.rows_of_known_keys += key in seen
                        seen.add(key)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    trial.rows_rejected += trial.rows_of_known_keys
    return trial
