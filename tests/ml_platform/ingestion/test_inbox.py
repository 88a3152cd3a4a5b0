"""The files of an inbox are taken several at a time; none waits for another, and one that fails holds up nobody."""

import math
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from ml_platform.exceptions import ServiceError, UploadChangedError
from ml_platform.ingestion import attempts, inbox, uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import (
    csv_bytes,
    drop,
    make_dataset,
    many,
    new_name,
    rows_in,
    waiting_keys,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

TIMEOUT = 60  # seconds; only a test that fails waits so long


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(inbox, "POLL", 0.05)


def work_off(data_set: Dataset, before: Callable[[str], None] = lambda _: None) -> list[str]:
    """Load the files of the inbox; `before` is called with each key before its file is loaded."""

    def take(key: str) -> UploadReport:
        before(key)
        return uploads.ingest(data_set, key)

    return inbox.work_off(data_set, "train", take)


def test_the_inbox_has_a_data_sets_own_files_the_oldest_first(sample: Dataset) -> None:
    keys = [drop(sample, b"x", suffix) for suffix in ("_b", "_a", "_c")]
    drop(make_dataset(new_name()), b"of another data set")
    listed = waiting_keys(sample)
    times = [version.last_modified for key in listed if (version := object_store.head("train", key))]
    assert sorted(listed) == sorted(keys)
    assert times == sorted(times)


def test_a_folder_is_no_file(sample: Dataset) -> None:
    object_store.client().put_object(Bucket="train", Key=f"train_{sample.name}/", Body=b"")
    assert inbox.look(sample, "train") == inbox.Waiting((), {})
    assert work_off(sample) == []
    key = f"train_{sample.name}/january.csv"
    object_store.client().put_object(Bucket="train", Key=key, Body=many(2))
    assert waiting_keys(sample) == [key]
    assert work_off(sample) == []
    assert rows_in("features", sample) == 2


def test_names_are_the_first_of_many(sample: Dataset) -> None:
    for number in range(12):
        drop(sample, b"x", f"_{number:02}")
    files = inbox.look(sample, "train").due
    assert inbox.names(files[:2]) == f"{files[0].key}, {files[1].key}"
    assert inbox.names(files).endswith(f"{files[9].key} and 2 more")


def test_all_files_are_loaded_and_settled(sample: Dataset) -> None:
    for number in range(9):
        drop(sample, csv_bytes({"ID": str(number)}), f"_{number}")
    assert work_off(sample) == []
    assert waiting_keys(sample) == []
    assert rows_in("features", sample) == 9


def test_no_file_waits_for_another_not_even_one_that_comes_later(sample: Dataset) -> None:
    """One file is not done before all others, of which most come when it is already in work, are settled."""
    slow = drop(sample, csv_bytes({"ID": "100"}), "_slow")
    others_settled = threading.Event()

    def before(key: str) -> None:
        if key == slow:
            for number in range(5):
                drop(sample, csv_bytes({"ID": str(number)}), f"_{number}")
            assert others_settled.wait(TIMEOUT)

    def watch() -> None:
        while rows_in("features", sample) < 6 or waiting_keys(sample) != [slow]:
            if stop.wait(0.05):
                return
        others_settled.set()

    stop = threading.Event()
    drop(sample, csv_bytes({"ID": "50"}), "_first")
    uploads.ensure_tables(sample)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert work_off(sample, before) == []
    finally:
        stop.set()
        watcher.join()
    assert others_settled.is_set()
    assert rows_in("features", sample) == 7


def test_large_files_leave_a_place_for_small_ones(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "BIG_FILE", 3_000)
    large = {drop(sample, many(200, NOTE=note), f"_{note}") for note in "abcd"}
    small = drop(sample, csv_bytes({"ID": "900"}), "_small")
    small_begins, in_work = threading.Event(), set()

    def before(key: str) -> None:
        if key == small:
            small_begins.set()
        else:
            in_work.add(key)
            assert small_begins.wait(TIMEOUT)
            assert len(in_work) <= inbox.BIG_FILES_AT_ONCE

    def take(key: str) -> None:
        before(key)
        uploads.ingest(sample, key)
        in_work.discard(key)

    assert inbox.work_off(sample, "train", take) == []
    assert len(large) == 4
    assert waiting_keys(sample) == []


@pytest.mark.usefixtures("quick_pauses")
def test_a_file_that_fails_once_is_tried_again(sample: Dataset) -> None:
    drop(sample, many(3))
    tries = []

    def fail_at_first(key: str) -> None:
        tries.append(key)
        if len(tries) < 3:
            raise ServiceError("the disk of the store is full")

    assert work_off(sample, fail_at_first) == []
    assert len(tries) == 3
    assert rows_in("features", sample) == 3


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize(
    "error", [ServiceError("cannot be read"), KeyError("a defect")], ids=["expected", "unexpected"]
)
def test_a_file_that_fails_always_stays_and_holds_up_nobody(
    sample: Dataset, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inbox, "BUDGET", 300.0)
    seen: set[str] = set()
    broken = drop(sample, many(3), "_broken")
    for number in range(5):
        drop(sample, csv_bytes({"ID": str(number)}), f"_{number}")

    def before(key: str) -> None:
        seen.add(key)
        if key == broken:
            if len(seen) == 6:  # all were begun: now it is time for the next tasks
                monkeypatch.setattr(inbox, "BUDGET", 0.0)
            raise error

    assert work_off(sample, before) == [f"{broken!r} stays in the inbox: {error}"]
    assert rows_in("features", sample) == 5
    waiting = inbox.look(sample, "train")
    assert [version.key for version in (*waiting.due, *waiting.pauses)] == [broken]
    assert ("Traceback" in caplog.text) is isinstance(error, KeyError)


def test_a_file_that_kills_its_process_comes_after_the_others(sample: Dataset) -> None:
    deadly = drop(sample, many(3), "_deadly")
    if not (child := os.fork()):
        inbox.work_off(sample, "train", lambda _: os._exit(9))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    other = drop(sample, csv_bytes({"ID": "9"}), "_other")
    waiting = inbox.look(sample, "train")
    assert [version.key for version in waiting.due] == [other]
    assert [version.key for version in waiting.pauses] == [deadly]
    assert 0 < waiting.pauses.popitem()[1] <= attempts.FIRST_PAUSE


def test_a_file_waits_until_the_spec_is_put_right(sample: Dataset) -> None:
    drop(sample, many(3))
    assert work_off(sample) == []
    wrong = make_dataset(sample.name, columns={"RATIO": "text"})
    key = drop(sample, csv_bytes({"ID": "9"}), "_2")
    (problem,) = work_off(wrong)
    assert problem.startswith(f"{key!r} stays in the inbox: datasets/{sample.name}.yaml: ")
    assert "RATIO" in problem
    assert inbox.look(wrong, "train").next_attempt == math.inf
    assert work_off(wrong) == []
    assert waiting_keys(sample) == [key]
    assert work_off(sample) == []
    assert rows_in("features", sample) == 4


def test_a_file_that_changes_all_the_time_is_left_for_later(sample: Dataset) -> None:
    key = drop(sample, many(3))
    changes = iter([UploadChangedError("replaced")])

    def before(_: str) -> None:
        for change in changes:
            drop(sample, csv_bytes({"ID": "9"}))
            raise change

    assert work_off(sample, before) == []
    assert waiting_keys(sample) in ([], [key])  # in the same second it is the same time, with another ETag
    assert rows_in("features", sample) == 1


def test_a_run_ends_although_files_keep_coming(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "BUDGET", 1.0)
    drop(sample, csv_bytes({"ID": "0"}))
    count = iter(range(1, 10**6))

    def before(_: str) -> None:
        number = next(count)
        drop(sample, csv_bytes({"ID": str(number)}), f"_{number}")

    assert work_off(sample, before) == []
    assert len(waiting_keys(sample)) == 1


def test_without_the_store_the_error_says_so(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "client", partial(object_store.client, "http://127.0.0.1:9"))
    with pytest.raises(ServiceError, match="s3://train"):
        work_off(sample)


def test_a_rejected_file_is_named_with_its_first_reason(sample: Dataset) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    key = drop(sample, b"")
    drop(sample, many(2), "_good")
    assert work_off(sample) == []
    (text,) = inbox.rejections(sample, "train", began)
    assert text.startswith(f"{key!r} is rejected: the file is empty; ")
    assert f"; read rejected/train_{sample.name}" in text
    assert inbox.rejections(sample, "train", datetime.now(UTC) + timedelta(minutes=1)) == []
