"""Check a spec before anything is loaded: find its mistakes, and try a file against it."""

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
    """What a load of the file would do.

    Attributes:
        rows_read: valid and rejected rows together.
        rows_rejected: rows with a bad value, and `duplicate_rows`.
        duplicate_rows: rows of a training file with the key and the timestamps of an earlier row.
        bad_values: the first `SHOWN` bad values.
    """

    rows_read: int = 0
    rows_rejected: int = 0
    duplicate_rows: int = 0
    bad_values: list[BadValue] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of rejected rows, 0 to 1; 0 for an empty file."""
        return self.rows_rejected / self.rows_read if self.rows_read else 0.0


def problems(directory: Path, name: str | None = None) -> list[str]:
    """Return every mistake in the specs of a folder; an empty list if all are valid.

    Args:
        directory: the folder.
        name: of one data set or feature table, to check only that one.
    """
    specs = catalog(directory)
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
        candidates(dataset.search)
    except ConfigurationError as error:
        yield f"{path}: {error}"


def try_file(table: Table, path: Path, purpose: Purpose) -> Trial:
    """Read a file as a load would, and load nothing.

    Raises:
        ContractError: the file would be rejected as a whole.
        ConfigurationError: the file cannot be opened.
    """
    trial, keys = Trial(), set()
    columns = [*table.keys, *(column for column in (table.event_time, table.known_at) if column in table.columns)]
    try:
        with path.open("rb") as stream:
            for batch in read_batches(stream, table, purpose, path.name):
                trial.rows_read += batch.rows_read
                trial.rows_rejected += batch.rows_read - batch.rows.num_rows
                trial.bad_values += batch.bad[: SHOWN - len(trial.bad_values)]
                if purpose == "train":
                    for key in zip(*(batch.rows[column].to_pylist() for column in columns), strict=True):
                        trial.duplicate_rows += key in keys
                        keys.add(key)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    trial.rows_rejected += trial.duplicate_rows
    return trial
