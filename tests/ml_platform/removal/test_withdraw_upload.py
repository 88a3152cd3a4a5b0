"""An upload is taken back: its rows go from everywhere, and nothing else does; the same bytes may come again."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.removal import withdraw_upload
from ml_platform.removal.withdraw_upload import Withdrawal, uploads_of, withdraw
from ml_platform.specs.parts import Join
from ml_platform.specs.spec import Dataset, FeatureTable, Table
from ml_platform.storage.database import fetch, transaction
from ml_platform.training import build_training_set
from tests.ml_platform.ingestion.upload_cases import (
    assert_accounted,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    many,
    new_name,
    rows_in,
    timed_dataset,
    upload_later,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


@pytest.fixture
def timed() -> Dataset:
    return timed_dataset(new_name())


def take_back(data_set: Table, report: UploadReport, **others: Any) -> Withdrawal:
    return withdraw(data_set, report["sha256"][:12], **({"reason": "a wrong export", "by": "ann"} | others))


def online(data_set: Dataset, *keys: int) -> list[float | None]:
    """Return RATIO of the online row of each entity; None where there is none."""
    found, unknown = online_rows.newest_rows(data_set, pa.RecordBatch.from_pydict({"ID": pa.array(keys)}))
    known = iter(found.column("RATIO").to_pylist())
    return [None if i in unknown else next(known) for i in range(len(keys))]


def test_the_rows_of_an_upload_go_and_nothing_else_does(sample: Dataset) -> None:
    kept = ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.1"}, {"ID": "2", "RATIO": "0.2"}))
    bad = csv_bytes({"ID": "2", "RATIO": "9"}, {"ID": "3", "RATIO": "9"}, {"ID": "4", "RATIO": "no number"})
    wrong = ingest(sample, bad, "_wrong")
    online_rows.materialize(sample)
    assert online(sample, 1, 2, 3) == [0.1, 9, 9]
    done = take_back(sample, wrong)
    assert done == Withdrawal(sample.name, wrong["sha256"], wrong["key"], rows=2, entities=2)
    assert sorted(rows_in("features", sample, '"ID", "RATIO"')) == [(1, 0.1), (2, 0.2)]
    assert rows_in("labels", sample) == 2
    assert online(sample, 1, 2, 3) == [0.1, 0.2, None]
    for table, expected in (("ledger", [(kept["sha256"],)]), ("rejected_rows", [])):
        assert fetch(f"SELECT DISTINCT sha256 FROM uploads.{table} WHERE dataset = $1", sample.name) == expected
    assert_accounted(sample, kept)
    recorded = (
        "SELECT object_key, withdrawn_by, reason, report->>'rows_rejected' FROM uploads.withdrawals WHERE dataset = $1"
    )
    assert fetch(recorded, sample.name) == [(wrong["key"], "ann", "a wrong export", "1")]
    assert online_rows.materialize(sample) == 0


def test_the_same_bytes_may_come_again(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1", "RATIO": "0.1"}, {"ID": "2", "RATIO": "x"})
    first = ingest(sample, data)
    online_rows.materialize(sample)
    take_back(sample, first)
    assert online(sample, 1) == [None]
    upload_later(first, data)
    again = uploads.ingest(sample, first["key"])
    assert (again["outcome"], again["rows_loaded"], again["rows_rejected"]) == ("loaded", 1, 1)
    assert_accounted(sample, again)
    assert online_rows.materialize(sample) == 1
    assert online(sample, 1) == [0.1]


@pytest.mark.parametrize("kind", ["without a time", pytest.param("with a time", marks=pytest.mark.prove)])
def test_rows_of_a_later_file_that_were_already_there_can_come_again(kind: str) -> None:
    with_time = kind == "with a time"
    dataset = timed_dataset(new_name()) if with_time else make_dataset(new_name())
    cells = {"AT": "2026-01-01"} if with_time else {}
    first = ingest(dataset, csv_bytes({"ID": "1"} | cells, {"ID": "2"} | cells))
    later_data = csv_bytes({"ID": "2"} | cells, {"ID": "3"} | cells)
    later = ingest(dataset, later_data, "_later")
    other = ingest(dataset, csv_bytes({"ID": "7"} | cells), "_other")
    assert (later["rows_loaded"], later["rows_present"]) == (1, 1)
    assert take_back(dataset, first).reopened == (later["key"],)
    assert sorted(rows_in("features", dataset, '"ID"')) == [(3,), (7,)]
    upload_later(later, later_data)
    again = uploads.ingest(dataset, later["key"])
    assert (again["outcome"], again["rows_loaded"], again["rows_present"]) == ("loaded", 1, 1)
    assert sorted(rows_in("labels", dataset, '"ID"')) == [(2,), (3,), (7,)]
    ledger = "SELECT rows_loaded, is_reopened FROM uploads.ledger WHERE dataset = $1 AND sha256 = $2"
    assert fetch(ledger, dataset.name, later["sha256"]) == [(2, False)]
    upload_later(again, later_data)
    assert uploads.ingest(dataset, later["key"])["outcome"] == "duplicate"
    assert_accounted(dataset, other)


def test_a_file_that_comes_again_never_replaces_newer_rows(sample: Dataset) -> None:
    first = ingest(sample, csv_bytes({"ID": "1"}))
    later_data = csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "0.1"}, {"ID": "3", "RATIO": "no number"})
    later = ingest(sample, later_data, "_later")
    ingest(sample, csv_bytes({"ID": "2", "RATIO": "0.9"}), "_newest")
    online_rows.materialize(sample)
    assert take_back(sample, first).reopened == (later["key"],)
    assert online(sample, 1, 2) == [None, 0.9]
    assert online_rows.materialize(sample) == 0
    upload_later(later, later_data)
    again = uploads.ingest(sample, later["key"])
    assert (again["rows_loaded"], again["rows_rejected"], again["rows_present"]) == (1, 1, 1)
    assert online_rows.materialize(sample) == 2
    assert online(sample, 1, 2) == [0.5, 0.9]
    assert rows_in("labels", sample) == 3
    rejected = "SELECT line, reason FROM uploads.rejected_rows WHERE dataset = $1"
    assert len(fetch(rejected, sample.name)) == 1
    ledger = "SELECT rows_read, rows_loaded, rows_rejected FROM uploads.ledger WHERE dataset = $1 AND sha256 = $2"
    assert fetch(ledger, sample.name, later["sha256"]) == [(3, 2, 1)]


def test_rows_that_another_file_contradicted_can_come_again(timed: Dataset) -> None:
    """A row with the same time but other values was rejected because of the upload that is taken back."""
    wrong = ingest(timed, csv_bytes({"ID": "1", "AT": "2026-01-01", "RATIO": "9"}))
    right_data = csv_bytes({"ID": "1", "AT": "2026-01-01", "RATIO": "0.1"}, {"ID": "2", "AT": "2026-01-01"})
    right = ingest(timed, right_data, "_right")
    assert right["rows_rejected"] == 1
    assert take_back(timed, wrong).reopened == (right["key"],)
    upload_later(right, right_data)
    again = uploads.ingest(timed, right["key"])
    assert (again["rows_loaded"], again["rows_rejected"], again["rows_present"]) == (1, 0, 1)
    assert sorted(rows_in("features", timed, '"ID", "RATIO"')) == [(1, 0.1), (2, 0.5)]
    assert fetch("SELECT FROM uploads.rejected_rows WHERE dataset = $1", timed.name) == []


def test_a_new_column_that_no_load_has_created_yet_stops_no_withdrawal(sample: Dataset) -> None:
    report = ingest(sample, many(2))
    wider = make_dataset(sample.name, columns={"MORE": "number"})
    assert take_back(wider, report).rows == 2


def test_training_goes_on_without_the_upload(sample: Dataset) -> None:
    ingest(sample, many(4) + b"9,1,0,3,0.5,$1,z_Blue Collar,yes,x\r\n")
    wrong = ingest(sample, csv_bytes({"ID": "50"}, {"ID": "51", "LABEL": "1"}), "_wrong")
    frozen = build_training_set.freeze(sample)
    assert frozen.rows == 7
    assert take_back(sample, wrong).rows == 2
    assert build_training_set.freeze(sample).rows == 5


def test_the_versions_that_were_trained_with_an_upload_are_named(sample: Dataset) -> None:
    first = ingest(sample, many(4) + b"9,1,0,3,0.5,$1,z_Blue Collar,yes,x\r\n")
    build_training_set.freeze(sample)
    second = ingest(sample, csv_bytes({"ID": "50"}), "_2")
    frozen = build_training_set.freeze(sample)
    decide(sample.name, 3, frozen.sha256)
    assert [(upload.sha256, upload.versions) for upload in uploads_of(sample.name)] == [
        (first["sha256"], ("3",)), (second["sha256"], ("3",)),
    ]  # fmt: skip
    assert take_back(sample, second).versions == ("3",)


def decide(model: str, version: int, training_set: str) -> None:
    """Record the gate's decision about a version that was trained on a set."""
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO models.decisions (model, version, run_id, decision, reason, min_gain, confidence,"
            " training_set_sha256, decided_by) VALUES ($1, $2, 'r', 'promoted', '', 0, 0, $3, 'gate')",
            (model, version, training_set),
        )


