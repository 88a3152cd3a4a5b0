"""Only what is recorded of an upload can be read."""

from datetime import UTC, datetime

import pytest

from ml_platform.records import files, upload_files
from ml_platform.records.files import File
from ml_platform.records.upload_files import Part
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.object_store import ObjectVersion
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def stored(part: Part, file: File) -> ObjectVersion | None:
    assert file.uploaded_at
    return upload_files.stored(part, file.bucket, file.key, file.etag, file.uploaded_at)


def test_each_part_of_a_loaded_and_of_a_rejected_file_is_found(sample: Dataset) -> None:
    loaded = ingest(sample, csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "<script>"}))
    ingest(sample, b"no,table\n1,2\n", "_bad")
    bad, good = files.files(sample).files
    found = {part: stored(part, good) for part in upload_files.PARTS}
    assert {part: one.key for part, one in found.items() if one} == {
        "file": loaded["archived_key"], "report": loaded["report_key"], "rejected": loaded["rejected_key"],
    }  # fmt: skip
    reasons = stored("reasons", bad)
    assert reasons
    assert b"was rejected" in b"".join(object_store.chunks(reasons))
    assert stored("rejected", bad) is None


def test_nothing_else_is_found(sample: Dataset) -> None:
    loaded = ingest(sample, csv_bytes({"ID": "1"}))
    (file,) = files.files(sample).files
    assert file.uploaded_at
    for bucket, key, etag in (
        ("train", loaded["archived_key"], file.etag),  # a key that exists, but was never dropped
        ("mlflow", file.key, file.etag),
        ("train", f"../train/{file.key}", file.etag),
        ("train", file.key, '"other"'),
    ):
        assert upload_files.stored("file", bucket, key, etag, file.uploaded_at) is None
    assert upload_files.stored("file", "train", file.key, file.etag, datetime(2020, 1, 1, tzinfo=UTC)) is None
    archived = object_store.head("train", loaded["archived_key"])
    assert archived
    object_store.remove(archived)  # as the housekeeping does
    assert stored("file", file) is None
