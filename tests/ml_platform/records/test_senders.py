"""Who dropped a file is known by its key and the moment."""

from datetime import timedelta

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import actions, files, senders
from ml_platform.records.files import File
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def test_a_person_a_source_or_nobody_is_known(sample: Dataset) -> None:
    key = f"train_{sample.name}.a\nb.csv"
    with actions.recorded("ann", senders.DROP, dataset=sample.name, target=senders.target_of("train", key)):
        drop(sample, csv_bytes({"ID": "1"}), ".a\nb")
    drop(sample, csv_bytes({"ID": "1"}), "_other")
    drop(sample, csv_bytes({"ID": "1"}), ".sql-abcdef.1-2")
    found = senders.senders(sample, files.waiting(sample))
    assert {one.key.removeprefix(f"train_{sample.name}"): who for one, who in found.items()} == {
        ".a\nb.csv": "ann", ".sql-abcdef.1-2.csv": "source (sql)",
    }  # fmt: skip
    assert senders.senders(sample, []) == {}


def test_the_same_key_at_another_time_and_a_drop_that_failed_are_of_nobody(sample: Dataset) -> None:
    key = drop(sample, csv_bytes({"ID": "1"}))
    target = senders.target_of("train", key)

    def fail() -> None:
        with actions.recorded("ann", senders.DROP, dataset=sample.name, target=target):
            raise ServiceError("the store is full")

    with pytest.raises(ServiceError):
        fail()
    (file,) = files.waiting(sample)
    assert senders.senders(sample, [file]) == {}
    with actions.recorded("bob", senders.DROP, dataset=sample.name, target=target):
        pass
    assert senders.senders(sample, [file]) == {file: "bob"}
    assert file.uploaded_at
    later = File(**{**vars(file), "uploaded_at": file.uploaded_at + timedelta(days=1)})
    assert senders.senders(sample, [later]) == {}