def test_an_upload_of_a_joined_table_names_the_models_of_the_data_set(sample: Dataset) -> None:
    table = FeatureTable.model_validate(
        {
            "kind": "table", "name": new_name(), "description": "prices", "entity": {"name": "thing", "key": "ID"},
            "columns": {"ID": "integer", "RATE": "number"},
        }
    )  # fmt: skip
    joining = sample.model_copy(update={"features_from": (Join(table=table.name),), "tables": (table,)})
    rates = uploads.ingest(table, drop(make_dataset(table.name), b"ID,RATE\n0,1.5\n"))
    ingest(sample, many(4) + b"9,1,0,3,0.5,$1,z_Blue Collar,yes,x\r\n")
    decide(sample.name, 2, build_training_set.freeze(joining).sha256)
    assert [upload.versions for upload in uploads_of(table.name)] == [(f"{sample.name} 2",)]
    assert take_back(table, rates).versions == (f"{sample.name} 2",)


def test_uploads_are_listed_in_the_order_of_their_loads_also_those_taken_back(sample: Dataset) -> None:
    reports = [ingest(sample, csv_bytes({"ID": str(i)}, {"ID": "", "RATIO": str(i)}), f"_{i}") for i in range(3)]
    take_back(sample, reports[1])
    listed = uploads_of(sample.name)
    assert [(upload.sha256, upload.key) for upload in listed] == [(one["sha256"], one["key"]) for one in reports]
    assert [(upload.rows_loaded, upload.rows_rejected) for upload in listed] == [(1, 1)] * 3
    assert [bool(upload.withdrawn) for upload in listed] == [False, True, False]
    assert listed[1].withdrawn.startswith("ann, 20")
    assert listed[1].withdrawn.endswith(" UTC: a wrong export")


