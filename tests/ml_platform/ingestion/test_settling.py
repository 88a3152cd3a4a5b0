"""A file leaves the inbox with its report and its rejected rows, also after a crash."""

import pytest

from ml_platform.ingestion import settling, uploads
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import (
    assert_accounted,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    many,
    new_name,
    rows_in,
    waiting_keys,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def keys_of(dataset: Dataset, folder: str) -> list[str]:
    return [version.key for version in object_store.list_objects("train", f"{folder}/train_{dataset.name}")]


def test_every_step_can_be_run_again(sample: Dataset) -> None:
    key = drop(sample, csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x"}, {"ID": "3"}))
    first = uploads.load(sample, "train", key)
    assert uploads.load(sample, "train", key) == first
    assert settling.settle(first) == first
    before = [
        (version.key, version.etag, version.last_modified)
        for version in object_store.list_objects("train", "processed/")
    ]
    assert settling.settle(first) == first
    assert uploads.load(sample, "train", key) == first
    assert [
        (version.key, version.etag, version.last_modified)
        for version in object_store.list_objects("train", "processed/")
    ] == before
    assert_accounted(sample, first)


def test_a_crash_between_copy_and_deletion_is_fixed(sample: Dataset) -> None:
    key = drop(sample, many(3))
    report = uploads.load(sample, "train", key)
    version = object_store.head("train", key)
    assert version is not None
    object_store._copy(version, report["archived_key"])
    settling.settle(uploads.load(sample, "train", key))
    assert object_store.head("train", key) is None


def test_bad_rows_are_set_aside_with_their_reasons(sample: Dataset) -> None:
    data = csv_bytes(
        {"ID": "1"}, {"ID": "2", "RATIO": "NA", "NOTE": "=1+1"}, {"ID": "3"}, {"ID": "1", "NOTE": "duplicate"}
    )
    report = ingest(sample, data)
    assert_accounted(sample, report)
    assert (report["rows_loaded"], report["rows_rejected"]) == (2, 2)
    assert [(r["line"], r["column"], r["value"]) for r in report["reasons"]] == [(3, "RATIO", "NA"), (5, "ID", "1")]
    assert report["reasons"][1]["reason"] == "key 1 is already on line 2"
    assert report["rejected_key"] is not None
    header, second, duplicate = object_store.get("train", report["rejected_key"]).decode().splitlines()
    assert header.startswith("rejected: line,rejected: reason,ID,LABEL")
    assert second.startswith("3,")
    assert second.endswith(',NA,"$67,349",z_Blue Collar,yes,\'=1+1')
    assert duplicate.startswith("5,ID: key 1 is already on line 2,1,")


def test_a_file_that_is_gone_is_nothing(sample: Dataset) -> None:
    report = uploads.load(sample, "train", f"train_{sample.name}_never.csv")
    assert report["outcome"] == "gone"
    assert settling.settle(report) == report


def test_a_file_replaced_before_it_is_settled_is_loaded_too(sample: Dataset) -> None:
    key = drop(sample, many(3))
    first = uploads.load(sample, "train", key)
    drop(sample, csv_bytes({"ID": "99"}))
    settling.settle(first)
    assert waiting_keys(sample) == [key]
    second = uploads.ingest(sample, key)
    assert (second["outcome"], second["rows_loaded"]) == ("loaded", 1)
    assert rows_in("features", sample) == 4
