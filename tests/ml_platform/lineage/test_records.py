"""What is recorded about uploads and predictions: many at once, and nothing at all."""

import pytest

from ml_platform.lineage import records
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_ten_thousand_uploads_are_read_by_one_query() -> None:
    name, sha256 = new_name(), "f" * 64
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO uploads.training_sets SELECT $1, $2, md5(i::text) || md5(i::text), $1, 1"
            " FROM generate_series(1, 10000) i",
            (name, sha256),
        )
        cursor.execute(
            "INSERT INTO uploads.ledger (dataset, purpose, sha256, object_key, rows_loaded)"
            " SELECT $1, 'train', md5(i::text) || md5(i::text), 'train_' || i, 1 FROM generate_series(1, 10000) i",
            (name,),
        )
    found = records.uploads_of(name, sha256)
    assert len(found) == 10_000
    assert all(upload.is_loaded and upload.key and upload.rows == 1 for upload in found)


def test_of_what_was_never_there_nothing_is_recorded() -> None:
    name = new_name()
    assert records.uploads_of(name, "f" * 64) == records.later_removals(name, 1) == []
    assert records.scored_upload(f"{name}/a.csv") is records.version_of_result(f"{name}/a.csv") is None
    assert records.newest_prediction(name, {"id": 1}) is None
    assert records.source_of(name, "test", "a.csv") is records.rewritten_to(name, "test", "f" * 64) is None
