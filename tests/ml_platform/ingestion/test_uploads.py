"""The ledger's promises, on real servers."""

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
from pathlib import Path
from typing import Any

import pytest

from ml_platform.exceptions import ContractError, PlatformError, ServiceError, UploadChangedError
from ml_platform.files.reading import open_rows
from ml_platform.ingestion import uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.spec import Dataset, FeatureTable
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.storage.tables import ensure_tables
from tests.ml_platform.ingestion.upload_cases import (
    as_files,
    csv_bytes,
    drop,
    make_dataset,
    many,
    new_name,
    timed_dataset,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

KILLS = int(os.environ.get("KILLS", "10"))
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name())


def rows_in(schema: str, dataset: Dataset, columns: str = "count(*)") -> Any:
    found = fetch(f'SELECT {columns} FROM {schema}."{dataset.name}"')
    return found[0][0] if columns == "count(*)" else found


def ingest(dataset: Dataset, data: bytes, suffix: str = "") -> UploadReport:
    return uploads.ingest(dataset, drop(dataset, data, suffix))


def assert_accounted(dataset: Dataset, outcome: UploadReport) -> None:
    """Assert that every row of a loaded file is loaded, rejected or already there, exactly once."""
    assert outcome["rows_read"] == outcome["rows_loaded"] + outcome["rows_rejected"] + outcome["rows_present"]
    ledger = fetch(
        "SELECT rows_read, rows_loaded, rows_rejected FROM uploads.ledger WHERE dataset = $1 AND sha256 = $2",
        *(dataset.name, outcome["sha256"]),
    )
    assert ledger == [(outcome["rows_read"], outcome["rows_loaded"], outcome["rows_rejected"])]
    for schema in ("features", "labels"):
        statement = f'SELECT count(*), count(DISTINCT line) FROM {schema}."{dataset.name}" WHERE upload_sha256 = $1'
        assert fetch(statement, outcome["sha256"]) == [(outcome["rows_loaded"],) * 2]
    rejected = "SELECT count(DISTINCT line) FROM uploads.rejected_rows WHERE dataset = $1 AND sha256 = $2"
    assert fetch(rejected, dataset.name, outcome["sha256"]) == [(outcome["rows_rejected"],)]


def keys_of(dataset: Dataset, folder: str) -> list[str]:
    return [seen.key for seen in object_store.list_objects("train", f"{folder}/train_{dataset.name}")]


def test_a_file_is_loaded_and_settled(sample: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "ml_platform")
    data = csv_bytes({"ID": "7"}, {"ID": "8", "PRICE": ""})
    outcome = ingest(sample, data)
    assert_accounted(sample, outcome)
    assert rows_in("features", sample, '"ID", line, "PRICE", "KIND", "FLAG"') == [
        (7, 2, 67349.0, "Blue Collar", True),
        (8, 3, None, "Blue Collar", True),
    ]
    assert rows_in("labels", sample, '"ID", "LABEL", "COST"') == [(7, 0, 0.0), (8, 0, 0.0)]
    assert uploads.waiting(sample, "train") == []
    assert object_store.get("train", outcome["archived_key"]) == data
    assert json.loads(object_store.get("train", outcome["report_key"])) == outcome
    archived = "SELECT outcome, archived_key FROM uploads.arrivals WHERE dataset = $1"
    assert fetch(archived, sample.name) == [("loaded", outcome["archived_key"])]
    assert (
        f"'{outcome['key']}' (CSV, separated by commas, UTF-8): 2 rows read, 2 loaded, 0 rejected; already there: no"
        in caplog.text
    )


def test_without_an_event_time_the_claim_is_both_clocks(sample: Dataset) -> None:
    ingest(sample, many(3))
    claimed = fetch("SELECT claimed_at FROM uploads.ledger WHERE dataset = $1", sample.name)[0]
    for schema in ("features", "labels"):
        assert rows_in(schema, sample, "DISTINCT event_timestamp, created_timestamp") == [claimed * 2]


