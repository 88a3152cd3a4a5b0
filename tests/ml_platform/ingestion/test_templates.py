"""The template of a spec is in the bucket `reports` after its first load, follows the YAML, and can be loaded."""

import pytest

from ml_platform.ingestion import templates
from ml_platform.parsing.allowed import template
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def published(dataset: Dataset) -> bytes:
    return object_store.get("reports", f"templates/{dataset.name}.csv")


def test_the_template_can_be_loaded(sample: Dataset) -> None:
    templates.publish(sample)
    report = ingest(sample, published(sample))
    assert (report["outcome"], report["rows_loaded"], report["rows_rejected"]) == ("loaded", 1, 0)


def test_a_rejected_file_already_names_it(sample: Dataset) -> None:
    report = ingest(sample, b"\x89PNG\r\n\x1a\n")
    assert report["template"] == f"reports/{templates.template_key(sample)}"
    assert published(sample) == template(sample)


def test_it_follows_the_spec_of_the_latest_load_and_is_written_only_if_it_changes(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1"}))
    first = object_store.head("reports", templates.template_key(sample))
    ingest(sample, csv_bytes({"ID": "2"}))
    assert object_store.head("reports", templates.template_key(sample)) == first
    longer = make_dataset(sample.name, columns={"MORE": "boolean"})
    ingest(longer, csv_bytes({"ID": "3", "MORE": "yes"}))
    assert published(sample) == template(longer) != template(sample)
