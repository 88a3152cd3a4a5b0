"""The files of a data set are listed with what became of each, and one can be waited for by its key."""

from datetime import UTC, datetime

import pytest

from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.ingestion import attempts, inbox, uploads
from ml_platform.records import files
from ml_platform.records.files import File
from ml_platform.removal.withdraw_upload import withdraw
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, ingest, make_dataset, many, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def states(data_set: Dataset) -> list[tuple[str, str]]:
    return [(one.key, one.state) for one in files.files(data_set).files]


def test_each_file_has_its_state_and_its_counts(sample: Dataset) -> None:
    loaded = ingest(sample, csv_bytes({"ID": "1"}, {"ID": "2"}, {"ID": "3", "RATIO": "x"}), "_a")
    ingest(sample, csv_bytes({"ID": "1"}, {"ID": "2"}, {"ID": "3", "RATIO": "x"}), "_again")
    ingest(sample, b"no,table\n1,2\n", "_bad")
    waits = drop(sample, many(2), "_new")
    page = files.files(sample)
    assert page.total == 4
    assert [(one.key, one.state) for one in page.files] == [
        (waits, "waiting"), (f"train_{sample.name}_bad.csv", "rejected"),
        (f"train_{sample.name}_again.csv", "duplicate"), (loaded["key"], "loaded"),
    ]  # fmt: skip
    first = page.files[-1]
    assert (first.rows_read, first.rows_loaded, first.rows_rejected, first.rows_present) == (3, 2, 1, 0)
    assert (first.sha256, first.rejected_key, first.is_settled) == (loaded["sha256"], loaded["rejected_key"], True)
    assert first.reasons == ("line 4, column RATIO: 'x': not a number",) or first.reasons[0].startswith("line 4")
    assert first.uploaded_at is not None
    assert first.uploaded_at.tzinfo is UTC
    assert page.files[0] == files.waiting(sample)[0]
    assert page.files[0].bytes == len(many(2))


def test_a_list_is_cut_into_pages_and_chosen_by_kind_and_state(sample: Dataset) -> None:
    for number in range(3):
        ingest(sample, csv_bytes({"ID": str(number)}), f"_{number}")
    drop(sample, many(1), "_new")
    keys = [one.key for one in files.files(sample).files]
    pages = [files.files(sample, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [[one.key for one in page.files] for page in pages] == [keys[:2], keys[2:], []]
    assert {page.total for page in pages} == {4}
    assert files.files(sample, states=["loaded"]).total == 3
    assert [one.state for one in files.files(sample, states=["waiting", "failed"]).files] == ["waiting"]
    assert files.files(sample, kinds=["test"]).total == 0
    assert files.files(sample, kinds=["train"]).total == 4


def test_labels_and_answers_are_kinds_of_their_own(sample: Dataset) -> None:
    object_store.put_new("train", f"labels/{sample.name}_may.csv", b"x")
    object_store.put_new("label", f"label_{sample.name}.csv", b"x")
    object_store.put_new("test", f"test_{sample.name}.csv", b"x")
    drop(sample, b"x")
    assert sorted(one.kind for one in files.waiting(sample)) == ["answer", "label", "test", "train"]
    assert [one.kind for one in files.files(sample, kinds=["label"]).files] == ["label"]


def test_a_failed_attempt_says_why_and_when_the_next_one_is(sample: Dataset) -> None:
    key = drop(sample, many(2))

    def fail(_: str) -> None:
        assert files.waiting(sample)[0].state == "loading"
        raise ServiceError("the disk of the store is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inbox, "BUDGET", 0.5)
        inbox.work_off(sample, "train", fail)
    (failed,) = files.waiting(sample)
    assert (failed.key, failed.state, failed.problem) == (key, "failed", "the disk of the store is full")
    assert failed.attempts == 1
    assert failed.next_attempt is not None
    assert failed.next_attempt > datetime.now(UTC)
    changed = make_dataset(sample.name, max_bad_rows=0.1)
    assert files.waiting(changed)[0].state == "waiting"  # another spec is another chance


def test_a_file_waits_for_another_spec(sample: Dataset) -> None:
    drop(sample, many(2))

    def refuse(_: str) -> None:
        raise ConfigurationError("columns.ID: cannot change")

    inbox.work_off(sample, "train", refuse)
    (failed,) = files.waiting(sample)
    assert (failed.state, failed.next_attempt, failed.problem) == ("failed", None, "columns.ID: cannot change")


def test_one_file_is_found_by_its_key_until_its_end(sample: Dataset) -> None:
    key = drop(sample, many(2))
    version = object_store.head("train", key)
    assert version is not None

    def look() -> File:
        found = files.find(sample, "train", key, version.etag)
        assert found is not None
        return found

    assert look().state == "waiting"
    attempts.begin(version, sample.sha256)
    assert look().state == "loading"
    report = uploads.load(sample, "train", key)
    assert look().state == "loaded"  # although it is still in the inbox
    assert look().archived_key is None
    uploads.settle(report)
    assert look().archived_key == report["archived_key"]
    assert files.find(sample, "train", key) == look()
    assert files.with_id(sample, report["sha256"][:12]) == [look()]
    withdraw(sample, report["sha256"], reason="an old export", by="ann")
    assert look().state == "withdrawn"
    assert (look().withdrawn or "").startswith("ann, ")
    assert files.files(sample, states=["withdrawn"]).total == 1


def test_a_file_that_a_person_removed_is_not_waited_for(sample: Dataset) -> None:
    assert files.find(sample, "train", "train_x.csv") is None
    removed = files.find(sample, "train", f"train_{sample.name}.csv", '"abc"')
    assert removed is not None
    assert (removed.state, removed.is_settled) == ("removed", True)


def test_a_newer_file_under_the_same_key_is_another_one(sample: Dataset) -> None:
    first = ingest(sample, many(2))
    drop(sample, many(3))
    newest = files.find(sample, "train", first["key"])
    assert newest is not None
    assert newest.state == "waiting"
    older = files.find(sample, "train", first["key"], first["etag"])
    assert older is not None
    assert older.state == "loaded"
