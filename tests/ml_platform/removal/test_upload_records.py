"""What tables and reports say about some lines of an upload is removed; the rest stays."""

import json

import pytest

from ml_platform.removal import upload_records
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, new_name
from tests.ml_platform.removal.test_withdraw_upload import take_back

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_the_lines_go_from_ledger_arrivals_withdrawals_rejected_rows_and_report_files() -> None:
    dataset = make_dataset(new_name(), max_bad_rows=1.0)
    bad = [{"ID": str(i), "RATIO": f"x{i}", "MORE": "1"} for i in range(3)]
    kept, withdrawn = (ingest(dataset, csv_bytes(*bad, {"ID": "7"}, {"ID": suffix}), suffix) for suffix in ("8", "9"))
    assert len(kept["warnings"]) == 1
    take_back(dataset, withdrawn)
    first, second = upload_records.arrivals(dataset.name)
    assert (first.archived_key, first.rejected_key) == (kept["archived_key"], kept["rejected_key"])
    assert first.delimiter == ","
    with transaction() as cursor:
        for arrival in (first, second):
            upload_records.forget_lines(cursor, dataset.name, arrival, {2, 4, 6})
    upload_records.rewrite_reports(dataset.name, first)
    reasons = [["x1"]]
    assert fetch("SELECT value FROM uploads.rejected_rows WHERE dataset = $1", dataset.name) == [("x1",)]
    for table, count in (("ledger", 1), ("arrivals", 2), ("withdrawals", 1)):
        found = fetch(f"SELECT report::text FROM uploads.{table} WHERE dataset = $1", dataset.name)
        assert [[one["value"] for one in json.loads(text)["reasons"]] for (text,) in found] == reasons * count
        assert [json.loads(text)["warnings"] for (text,) in found] == [[]] * count
    report = json.loads(object_store.get("train", kept["report_key"]))
    assert [one["value"] for one in report["reasons"]] == reasons[0]
    assert (report["rows_rejected"], report["warnings"]) == (3, [])


def test_the_bytes_before_and_after_are_recorded_however_often() -> None:
    name = new_name()
    arrival = upload_records.Arrival("train", "train", "a" * 64, "key", None, None, None)
    for before, after in (("a", "b"), ("a", "b"), ("b", "c")):
        with transaction() as cursor:
            upload_records.record_rewriting(cursor, name, arrival, before=before * 64, after=after * 64)
    found = fetch(
        "SELECT left(sha256, 1), is_current FROM uploads.rewritten_files"
        " WHERE dataset = $1 AND original_sha256 = $2 ORDER BY 1",
        *(name, "a" * 64),
    )
    assert found == [("a", False), ("b", False), ("c", True)]
