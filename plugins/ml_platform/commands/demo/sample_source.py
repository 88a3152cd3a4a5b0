"""A source of `make demo SOURCE=...`: it is filled with the training rows of a sample, in their order.

The number of a row is its offset, its primary key or its `_id`. So the rows that are there are known: a second demo
adds none, and one after an interruption adds the rest.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar

from ml_platform.commands.demo.source_spec import write_spec
from ml_platform.commands.samples import rows, sample
from stack import secrets
from stack.airflow_api import Airflow
from stack.config import Config

Row = dict[str, str | None]


class SampleSource(ABC):
    """A source that is filled with the training rows of a sample, and the data set that it belongs to.

    Attributes:
        kind: of the source.
        config: of the stack.
        sample_name: of the sample, which is also the name of its data set.
        dataset_name: of the data set whose rows come from the source.
    """

    kind: ClassVar[str]

    def __init__(self, config: Config, sample_name: str) -> None:
        """Connect to nothing yet.

        Raises:
            ConfigurationError: this source cannot be used here; the text says what to do.
        """
        self.config, self.sample_name = config, sample_name
        self.dataset_name = f"{self.kind}_{sample_name}"  # not the other way round: no name may begin with another's
        self.path = sample(f"train_{sample_name}")

    @property
    @abstractmethod
    def spec(self) -> dict[str, str]:
        """What the data set's YAML says after `source:`."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the rows are: a text for people."""

    @abstractmethod
    def connect(self, airflow: Airflow) -> None:
        """Give Airflow the connection with which tasks read the source."""

    @abstractmethod
    def count(self) -> int:
        """Return how many rows of the sample are in the source: the first ones.

        Raises:
            PlatformError: it cannot be reached, or refuses.
        """

    @abstractmethod
    def add(self, first: int, rows: Iterable[Row]) -> None:
        """Add rows, and wait until they are stored.

        Args:
            first: the number of the first of them.
            rows: the next ones of the sample: text by column; None where a cell is empty.

        Raises:
            PlatformError: it cannot be reached, or refuses.
        """

    def start(self) -> None:  # noqa: B027 – most kinds have nothing to start
        """Start the server of the source, where the stack starts without it."""

    def write_spec(self) -> Path | None:
        """Write the YAML of the data set; return its path, or None if it is there already.

        Raises:
            ConfigurationError: see `source_spec.write_spec`.
        """
        return write_spec(self.config.datasets_dir, self.sample_name, self.dataset_name, self.spec)

    def fill(self) -> int:
        """Add the training rows of the sample that are not there yet; return how many.

        Raises:
            PlatformError: the source cannot be reached, or refuses.
        """
        there = self.count()
        missing = list(islice(sample_rows(self.path), there, None))
        if missing:
            self.add(there, missing)
        return len(missing)


def sample_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a sample file; an empty cell is None."""
    for row in rows(path):
        yield {name: cell or None for name, cell in row.items()}


def setting(config: Config, name: str) -> str:
    """Return a variable of the environment or of the env file, which only containers read; empty if there is none."""
    return os.environ.get(name) or secrets.read(config.env_file).get(name, "")
