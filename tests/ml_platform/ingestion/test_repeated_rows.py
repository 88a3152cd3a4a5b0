"""A file without a key that seems to replace an earlier one: a warning names both. On a real Postgres."""

import pytest

from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name
from tests.ml_platform.keyless import csv_of, without_key

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

ROWS = [{"RATIO": str(i)} for i in range(10)]


@pytest.fixture
def sample() -> Dataset:
    return without_key(make_dataset(new_name()))


def repeats(report: UploadReport) -> list[str]:
    return [text for text in report["warnings"] if "at the same place" in text]


def test_a_grown_file_is_said_to_repeat_the_one_with_most_of_its_rows(sample: Dataset) -> None:
    ingest(sample, csv_of(ROWS[:4]), "_small")
    first = ingest(sample, csv_of(ROWS))
    grown = ingest(sample, csv_of([*ROWS, {"RATIO": "11"}]), "_grown")
    assert (grown["rows_loaded"], grown["rows_present"]) == (11, 0)
    (warning,) = repeats(grown)
    assert warning == (
        f"10 of 11 rows are as in 'train_{sample.name}.csv', at the same place; without a key they are loaded once "
        "more; if this file replaces that one, take that one back: "
        f"./ml-platform uploads withdraw {sample.name} {first['sha256'][:12]} --reason ..."
    )


@pytest.mark.parametrize(
    "rows",
    [
        [{"RATIO": str(100 + i)} for i in range(10)],
        ROWS[::-1],
        [*ROWS[:4], *({"RATIO": str(20 + i)} for i in range(6))],
    ],
    ids=["other rows", "another order", "fewer than half"],
)
def test_other_files_are_not(sample: Dataset, rows: list[dict[str, str]]) -> None:
    assert repeats(ingest(sample, csv_of(ROWS))) == []
    assert repeats(ingest(sample, csv_of(rows), "_other")) == []


def test_with_a_key_nothing_is_said_because_such_rows_are_already_there() -> None:
    keyed = make_dataset(new_name())
    rows = [row | {"ID": str(i)} for i, row in enumerate(ROWS)]
    ingest(keyed, csv_bytes(*rows))
    again = ingest(keyed, csv_bytes(*rows, {"ID": "11"}), "_grown")
    assert (again["rows_present"], repeats(again)) == (10, [])
