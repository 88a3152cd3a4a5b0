"""An uploaded file is loaded once and whole, whatever fails; on real servers."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from ml_platform.exceptions import PlatformError, ServiceError, UploadChangedError
from ml_platform.files.reading import open_rows
from ml_platform.ingestion import ledger, settling, uploads
from ml_platform.parsing.allowed import allowed_texts
from ml_platform.specs.spec import Dataset, FeatureTable
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, transaction
from ml_platform.storage.tables import ensure_tables
from tests.ml_platform.ingestion.upload_cases import (
    as_files,
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
    waiting_keys,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

KILLS = int(os.environ.get("KILLS", "3"))
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def keys_of(dataset: Dataset, folder: str) -> list[str]:
    return [version.key for version in object_store.list_objects("train", f"{folder}/train_{dataset.name}")]


def test_a_file_is_loaded_and_settled(sample: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ml_platform")
    data = csv_bytes({"ID": "7"}, {"ID": "8", "PRICE": ""})
    report = ingest(sample, data)
    assert_accounted(sample, report)
    assert rows_in("features", sample, '"ID", line, "PRICE", "KIND", "FLAG"') == [
        (7, 2, 67349.0, "Blue Collar", True),
        (8, 3, None, "Blue Collar", True),
    ]
    assert rows_in("labels", sample, '"ID", "LABEL", "COST"') == [(7, 0, 0.0), (8, 0, 0.0)]
    assert waiting_keys(sample) == []
    assert object_store.get("train", report["archived_key"]) == data
    assert json.loads(object_store.get("train", report["report_key"])) == report
    archived = "SELECT outcome, archived_key FROM uploads.arrivals WHERE dataset = $1"
    assert fetch(archived, sample.name) == [("loaded", report["archived_key"])]
    assert (
        f"'{report['key']}' (CSV, separated by commas, UTF-8): 2 rows read, 2 loaded, 0 rejected; already there: no"
        in caplog.text
    )


def test_what_is_unusual_in_a_loaded_file_is_in_its_report(sample: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    report = ingest(sample, csv_bytes(*({"ID": str(i), "MORE": "1", "RATIO": ""} for i in range(20))))
    assert report["outcome"] == "loaded"
    extra, label, *others = report["warnings"]
    assert extra == f"1 column is ignored, which datasets/{sample.name}.yaml does not list: MORE"
    assert label == "the label LABEL has a single class: it is 0 in all 20 rows"
    assert "RATIO has no value in any of the 20 rows" in others
    assert json.loads(object_store.get("train", report["report_key"]))["warnings"] == report["warnings"]
    assert all(f"{report['key']!r}: {text}" in caplog.text for text in report["warnings"])


def test_the_same_bytes_load_once_whatever_the_name(sample: Dataset) -> None:
    data = many(50)
    first = ingest(sample, data)
    assert first["outcome"] == "loaded"
    upload_later(first, data)  # in the same second it would be the same arrival
    for suffix in ("", "_again", "_'; DROP TABLE x; --", "_ä漢 %20+&?", "/..x/y"):
        report = ingest(sample, data, suffix)
        assert (report["outcome"], report["rows_loaded"]) == ("duplicate", 0)
        assert object_store.get("train", report["archived_key"]) == data
        assert f"loaded from 'train_{sample.name}.csv' at 2" in report["reasons"][0]["reason"]
    assert rows_in("features", sample) == 50
    assert waiting_keys(sample) == []


def test_bytes_uploaded_in_parts_are_the_same_bytes(sample: Dataset) -> None:
    data, client = many(150_000), object_store.client()
    assert len(data) > 5 * 2**20
    ingest(sample, data)
    target = {"Bucket": "train", "Key": f"train_{sample.name}_parts.csv"}
    upload = client.create_multipart_upload(**target)["UploadId"]
    parts = []
    for number, part in enumerate((data[: 5 * 2**20], data[5 * 2**20 :]), 1):
        etag = client.upload_part(**target, UploadId=upload, PartNumber=number, Body=part)["ETag"]
        parts.append({"ETag": etag, "PartNumber": number})
    client.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": parts})
    assert uploads.ingest(sample, target["Key"])["outcome"] == "duplicate"
    assert rows_in("features", sample) == 150_000


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"", None, "the file is empty"),
        (b"\x89PNG\r\n\x1a\n", None, "the file is a PNG image"),
        (csv_bytes({"ID": "1", "RATIO": "x"}, {"ID": "2", "RATIO": "y"}, {"ID": "3"}), None, "2 of 3 rows are bad"),
        (many(25_000) + b'1,0,"never closed', 25002, "line 25002: a quote opens here"),
        (many(3).replace(b"RATIO", b"RATE"), 1, "line 1: the header lacks RATIO"),
        (b"Sales\n\n" + many(3), 3, "line 3: the header is on this line"),
    ],
    ids=["empty", "image", "too many bad rows", "broken after the first batch", "missing column", "title"],
)
def test_a_file_that_breaks_the_contract_leaves_nothing_but_a_report(
    sample: Dataset, data: bytes, line: int | None, reason: str
) -> None:
    key = drop(sample, data)
    report = uploads.load(sample, "train", key)
    assert report["outcome"] == "rejected"
    assert report["reasons"][0]["line"] == line
    assert report["allowed"] == allowed_texts(sample, "train")
    for _ in range(2):
        assert settling.settle(report) == report
    assert rows_in("features", sample) == rows_in("labels", sample) == 0
    for table in ("ledger", "rejected_rows"):
        assert fetch(f"SELECT count(*) FROM uploads.{table} WHERE dataset = $1", sample.name) == [(0,)]
    stem = report["archived_key"].removesuffix(".csv")
    assert keys_of(sample, "rejected") == [f"{stem}.csv", f"{stem}.report.json", f"{stem}.report.txt"]
    text = object_store.get("train", f"{stem}.report.txt").decode()
    assert reason in text
    assert "  - COUNT: a whole number, from 0 to 10, or missing (an empty cell)\n" in text
    assert f"reports/templates/{sample.name}.csv\n" in text
    assert object_store.get("train", f"{stem}.csv") == data


def test_a_file_of_any_format_is_loaded_and_its_bad_row_comes_back(sample: Dataset) -> None:
    for number, ending in enumerate(as_files([])):
        rows = [{"ID": f"{number + 1}{i}", "NOTE": "ä, b", "RATIO": "x" if i == 2 else "0.5"} for i in range(4)]
        report = uploads.ingest(sample, drop(sample, as_files(rows)[ending], ending=ending))
        assert report["outcome"] == "loaded", report["reasons"]
        assert_accounted(sample, report)
        assert (report["rows_loaded"], report["rows_rejected"]) == (3, 1)
        assert report["archived_key"].endswith(ending.split(".", 2)[-1])
        kinds = {"jsonl": "JSON lines", "parquet": "Parquet"}
        assert report["format"].startswith(next((kinds[k] for k in kinds if k in ending), "CSV"))
        assert report["rejected_key"] is not None
        written = object_store.get("train", report["rejected_key"])
        line, sign = 3 if "jsonl" in ending or "parquet" in ending else 4, report["delimiter"] or ","
        assert f"\n{line}{sign}RATIO: not a number{sign}{number + 1}2{sign}" in written.decode("utf-8-sig")
        returned = open_rows(io.BytesIO(written), "rejected")
        assert [(row[0], row[-1]) for row in returned] == [(f"{number + 1}2", "ä, b")]
    assert waiting_keys(sample) == []


@pytest.mark.parametrize(("ending", "data"), [(".xlsx", b"PK\x03\x04..."), ("", b"?"), (".csv.gz", b"\x1f\x8b\x08")])
def test_what_cannot_be_read_is_rejected_with_a_report(sample: Dataset, ending: str, data: bytes) -> None:
    drop(sample, data, ending=ending)
    [key] = waiting_keys(sample)
    report = uploads.ingest(sample, key)
    assert report["outcome"] == "rejected"
    assert report["archived_key"].startswith("rejected/")
    assert report["archived_key"].endswith(f"{report['sha256'][:8]}{ending}")
    assert object_store.get("train", report["archived_key"]) == data
    assert waiting_keys(sample) == []


def test_a_feature_table_is_loaded_by_its_own_name() -> None:
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
    data = b"PLACE;LEVEL;AT;TEMP\nJFK;0;2026-01-01 12:00;1.5\nJFK;1;2026-01-01 12:00;\nJFK;1;2026-01-01 12:00;2\n"
    object_store.client().put_object(Bucket="train", Key=f"{table.name}_2026.tsv", Body=data)
    [key] = waiting_keys(table)
    report = uploads.ingest(table.model_copy(update={"max_bad_rows": 0.5}), key)
    assert (report["rows_loaded"], report["rows_rejected"]) == (2, 1)
    assert fetch(f'SELECT "PLACE", "LEVEL", "TEMP" FROM features."{table.name}" ORDER BY "LEVEL"') == [
        ("JFK", 0, 1.5),
        ("JFK", 1, None),
    ]


def test_a_bad_file_blocks_nobody_else(sample: Dataset) -> None:
    for suffix, data in (("_a", b"\xff"), ("_b", many(3)), ("_c", b"ID;LABEL")):
        drop(sample, data, suffix)
    outcomes = [uploads.ingest(sample, key)["outcome"] for key in waiting_keys(sample)]
    assert sorted(outcomes) == ["loaded", "rejected", "rejected"]
    assert rows_in("features", sample) == 3


def test_a_rejected_file_loads_once_the_contract_is_fixed(sample: Dataset) -> None:
    data = csv_bytes({"COUNT": "11"})
    rejected = ingest(sample, data)
    assert rejected["outcome"] == "rejected"
    fixed = make_dataset(sample.name, columns={"COUNT": {"type": "integer", "max": 20}})
    upload_later(rejected, data)  # in the same second it would be the same arrival
    assert ingest(fixed, data)["outcome"] == "loaded"
    assert rows_in("features", sample) == 1


def test_each_run_announces_the_new_rows_of_its_files_once(sample: Dataset) -> None:
    reports = [ingest(sample, many(3)), ingest(sample, csv_bytes({"ID": "0"}, {"ID": "9"}), "_2")]
    assert [uploads.announce(sample, run) for run in ("one", "one", "two")] == [4, 4, 0]
    with transaction() as cursor:
        announced = ledger.announced_arrivals(cursor, sample.name, "one", 5)
        assert ledger.announced_arrivals(cursor, sample.name, "two", 5) == []
    arrivals = {(r["bucket"], r["key"], r["etag"], datetime.fromisoformat(r["last_modified"])) for r in reports}
    assert set(announced) == arrivals  # by which the spans of a training find those of its files
    ingest(sample, csv_bytes({"ID": "99"}), "_3")
    assert [uploads.announce(sample, run) for run in ("one", "three")] == [5, 0]


def test_an_open_upload_can_be_read_until_it_is_closed(sample: Dataset) -> None:
    key = drop(sample, many(3))
    with uploads.open_upload(sample, "train", key) as upload:
        for _ in range(2):  # from the beginning each time
            assert sum(batch.rows_read for batch in upload.batches()) == 3
        assert (upload.object.key, upload.earlier_report, str(upload.format)[:3]) == (key, None, "CSV")
    assert upload.local.file.closed


def test_an_upload_that_was_processed_before_is_not_read(sample: Dataset) -> None:
    key = drop(sample, many(3))
    first = uploads.load(sample, "train", key)
    with uploads.open_upload(sample, "train", key) as upload:
        assert (upload.earlier_report, upload.copy) == (first, None)
        with pytest.raises(ValueError, match="was processed before"):
            upload.batches()


def test_an_error_of_the_caller_passes_through_an_open_upload(sample: Dataset) -> None:
    key = drop(sample, many(3))
    change = UploadChangedError("of the caller's own")
    with pytest.raises(UploadChangedError) as error, uploads.open_upload(sample, "train", key):
        raise change
    assert error.value is change


def test_a_file_replaced_while_it_is_read_is_read_again(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    key = drop(sample, many(30))
    is_current, newer = object_store.is_current, iter([csv_bytes({"ID": "99"})])

    def replaced_once(version: object_store.ObjectVersion) -> bool:
        for data in newer:
            drop(sample, data)
        return is_current(version)

    monkeypatch.setattr(object_store, "is_current", replaced_once)
    assert uploads.ingest(sample, key)["rows_loaded"] == 1
    assert rows_in("features", sample, '"ID"') == [(99,)]


def test_a_file_replaced_again_and_again_is_left_for_later(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    key = drop(sample, many(3))
    monkeypatch.setattr(object_store, "is_current", lambda _: False)
    with pytest.raises(UploadChangedError):
        uploads.load(sample, "train", key)


@pytest.mark.parametrize("pairs", [5])
def test_two_at_once_load_once(sample: Dataset, pairs: int) -> None:
    ensure_tables(sample)
    for pair in range(pairs):
        data = many(5_000, NOTE=f"pair {pair}")
        keys = [drop(sample, data, f"_{pair}_{name}") for name in "ab"]
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda key: uploads.ingest(sample, key), keys))
        assert sorted(report["outcome"] for report in reports) == ["duplicate", "loaded"]
        assert rows_in("features", sample) == 5_000 * (pair + 1)


def test_two_workers_on_one_arrival_agree(sample: Dataset) -> None:
    key = drop(sample, many(5_000))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: uploads.load(sample, "train", key), range(2))
    assert first == second
    assert first["outcome"] == "loaded"
    assert rows_in("features", sample) == 5_000


def test_two_files_with_common_rows_at_once(sample: Dataset) -> None:
    dataset = timed_dataset(sample.name)
    files = [
        csv_bytes(*({"ID": str(i), "AT": "2026-01-01"} for i in ids)) for ids in (range(4000), range(5999, 1999, -1))
    ]
    keys = [drop(dataset, data, f"_{number}") for number, data in enumerate(files)]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda key: uploads.ingest(dataset, key), keys))
    assert sum(report["rows_loaded"] for report in reports) == rows_in("features", dataset) == 6000
    assert sum(report["rows_present"] for report in reports) == 2000
    for report in reports:
        assert_accounted(dataset, report)


def test_an_outage_loads_nothing(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    key = drop(sample, many(3))
    record_counts = "ml_platform.ingestion.ledger.record_counts"
    monkeypatch.setattr(
        record_counts, lambda cursor, _: cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    )
    with pytest.raises(PlatformError) as error:
        uploads.load(sample, "train", key)
    assert isinstance(error.value, ServiceError)
    assert rows_in("features", sample) == 0
    monkeypatch.undo()
    assert uploads.ingest(sample, key)["rows_loaded"] == 3


LOADER = """
import sys
from ml_platform.ingestion import uploads
from tests.ml_platform.ingestion.upload_cases import make_dataset
dataset = make_dataset(sys.argv[1])
print("ready", flush=True)
uploads.ingest(dataset, sys.argv[2])
"""


class Reader:
    """Polls the rows of one upload and keeps each count."""

    def __init__(self, dataset: Dataset) -> None:
        self.counts: set[tuple[int, int]] = set()
        self._statement = (
            f'SELECT (SELECT count(*) FROM features."{dataset.name}"), (SELECT count(*) FROM labels."{dataset.name}")'
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def _poll(self) -> None:
        while not self._stop.is_set():
            self.counts.add(fetch(self._statement)[0])  # type: ignore[arg-type]

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def loader_environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}


def kill_while_loading(dataset: Dataset, key: str, environment: dict[str, str], delay: float) -> bool:
    """Load in a process of its own and kill it; return whether it was still running."""
    command = [sys.executable, "-c", LOADER, dataset.name, key]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def test_a_killed_load_is_never_half_visible(
    sample: Dataset, loader_environment: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    rows, killed, longest, chance = 20_000, 0, 1.2, random.Random(7)  # noqa: S311 – no secret
    ensure_tables(sample)
    with Reader(sample) as reader:
        for attempt in range(KILLS):
            key = drop(sample, many(rows, NOTE=f"attempt {attempt}"))
            delay = chance.uniform(0, longest)
            if kill_while_loading(sample, key, loader_environment, delay):
                killed += 1
            else:
                longest = delay  # it had ended by then: on a faster machine no kill would come in time
            record_property("tried", killed)
            report = uploads.ingest(sample, key)
            assert report["outcome"] == "loaded"
            assert_accounted(sample, report)
            assert rows_in("features", sample) == rows * (attempt + 1)
    assert {count % rows for pair in reader.counts for count in pair} == {0}
    assert {features - labels for features, labels in reader.counts} == {0}
    assert killed > KILLS / 2
    assert waiting_keys(sample) == []
    assert len([key for key in keys_of(sample, "processed") if key.endswith(".csv")]) == KILLS
