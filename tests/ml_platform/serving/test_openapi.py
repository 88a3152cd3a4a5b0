"""The description says what is answered: its example of a row is one."""

import json

import pytest

from ml_platform.serving import answers, openapi
from ml_platform.specs.catalog import datasets
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import make_dataset

LIMITED = make_dataset(
    columns={
        "COUNT": {"type": "integer", "min": 0.5, "max": 1.5},
        "RATIO": {"type": "number", "min": 0.5},
        "PRICE": {"type": "money", "max": -0.25},
        "SEEN": {"type": "timestamp", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"},
        "KIND": {"type": "category", "values": ["a", True]},
        "MORE": {"type": "number", "decimal": ",", "values": [1.5]},
    }
)


@pytest.mark.parametrize("dataset", [*datasets(), LIMITED], ids=lambda dataset: str(dataset.name))
def test_the_example_of_a_row_is_one_that_is_answered(dataset: Dataset) -> None:
    body = json.dumps({"rows": [openapi.row_example(dataset)]}).encode()
    assert answers.typed_rows(dataset, answers.asked(body)).num_rows == 1
