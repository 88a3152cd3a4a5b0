"""What identifies a row in results and answers: its key, or its number."""

import io

import pyarrow as pa

from ml_platform.parsing.batches import read_batches
from ml_platform.scoring.row_identity import identity_fields, identity_values
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import csv_bytes, make_dataset
from tests.ml_platform.keyless import without_key

DATA = csv_bytes({"ID": "7"}, {"ID": "8", "COUNT": "many"}, {"ID": "9"})


def identities(dataset: Dataset) -> list[dict[str, object]]:
    (batch,) = read_batches(io.BytesIO(DATA), dataset, "test", "a.csv")
    table = pa.Table.from_arrays(identity_values(dataset, batch.rows), schema=pa.schema(identity_fields(dataset)))
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


def test_a_row_with_a_key_is_named_by_it_as_in_the_file() -> None:
    dataset = make_dataset(columns={"ID": {"type": "integer", "header": "ID"}})
    assert identities(dataset) == [{"ID": 7}, {"ID": 9}]
    composite = make_dataset(entity={"name": "t", "key": ["ID", "KIND"]})
    assert identities(composite)[0] == {"ID": 7, "KIND": "Blue Collar"}


def test_a_row_without_a_key_is_named_by_its_number_and_bad_rows_count() -> None:
    assert identities(without_key(make_dataset())) == [{"row": 1}, {"row": 3}]