def test_a_request_that_is_repeated_does_nothing_twice(sample: Dataset) -> None:
    report = ingest(sample, many(2))
    done = take_back(sample, report, request="run 1")
    assert take_back(sample, report, request="run 1") == done
    with pytest.raises(ConfigurationError, match="no upload that is loaded begins with"):
        take_back(sample, report, request="run 2")


@pytest.mark.parametrize(
    ("upload", "reason", "error"),
    [
        ("abc", "x", "'abc' is no id of an upload: 4 to 64 of the digits"),
        ("%_%_", "x", "is no id of an upload"),
        ("0" * 12, "x", "no upload that is loaded begins with 000000000000; see ./ml-platform uploads list"),
        ("0" * 12, " ", "a withdrawal needs a reason"),
    ],
)
def test_a_wrong_request_changes_nothing(sample: Dataset, upload: str, reason: str, error: str) -> None:
    ingest(sample, many(2))
    with pytest.raises(ConfigurationError, match=error):
        withdraw(sample, upload, reason=reason, by="ann")
    assert rows_in("features", sample) == 2


def test_an_id_of_several_uploads_names_them(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [("abcd1" + "0" * 59, "one", None, None), ("abcd2" + "0" * 59, "two", None, None)]
    ingest(sample, many(1))
    monkeypatch.setattr(withdraw_upload, "rows", lambda *_: found)
    with pytest.raises(ConfigurationError, match="2 uploads begin with abcd: abcd10000000, abcd20000000"):
        withdraw(sample, "abcd", reason="x", by="ann")


def test_if_the_online_store_fails_nothing_has_changed(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.1"}))
    wrong = ingest(sample, csv_bytes({"ID": "1", "RATIO": "9"}, {"ID": "3"}), "_wrong")
    online_rows.materialize(sample)

    def fail(*_: Any) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(online_rows._STORE, "remove_rows", fail)
        with pytest.raises(psycopg.OperationalError):
            take_back(sample, wrong)
    assert rows_in("features", sample) == 3
    assert fetch("SELECT FROM uploads.withdrawals WHERE dataset = $1", sample.name) == []
    assert online_rows.materialize(sample) == 2  # whatever the store had already got is put right
    assert online(sample, 1, 3) == [9, 0.5]
    assert take_back(sample, wrong).rows == 2
    assert online(sample, 1, 3) == [0.1, None]


def test_a_load_at_the_same_time_never_leans_on_rows_that_go(timed: Dataset) -> None:
    """Whichever comes first, a row of both files is there at the end, or its file can come again."""
    rows = [{"ID": str(i), "AT": "2026-01-01"} for i in range(500)]
    for number in range(3):
        first = ingest(timed, csv_bytes(*rows, {"ID": f"100{number}", "AT": "2026-01-02"}), f"_a{number}")
        key = drop(timed, csv_bytes(*rows, {"ID": f"200{number}", "AT": "2026-01-02"}), f"_b{number}")
        with ThreadPoolExecutor(2) as pool:
            taken, loaded = pool.submit(take_back, timed, first), pool.submit(uploads.ingest, timed, key)
        if taken.result().reopened:
            assert loaded.result()["rows_present"] == 500
        else:
            assert loaded.result()["rows_loaded"] == 501
        take_back(timed, loaded.result())
        assert rows_in("features", timed) == 0


def test_the_log_says_what_to_do(sample: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ml_platform")
    first = ingest(sample, many(2))
    later = ingest(sample, csv_bytes({"ID": "1"}, {"ID": "9"}), "_later")
    take_back(sample, first)
    assert caplog.messages[-2:] == [
        f"{sample.name}: {first['key']!r} was taken back by ann: 2 rows of 2 entities",
        f"Drop these files again, some rows of which may have come with it: {later['key']}",
    ]


def test_a_feature_table_can_be_taken_back_too() -> None:
    table = FeatureTable.model_validate(
        {
            "kind": "table",
            "name": new_name(),
            "description": "hourly weather",
            "entity": {"name": "place", "key": ["PLACE", "LEVEL"]},
            "event_time": "AT",
            "columns": {"PLACE": "text", "LEVEL": "integer", "AT": "timestamp", "TEMP": "number"},
        }
    )
    key = drop(make_dataset(table.name), b"PLACE;LEVEL;AT;TEMP\nJFK;0;2026-01-01;1.5\nJFK;1;2026-01-01;2\n")
    report = uploads.load(table, "train", key)
    online_rows.materialize(table)
    done = withdraw(table, report["sha256"], reason="x", by="ann")
    assert (done.rows, done.entities) == (2, 2)
    assert fetch(f'SELECT count(*) FROM features."{table.name}"') == [(0,)]
    assert json.loads(json.dumps(report))["rows_loaded"] == 2
