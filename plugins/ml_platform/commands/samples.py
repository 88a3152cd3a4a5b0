"""The sample files of the demo, under `minio/samples`."""

import csv
import gzip
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from ml_platform import ROOT
from ml_platform.exceptions import ConfigurationError

SAMPLES = ROOT / "minio" / "samples"


def sample(stem: str) -> Path:
    """Return the sample file of that name, with any suffix.

    Raises:
        ConfigurationError: there is none; the text lists the data sets that have a sample.
    """
    files = sorted(SAMPLES.glob(f"{stem}.*"))
    if not files:
        raise ConfigurationError(f"there is no sample {stem}.* in {SAMPLES}; there are: {', '.join(names())}")
    return files[0]


def names() -> list[str]:
    """Return the names of the data sets that have a sample."""
    return sorted(path.name.partition(".")[0].removeprefix("train_") for path in SAMPLES.glob("train_*"))


def rows(path: Path) -> Generator[dict[str, str]]:
    """Yield the rows of a CSV file, also gzipped: text by column."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def first_row(path: Path) -> dict[str, str]:
    """Return the first row of a CSV file, also gzipped: text by column."""
    with closing(rows(path)) as found:
        return next(found)