@pytest.mark.parametrize(("known_at", "known"), [("event_time", "AT"), ("load", "claim"), ("SEEN", "SEEN")])
def test_clocks_come_from_the_file(known_at: str, known: str) -> None:
    dataset = timed_dataset(new_name(), known_at=known_at, columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-01-02T03:04:05+01:00"}))
    claim = fetch("SELECT claimed_at FROM uploads.ledger WHERE dataset = $1", dataset.name)[0][0].isoformat()
    expected = {"AT": "2026-01-01T00:00:00+00:00", "SEEN": "2026-01-02T02:04:05+00:00", "claim": claim}
    for schema in ("features", "labels"):
        clocks = rows_in(schema, dataset, "event_timestamp, created_timestamp")
        assert [[clock.isoformat() for clock in row] for row in clocks] == [[expected["AT"], expected[known]]]


def test_the_same_bytes_load_once_whatever_the_name(sample: Dataset) -> None:
    data = many(50)
    assert ingest(sample, data)["outcome"] == "loaded"
    time.sleep(1.1)  # the store's times have seconds: the same name and bytes in one second are one arrival
    for suffix in ("", "_again", "_'; DROP TABLE x; --", "_ä漢 %20+&?", "/..x/y"):
        outcome = ingest(sample, data, suffix)
        assert (outcome["outcome"], outcome["rows_loaded"]) == ("duplicate", 0)
        assert object_store.get("train", outcome["archived_key"]) == data
        assert f"loaded from 'train_{sample.name}.csv' at 2" in outcome["reasons"][0]["reason"]
    assert rows_in("features", sample) == 50
    assert uploads.waiting(sample, "train") == []


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


def test_every_step_can_be_run_again(sample: Dataset) -> None:
    key = drop(sample, csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x"}, {"ID": "3"}))
    first = uploads.load(sample, "train", key)
    assert uploads.load(sample, "train", key) == first
    assert uploads.settle(first) == first
    before = [(seen.key, seen.etag, seen.last_modified) for seen in object_store.list_objects("train", "processed/")]
    assert uploads.settle(first) == first
    assert uploads.load(sample, "train", key) == first
    assert [
        (seen.key, seen.etag, seen.last_modified) for seen in object_store.list_objects("train", "processed/")
    ] == before
    assert_accounted(sample, first)
    assert uploads.count_new_rows([first, None]) == 2


def test_a_crash_between_copy_and_deletion_is_mended(sample: Dataset) -> None:
    key = drop(sample, many(3))
    outcome = uploads.load(sample, "train", key)
    seen = object_store.head("train", key)
    assert seen is not None
    object_store._copy(seen, outcome["archived_key"])
    uploads.settle(uploads.load(sample, "train", key))
    assert object_store.head("train", key) is None


def test_bad_rows_are_set_aside_with_their_reasons(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "NA", "NOTE": "=1+1"}, {"ID": "3"}, {"ID": "1", "NOTE": "twin"})
    outcome = ingest(sample, data)
    assert_accounted(sample, outcome)
    assert (outcome["rows_loaded"], outcome["rows_rejected"]) == (2, 2)
    assert [(r["line"], r["column"], r["value"]) for r in outcome["reasons"]] == [(3, "RATIO", "NA"), (5, "ID", "1")]
    assert outcome["reasons"][1]["reason"] == "key 1 is already on line 2"
    assert outcome["rejected_key"] is not None
    header, second, twin = object_store.get("train", outcome["rejected_key"]).decode().splitlines()
    assert header.startswith("rejected: line,rejected: reason,ID,LABEL")
    assert second.startswith("3,")
    assert second.endswith(',NA,"$67,349",z_Blue Collar,yes,\'=1+1')
    assert twin.startswith("5,ID: key 1 is already on line 2,1,")


def test_a_rejected_row_of_a_timed_file_names_the_time() -> None:
    dataset = timed_dataset(new_name())
    rows = [{"AT": "2026-01-01"}, {"AT": "2026-01-02"}, {"AT": "2026-01-01"}]
    outcome = ingest(dataset, csv_bytes(*rows))
    assert_accounted(dataset, outcome)
    assert outcome["reasons"][0]["reason"] == "key 1 at 2026-01-01 00:00:00.000000 is already on line 2"


def test_rows_that_an_earlier_file_brought_are_already_there() -> None:
    dataset = timed_dataset(new_name())
    ingest(dataset, csv_bytes({"ID": "1", "AT": "2026-01-01"}, {"ID": "2", "AT": "2026-01-01"}))
    changed = {"ID": "2", "AT": "2026-01-01", "LABEL": "1"}
    outcome = ingest(dataset, csv_bytes({"ID": "1", "AT": "2026-01-01"}, changed, {"ID": "3", "AT": "2026-01-01"}))
    assert_accounted(dataset, outcome)
    assert (outcome["rows_loaded"], outcome["rows_present"], outcome["rows_rejected"]) == (1, 1, 1)
    assert "same time but other values on line 3 of an earlier file" in outcome["reasons"][0]["reason"]
    assert rows_in("labels", dataset, 'count(*), sum("LABEL")::bigint') == [(3, 0)]


def test_column_names_are_only_names() -> None:
    words = ("event", "known", "key", "first", "same", "other", "at", "Select", "a b-c.d", "i", "f", "_value")
    dataset = timed_dataset(
        new_name(), event_time="event", columns=dict.fromkeys(words, "text") | {"event": "timestamp"}
    )
    row = {"AT": "2026-01-01", "event": "2026-01-01"} | {word: word for word in words if word != "event"}
    assert ingest(dataset, csv_bytes(row))["rows_loaded"] == 1
    outcome = ingest(dataset, csv_bytes(row, row | {"ID": "2"}, row | {"ID": "2"}))
    assert_accounted(dataset, outcome)
    assert (outcome["rows_present"], outcome["rows_loaded"], outcome["rows_rejected"]) == (1, 1, 1)
    assert rows_in("features", dataset, 'DISTINCT "a b-c.d", "Select"') == [("a b-c.d", "Select")]


CELLS = [
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE features.x; --",
    "{{ 7*7 }}",
    "%s %(x)s",
    "$1",
    "<script>",
    "\\N",
    "../..",
    "漢字",
]


def test_hostile_cells_are_only_data(sample: Dataset) -> None:
    ingest(sample, csv_bytes(*({"ID": str(i), "NOTE": cell, "KIND": cell} for i, cell in enumerate(CELLS))))
    assert rows_in("features", sample, '"NOTE", "KIND"') == [(cell, cell) for cell in CELLS]
    mixed = [{"ID": str(i)} for i in range(9)] + [{"ID": cell, "RATIO": cell} for cell in CELLS]
    outcome = ingest(sample, csv_bytes(*mixed))
    assert_accounted(sample, outcome)
    assert [r["value"] for r in outcome["reasons"] if r["column"] == "RATIO"] == CELLS


def test_a_correction_known_later_is_a_new_version() -> None:
    dataset = timed_dataset(new_name(), known_at="SEEN", columns={"SEEN": "timestamp"})
    ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-01-01"}))
    outcome = ingest(dataset, csv_bytes({"AT": "2026-01-01", "SEEN": "2026-02-01", "RATIO": "0.7"}))
    assert outcome["rows_loaded"] == 1
    assert rows_in("features", dataset) == 2


def test_an_entity_uploaded_again_is_a_new_version(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.1"}))
    ingest(sample, csv_bytes({"ID": "1", "RATIO": "0.2"}))
    assert rows_in("features", sample, 'count(*), count(DISTINCT event_timestamp), count(DISTINCT "RATIO")') == [
        (2, 2, 2)
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (csv_bytes({"ID": "1", "RATIO": "x"}, {"ID": "2", "RATIO": "y"}, {"ID": "3"}), "2 of 3 rows are bad"),
        (many(25_000) + b'1,0,"never closed', "line 25002: a quote opens here"),
        (many(3).replace(b"RATIO", b"RATE"), "the header lacks RATIO"),
    ],
    ids=["empty", "too many bad rows", "broken after the first batch", "missing column"],
)
def test_a_file_that_breaks_the_contract_leaves_nothing_but_a_report(sample: Dataset, data: bytes, reason: str) -> None:
    key = drop(sample, data)
    outcome = uploads.load(sample, "train", key)
    assert outcome["outcome"] == "rejected"
    assert outcome["reasons"][0]["line"] is None
    for _ in range(2):
        with pytest.raises(ContractError, match=reason):
            uploads.settle(outcome)
    assert rows_in("features", sample) == rows_in("labels", sample) == 0
    for table in ("ledger", "rejected_rows"):
        assert fetch(f"SELECT count(*) FROM uploads.{table} WHERE dataset = $1", sample.name) == [(0,)]
    stem = outcome["archived_key"].removesuffix(".csv")
    assert keys_of(sample, "rejected") == [f"{stem}.csv", f"{stem}.report.json", f"{stem}.report.txt"]
    assert reason in object_store.get("train", f"{stem}.report.txt").decode()
    assert object_store.get("train", f"{stem}.csv") == data


def test_a_file_of_any_format_is_loaded_and_its_bad_row_comes_back(sample: Dataset) -> None:
    for number, ending in enumerate(as_files([])):
        rows = [{"ID": f"{number + 1}{i}", "NOTE": "ä, b", "RATIO": "x" if i == 2 else "0.5"} for i in range(4)]
        outcome = uploads.ingest(sample, drop(sample, as_files(rows)[ending], ending=ending))
        assert outcome["outcome"] == "loaded", outcome["reasons"]
        assert_accounted(sample, outcome)
        assert (outcome["rows_loaded"], outcome["rows_rejected"]) == (3, 1)
        assert outcome["archived_key"].endswith(ending.split(".", 2)[-1])
        kinds = {"jsonl": "JSON lines", "parquet": "Parquet"}
        assert outcome["format"].startswith(next((kinds[k] for k in kinds if k in ending), "CSV"))
        assert outcome["rejected_key"] is not None
        written = object_store.get("train", outcome["rejected_key"])
        line, sign = 3 if "jsonl" in ending or "parquet" in ending else 4, outcome["delimiter"] or ","
        assert f"\n{line}{sign}RATIO: not a number{sign}{number + 1}2{sign}" in written.decode("utf-8-sig")
        returned = open_rows(io.BytesIO(written), "rejected")
        assert [(row[0], row[-1]) for row in returned] == [(f"{number + 1}2", "ä, b")]
    assert uploads.waiting(sample, "train") == []


@pytest.mark.parametrize(("ending", "data"), [(".xlsx", b"PK\x03\x04..."), ("", b"?"), (".csv.gz", b"\x1f\x8b\x08")])
def test_what_cannot_be_read_is_rejected_with_a_report(sample: Dataset, ending: str, data: bytes) -> None:
    drop(sample, data, ending=ending)
    [key] = uploads.waiting(sample, "train")
    outcome = uploads.ingest(sample, key)
    assert outcome["outcome"] == "rejected"
    assert outcome["archived_key"].startswith("rejected/")
    assert outcome["archived_key"].endswith(f"{outcome['sha256'][:8]}{ending}")
    assert object_store.get("train", outcome["archived_key"]) == data
    assert uploads.waiting(sample, "train") == []


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
    [key] = uploads.waiting(table, "train")
    outcome = uploads.ingest(table.model_copy(update={"max_bad_rows": 0.5}), key)
    assert (outcome["rows_loaded"], outcome["rows_rejected"]) == (2, 1)
    assert fetch(f'SELECT "PLACE", "LEVEL", "TEMP" FROM features."{table.name}" ORDER BY "LEVEL"') == [
        ("JFK", 0, 1.5),
        ("JFK", 1, None),
    ]


def test_a_bad_file_blocks_nobody_else(sample: Dataset) -> None:
    for suffix, data in (("_a", b"\xff"), ("_b", many(3)), ("_c", b"ID;LABEL")):
        drop(sample, data, suffix)
    outcomes = [uploads.ingest(sample, key)["outcome"] for key in uploads.waiting(sample, "train")]
    assert sorted(outcomes) == ["loaded", "rejected", "rejected"]
    assert rows_in("features", sample) == 3


def test_a_rejected_file_loads_once_the_contract_is_mended(sample: Dataset) -> None:
    data = csv_bytes({"COUNT": "11"})
    assert ingest(sample, data)["outcome"] == "rejected"
    mended = make_dataset(sample.name, columns={"COUNT": {"type": "integer", "max": 20}})
    time.sleep(1.1)  # the store's times have seconds, and the same bytes in the same second are the same arrival
    assert ingest(mended, data)["outcome"] == "loaded"
    assert rows_in("features", sample) == 1


def test_reject_file_bears_no_bad_row() -> None:
    dataset = make_dataset(new_name(), on_bad_row="reject_file")
    outcome = ingest(dataset, many(50) + b"x,0,0,3,0.5,1,k,yes,t\n")
    assert outcome["outcome"] == "rejected"
    assert [reason["line"] for reason in outcome["reasons"]] == [None, 52]


def test_a_file_that_is_gone_is_nothing(sample: Dataset) -> None:
    outcome = uploads.load(sample, "train", f"train_{sample.name}_never.csv")
    assert outcome["outcome"] == "gone"
    assert uploads.settle(outcome) == outcome
    assert uploads.count_new_rows([outcome]) == 0


def test_a_file_replaced_before_it_is_settled_is_loaded_too(sample: Dataset) -> None:
    key = drop(sample, many(3))
    first = uploads.load(sample, "train", key)
    drop(sample, csv_bytes({"ID": "99"}))
    uploads.settle(first)
    assert uploads.waiting(sample, "train") == [key]
    second = uploads.ingest(sample, key)
    assert (second["outcome"], second["rows_loaded"]) == ("loaded", 1)
    assert rows_in("features", sample) == 4


def test_a_file_replaced_while_it_is_read_is_read_anew(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    key = drop(sample, many(30))
    is_current, newer = object_store.is_current, iter([csv_bytes({"ID": "99"})])

    def replaced_once(seen: object_store.ObjectVersion) -> bool:
        for data in newer:
            drop(sample, data)
        return is_current(seen)

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
            outcomes = list(pool.map(lambda key: uploads.ingest(sample, key), keys))
        assert sorted(outcome["outcome"] for outcome in outcomes) == ["duplicate", "loaded"]
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
        outcomes = list(pool.map(lambda key: uploads.ingest(dataset, key), keys))
    assert sum(outcome["rows_loaded"] for outcome in outcomes) == rows_in("features", dataset) == 6000
    assert sum(outcome["rows_present"] for outcome in outcomes) == 2000
    for outcome in outcomes:
        assert_accounted(dataset, outcome)


def test_an_outage_loads_nothing(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    key = drop(sample, many(3))
    fill = "ml_platform.ingestion.ledger.fill"
    monkeypatch.setattr(fill, lambda cursor, _: cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())"))
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
    """Polls the rows of one upload and keeps every count that it sees."""

    def __init__(self, dataset: Dataset) -> None:
        self.seen: set[tuple[int, int]] = set()
        self._statement = (
            f'SELECT (SELECT count(*) FROM features."{dataset.name}"), (SELECT count(*) FROM labels."{dataset.name}")'
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def _poll(self) -> None:
        while not self._stop.is_set():
            self.seen.add(fetch(self._statement)[0])  # type: ignore[arg-type]

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
    """Load in a process of its own and kill it; return whether it was still at it."""
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
                longest = delay  # it was done by then: on a faster machine no kill would hit
            record_property("tried", killed)
            outcome = uploads.ingest(sample, key)
            assert outcome["outcome"] == "loaded"
            assert_accounted(sample, outcome)
            assert rows_in("features", sample) == rows * (attempt + 1)
    assert {count % rows for pair in reader.seen for count in pair} == {0}
    assert {features - labels for features, labels in reader.seen} == {0}
    assert killed > KILLS / 2
    assert uploads.waiting(sample, "train") == []
    assert len([key for key in keys_of(sample, "processed") if key.endswith(".csv")]) == KILLS
