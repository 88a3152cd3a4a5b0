"""Retention on real servers: what is old is removed, what is needed stays, and a second run changes nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.housekeeping import clean, prediction_entries
from ml_platform.ingestion import uploads
from ml_platform.ingestion.upload_order import CONFLICT
from ml_platform.specs.catalog import Catalog
from ml_platform.specs.platform import PlatformOptions
from ml_platform.specs.retention import PlatformRetention
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample(monkeypatch):
    """A data set; everything is kept for 30 days."""
    made = make_dataset(new_name())
    retention = PlatformRetention(processed="30d", rejected="30d", results="30d", predictions="30d")
    monkeypatch.setattr(clean, "catalog", lambda: Catalog((made,), (), ()))
    monkeypatch.setattr(clean, "platform_options", lambda folder: PlatformOptions(retention=retention))
    return made


def age(name, days=31):
    with transaction() as cursor:
        cursor.execute(
            f"UPDATE uploads.arrivals SET arrived_at = now() - interval '{days} days' WHERE dataset = $1", (name,)
        )


def is_there(report):
    keys = (report["archived_key"], report["report_key"], report["rejected_key"])
    return [object_store.head(report["bucket"], key) is not None for key in keys if key]


def test_old_files_are_removed_unless_a_withdrawal_may_ask_for_them_again(sample) -> None:
    first = ingest(sample, csv_bytes({"ID": "1"}, {"ID": "2"}))
    partly = ingest(sample, csv_bytes({"ID": "2"}, {"ID": "3"}), "_partly")  # a row was there already
    rejected = ingest(sample, b"no header", "_rejected")
    assert (first["outcome"], partly["rows_present"], rejected["outcome"]) == ("loaded", 1, "rejected")
    clean.clean("processed")
    clean.clean("rejected")
    assert [*is_there(first), *is_there(partly), *is_there(rejected)] == [True] * 6
    age(sample.name)
    assert (clean.clean("processed", dry_run=True), clean.clean("rejected", dry_run=True)) == (1, 1)
    assert is_there(first) == is_there(rejected) == [True, True]
    assert (clean.clean("processed"), clean.clean("rejected")) == (1, 1)
    assert (is_there(first), is_there(partly), is_there(rejected)) == ([False] * 2, [True] * 2, [False] * 2)
    assert (clean.clean("processed"), clean.clean("rejected")) == (0, 0)
    text = rejected["report_key"].removesuffix(".json") + ".txt"
    assert object_store.head("train", text) is None


def test_a_file_whose_reopened_rows_are_missing_stays(sample) -> None:
    report = ingest(sample, csv_bytes({"ID": "1"}))
    age(sample.name)
    with transaction() as cursor:
        cursor.execute("UPDATE uploads.ledger SET is_reopened = true WHERE dataset = $1", (sample.name,))
    assert clean.clean("processed") == 0
    with transaction() as cursor:
        cursor.execute("UPDATE uploads.ledger SET is_reopened = false WHERE dataset = $1", (sample.name,))
        cursor.execute(
            "INSERT INTO uploads.rejected_rows VALUES ($1, 'train', $2, 1, '', '', $3)",
            (sample.name, report["sha256"], f"key 1 {CONFLICT} 2"),
        )
    assert clean.clean("processed") == 0
    assert all(is_there(report))


def test_the_same_bytes_are_still_a_duplicate_after_their_file_was_removed(sample) -> None:
    data = csv_bytes({"ID": "1"})
    ingest(sample, data)
    age(sample.name)
    assert clean.clean("processed") == 1
    assert ingest(sample, data, "_again")["outcome"] == "duplicate"
    assert uploads.announce(sample, "run") == 1


def test_results_are_removed_by_their_age(sample, monkeypatch) -> None:
    for key in (f"{sample.name}/a.csv", f"{sample.name}/a.json", f"{sample.name}_other/a.csv"):
        object_store.put_new("result", key, b"x")
    assert clean.clean("results") == 0

    class Later(datetime):
        @classmethod
        def now(cls, zone):
            return datetime.now(zone) + timedelta(days=31)

    monkeypatch.setattr(clean, "datetime", Later)
    assert (clean.clean("results", dry_run=True), clean.clean("results"), clean.clean("results")) == (2, 2, 0)
    assert [file.key for file in object_store.list_objects("result", sample.name)] == [f"{sample.name}_other/a.csv"]


def test_entries_of_predictions_are_removed_in_small_transactions(sample, monkeypatch) -> None:
    monkeypatch.setattr(clean, "ENTRIES", 2)
    with transaction() as cursor:
        for days in (1, 31, 32, 33):
            cursor.execute(
                "INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction,"
                " requested_at, source) VALUES ($1, 1, '{}', now(), 0.5, 'no',"
                f" now() - interval '{days} days', 'http')",
                (sample.name,),
            )
    assert prediction_entries.count_before(sample.name, datetime.now(UTC)) == 4
    assert clean.clean("predictions", dry_run=True) == 3
    assert (clean.clean("predictions"), clean.clean("predictions")) == (3, 0)
    assert fetch("SELECT count(*) FROM predictions.log WHERE model = $1", sample.name) == [(1,)]
