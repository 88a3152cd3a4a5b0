"""Data sets whose rows have no key, made of those that have one."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import GOOD


def without_key(dataset: Dataset, **changes: Any) -> Dataset:
    """Return a data set without its key, under the same or another name; its files may still have the key's column."""
    declared = dataset.model_dump(exclude={"tables"})
    headers = [dataset.header(key) for key in dataset.entity.key]
    columns = {name: column for name, column in declared["columns"].items() if name not in dataset.entity.key}
    without = {"entity": {"name": "row"}, "columns": columns, "ignore": [*dataset.ignore, *headers]}
    return Dataset.model_validate(declared | without | changes).model_copy(update={"tables": dataset.tables})


def csv_of(rows: Iterable[dict[str, str]], names: Iterable[str] = [name for name in GOOD if name != "ID"]) -> bytes:
    """Return a CSV file without the column of the key; each row is `GOOD` with some cells changed."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(names), extrasaction="ignore")
    writer.writeheader()
    writer.writerows(GOOD | row for row in rows)
    return text.getvalue().encode()
