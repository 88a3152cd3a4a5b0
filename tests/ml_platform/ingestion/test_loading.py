"""A file is loaded whole or not at all: how many bad rows are allowed, and which times its rows get."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import loading, uploads
from ml_platform.ingestion.ledger import Claim
from ml_platform.ingestion.loading import Counts
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import read_batches
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch, transaction
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import ensure_tables
from tests.ml_platform.ingestion.upload_cases import (
    EXPORTS,
    assert_accounted,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    many,
    new_name,
    rows_in,
    timed_dataset,
)

DROPPED = "train_sample.csv"
OF_ROWS = "train_sample.kafka-0a1b2c.0.0-9.jsonl.gz"


def on_servers(test: Any) -> Any:
    return pytest.mark.servers(pytest.mark.usefixtures("servers")(test))


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.mark.parametrize(("rejected", "is_allowed"), [(0, True), (2, True), (3, False), (5, False)])
def test_the_share_of_bad_rows_is_limited(rejected: int, is_allowed: bool) -> None:
    dataset = make_dataset(max_bad_rows=0.4)
    reason = loading.rejection_reason(dataset, Counts(5, 5 - rejected, rejected), DROPPED)
    assert (reason is None) is is_allowed
    if reason:
        limit = "datasets/sample.yaml allows a share of 0.4 (max_bad_rows)"
        assert reason == f"{rejected} of 5 rows are bad; {limit}"


def test_reject_file_needs_only_one_bad_row() -> None:
    dataset = make_dataset(on_bad_row="reject_file", max_bad_rows=1.0)
    assert loading.rejection_reason(dataset, Counts(1000, 1000, 0), DROPPED) is None
    reason = loading.rejection_reason(dataset, Counts(1000, 999, 1), DROPPED)
    assert reason == "1 of 1,000 rows are bad, and datasets/sample.yaml says on_bad_row: reject_file"


def test_a_few_rows_of_a_source_are_not_rejected_for_one_of_them() -> None:
    dataset = make_dataset(max_bad_rows=0.05, source={"kind": "kafka", "topic": "t"})
    assert loading.rejection_reason(dataset, Counts(3, 0, 3), OF_ROWS) is None
    assert loading.rejection_reason(dataset, Counts(3, 0, 3), DROPPED)
    assert loading.rejection_reason(dataset, Counts(100, 94, 6), OF_ROWS)
    strict = make_dataset(on_bad_row="reject_file")
    assert loading.rejection_reason(strict, Counts(3, 2, 1), OF_ROWS)


def test_an_empty_file_has_no_bad_rows() -> None:
    assert loading.rejection_reason(make_dataset(max_bad_rows=0.0), Counts(0, 0, 0), DROPPED) is None


def test_rows_are_loaded_rejected_or_present() -> None:
    assert Counts(read=10, loaded=5, rejected=3).present == 2


def test_a_rejected_file_keeps_its_counts_and_reasons() -> None:
    reasons = [Reason(line=2, column="AGE", value="x", reason="not a whole number")]
    error = loading.FileRejectedError("2 of 3 rows are bad", Counts(3, 1, 2), reasons)
    assert isinstance(error, ContractError)
    assert (str(error), error.counts.rejected, error.reasons) == ("2 of 3 rows are bad", 2, reasons)


@on_servers
def test_a_row_that_repeats_a_rejected_one_is_loaded(sample: Dataset) -> None:
    report = ingest(sample, csv_bytes({"ID": "1", "RATIO": "x"}, {"ID": "1"}))
    assert_accounted(sample, report)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, 1)


@on_servers
def test_labels_of_a_rejected_file_are_not_inserted(sample: Dataset) -> None:
    ensure_tables(sample)
    data = csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x"}, {"ID": "3", "RATIO": "y"})
    version = ObjectVersion("train", "a", "", datetime(2026, 1, 1, tzinfo=UTC), len(data))
    with pytest.raises(loading.FileRejectedError) as error, transaction() as cursor:
        loading.load(cursor, sample, version, Claim("ab" * 32), read_batches(io.BytesIO(data), sample, "train", "a"))
    assert error.value.counts == Counts(3, 1, 2)
    assert rows_in("features", sample) == rows_in("labels", sample) == 0


@on_servers
def test_without_an_event_time_that_of_the_upload_is_both_timestamps(sample: Dataset) -> None:
    report = ingest(sample, many(3))
    uploaded = datetime.fromisoformat(report["last_modified"])
    assert fetch("SELECT uploaded_at FROM uploads.ledger WHERE dataset = $1", sample.name) == [(uploaded,)]
    for schema in ("features", "labels"):
        assert rows_in(schema, sample, "DISTINCT event_timestamp, created_timestamp") == [(uploaded, uploaded)]


@on_servers
@pytest.mark.parametrize(("known_at", "known"), [("event_time", "AT"), ("load", "claim"), ("SEEN", "SEEN")])
def test_timestamps_come_from_the_file(known_at: str, known: str) -> None:
    dataset = timed_dataset(new_name(), known_at=known_at, columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-01-02T03:04:05+01:00"}))
    claim = fetch("SELECT claimed_at FROM uploads.ledger WHERE dataset = $1", dataset.name)[0][0].isoformat()
    expected = {"AT": "2026-01-01T00:00:00+00:00", "SEEN": "2026-01-02T02:04:05+00:00", "claim": claim}
    for schema in ("features", "labels"):
        timestamps = rows_in(schema, dataset, "event_timestamp, created_timestamp")
        assert [[time.isoformat() for time in row] for row in timestamps] == [[expected["AT"], expected[known]]]


@on_servers
def test_two_exports_of_the_same_data_at_once_are_loaded_once(sample: Dataset) -> None:
    ensure_tables(sample)
    for number in range(4):
        data = many(3_000, NOTE=f"number {number}")
        keys = [drop(sample, export, f"_{number}_{i}") for i, export in enumerate((data, EXPORTS["line ends"](data)))]
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda key: uploads.ingest(sample, key), keys))
        assert sorted(report["rows_loaded"] for report in reports) == [0, 3_000]
        assert rows_in("features", sample) == 3_000 * (number + 1)


@on_servers
def test_reject_file_allows_no_bad_row() -> None:
    dataset = make_dataset(new_name(), on_bad_row="reject_file")
    report = ingest(dataset, many(50) + b"x,0,0,3,0.5,1,k,yes,t\n")
    assert report["outcome"] == "rejected"
    assert [reason["line"] for reason in report["reasons"]] == [None, 52]
