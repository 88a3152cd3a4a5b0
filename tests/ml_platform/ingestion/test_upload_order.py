"""The newest upload is the current version, in whatever order files are loaded."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ml_platform.ingestion import uploads
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import ensure_tables
from tests.ml_platform.ingestion.upload_cases import (
    EXPORTS,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    many,
    new_name,
    rows_in,
    upload_later,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def test_each_upload_has_a_time_of_its_own(sample: Dataset) -> None:
    """The store's times are whole seconds: of files in the same second, the one that is loaded last is the newest."""
    ensure_tables(sample)
    keys = [drop(sample, many(2_000, NOTE=note), f"_{note}") for note in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: uploads.ingest(sample, key), keys))
    versions = 'count(*), count(DISTINCT "NOTE"), count(DISTINCT event_timestamp)'
    assert rows_in("features", sample, versions) == [(8_000, 4, 4)]


def older_and_newer(dataset: Dataset, older: bytes, newer: bytes) -> tuple[str, str]:
    """Drop two files, and return their keys."""
    first = drop(dataset, older, "_older")
    modified = head(first).last_modified.isoformat()
    second = f"train_{dataset.name}_newer.csv"
    upload_later({"bucket": "train", "key": second, "last_modified": modified}, newer)  # type: ignore[typeddict-item]
    return first, second


def head(key: str) -> ObjectVersion:
    version = object_store.head("train", key)
    assert version
    return version


NEWEST = 'DISTINCT ON ("ID") "ID", "RATIO"'


BY_TIME = ' ORDER BY "ID", event_timestamp DESC'


def test_the_newest_upload_is_the_current_version_whatever_was_loaded_last(sample: Dataset) -> None:
    older, newer = older_and_newer(sample, csv_bytes({"RATIO": "0.1"}), csv_bytes({"RATIO": "0.2"}))
    for key in (newer, older):  # a file that is large, or is tried again, is loaded after smaller ones
        assert uploads.ingest(sample, key)["rows_loaded"] == 1
    current = fetch(f'SELECT {NEWEST} FROM features."{sample.name}"{BY_TIME}')
    assert current == [(1, 0.2)]


def test_an_older_export_that_is_loaded_later_is_already_there(sample: Dataset) -> None:
    older, newer = older_and_newer(sample, many(5), EXPORTS["line ends"](many(5)))
    assert uploads.ingest(sample, newer)["rows_loaded"] == 5
    late = uploads.ingest(sample, older)
    assert (late["rows_loaded"], late["rows_present"], late["warnings"]) == (0, 5, [])


def test_a_newer_file_that_was_compared_too_early_is_compared_again(sample: Dataset) -> None:
    """The older file changes a row, and the newer one takes the change back, but is loaded first."""
    ingest(sample, csv_bytes({"RATIO": "0.1"}))
    older, newer = older_and_newer(sample, csv_bytes({"RATIO": "0.2"}), csv_bytes({"RATIO": "0.1"}, {"ID": "2"}))
    first = uploads.ingest(sample, newer)
    assert (first["rows_loaded"], first["rows_present"]) == (1, 1)
    late = uploads.ingest(sample, older)
    assert (late["rows_loaded"], late["keys_changed"], late["warnings"]) == (1, 1, [])
    assert sorted(fetch(f'SELECT {NEWEST} FROM features."{sample.name}"{BY_TIME}')) == [(1, 0.1), (2, 0.5)]
    assert rows_in("labels", sample) == 4
    recorded = "SELECT rows_loaded, is_reopened, object_key FROM uploads.ledger WHERE dataset = $1 AND sha256 = $2"
    assert fetch(recorded, sample.name, first["sha256"]) == [(2, False, newer)]


def test_a_file_that_cannot_be_compared_again_is_named(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"RATIO": "0.1"}, {"ID": "2"}))
    older, newer = older_and_newer(sample, csv_bytes({"RATIO": "0.2"}), csv_bytes({"RATIO": "0.1"}))
    first = uploads.ingest(sample, newer)
    object_store.client().delete_object(Bucket="train", Key=first["archived_key"])
    assert uploads.ingest(sample, older)["warnings"] == [
        f"uploaded before '{newer}', but loaded later: rows there that seemed to be already there may differ now;"
        " drop the same again, and they are compared again"
    ]
    upload_later(first, csv_bytes({"RATIO": "0.1"}))
    again = uploads.ingest(sample, newer)
    assert (again["outcome"], again["rows_loaded"], again["rows_present"]) == ("loaded", 1, 0)
    assert fetch(f'SELECT {NEWEST} FROM features."{sample.name}"{BY_TIME}') == [(1, 0.1), (2, 0.5)]
