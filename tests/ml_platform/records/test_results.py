"""The results of a data set, with the version that scored each."""

from datetime import UTC, datetime

import pytest

from ml_platform.ingestion import ledger
from ml_platform.ingestion.upload_report import new_report
from ml_platform.records import files, results
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import transaction
from ml_platform.storage.object_store import ObjectVersion
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

LOGGED = (
    "INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction, requested_at,"
    " source, result_key) VALUES ($1, 7, '{}', now(), 0.5, 'no', now(), 'batch', $2)"
)


def record(dataset: Dataset, number: int) -> str:
    """Record a scored file; return the key of its result."""
    moment = datetime(2026, 1, number, tzinfo=UTC)
    version = ObjectVersion("test", f"test_{dataset.name}_{number}.csv", f'"{number}"', moment, 10)
    key = f"{dataset.name}/test_{number}.csv"
    counts = {"rows_read": 5, "rows_rejected": 1, "result_key": key}
    with transaction() as cursor:
        ledger.record_arrival(cursor, new_report(dataset, "test", version, f"{number:064}", "scored", **counts))
    return key


def test_results_are_listed_the_newest_first_with_their_version() -> None:
    dataset = make_dataset(new_name())
    keys = [record(dataset, number) for number in (1, 2, 3)]
    with transaction() as cursor:
        cursor.execute(LOGGED, (dataset.name, keys[0]))
    found = results.results(dataset.name)
    assert [one.key for one in found] == keys[::-1]
    assert [one.model_version for one in found] == [None, None, 7]
    assert (found[0].rows, found[0].rows_rejected, found[0].card_key) == (4, 1, f"{dataset.name}/test_3.json")
    assert results.results(dataset.name, limit=1, offset=1) == found[1:2]
    assert results.result(dataset.name, keys[0]) == found[2]
    assert results.result(dataset.name, "another/key.csv") is None
    (scored, *_) = files.files(dataset, kinds=["test"]).files
    assert (scored.state, scored.result_key, scored.card_key) == ("scored", keys[2], found[0].card_key)
