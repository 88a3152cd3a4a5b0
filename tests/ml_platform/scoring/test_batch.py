"""An uploaded file becomes predictions, once and completely: on real servers, with a small real model."""

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from scipy.special import logit

from ml_platform.exceptions import RegistryError
from ml_platform.ingestion import settling
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.parsing import batches
from ml_platform.registry import registry
from ml_platform.scoring import batch
from ml_platform.scoring.result_files import read_rows
from ml_platform.scoring.result_keys import card_key
from ml_platform.specs.parts import Column, Result, ResultFormat
from ml_platform.specs.spec import Dataset
from ml_platform.storage import mlflow_client, object_store
from ml_platform.storage.database import fetch
from ml_platform.training import steps
from ml_platform.training.training_set import entity_ids, frozen_key
from tests.ml_platform.ingestion.upload_cases import drop, new_name, upload_later
from tests.ml_platform.promotion.champions import make_live
from tests.ml_platform.training.trainings import (
    artifact_store,
    essentials,
    files_of,
    make_dataset,
    make_frame,
    make_training_set,
    searched_with,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

KILLS = int(os.environ.get("KILLS", "2"))
ROOT = Path(__file__).resolve().parents[3]
ONE = {"logistic_regression": {"C": [1.0]}}
NAMES = ("id", "age", "income", "member", "empty", "town", "blank")


class Crash(Exception):  # noqa: N818 – not an error of the platform's: nothing may catch it
    """Stands for the end of the process at a point where a kill cannot be placed."""


def train(dataset: Dataset, seed: int = 1) -> registry.LoadedModel:
    """Register a model of a data set and make it the champion, without the gate."""
    training_set = make_training_set(dataset, make_frame(300, seed))
    with essentials():
        refitted = steps.refit(training_set, searched_with(training_set, attempt_id=str(seed)))
    make_champion(dataset, refitted.version)
    return registry.load_champion(dataset.name)


def make_champion(dataset: Dataset, version: int) -> None:
    make_live(dataset.name, version)


@pytest.fixture(scope="module")
def shop(mlflow_server: Any) -> Dataset:
    """A data set with two versions of its model; 1 is the champion."""
    dataset = make_dataset(new_name(), ONE).model_copy(update={"max_bad_rows": 0.4})
    assert [train(dataset, seed).version for seed in (1, 2)] == [1, 2]
    return dataset


@pytest.fixture(autouse=True)
def version_1_is_champion(shop: Dataset) -> None:
    make_champion(shop, 1)


def file_of(*rows: dict[str, Any], columns: tuple[str, ...] = NAMES) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({"age": 40, "income": "$1,000", "member": "yes", "town": "Ulm"} | row for row in rows)
    return text.getvalue().encode()


def many(count: int, **cells: Any) -> bytes:
    return file_of(*({"id": i, "age": 20 + i % 60} | cells for i in range(count, 0, -1)))


def put(dataset: Dataset, data: bytes, suffix: str = "") -> str:
    return drop(dataset, data, suffix or f"_{new_name()}", "test")


def scored(
    dataset: Dataset, data: bytes, suffix: str = ""
) -> tuple[UploadReport, list[dict[str, str]], dict[str, Any]]:
    """Score a file and settle it; return the report, the rows of its result, and the card."""
    report = settling.settle(batch.score(dataset, put(dataset, data, suffix)))
    return report, rows_of(report), card_of(report)


def rows_of(report: UploadReport) -> list[dict[str, str]]:
    """Return the rows of a result, as texts in any format."""
    key = str(report["result_key"])
    header, *rows = read_rows(io.BytesIO(object_store.get("result", key)), key)
    return [
        {name: value if isinstance(value, str) else repr(value) for name, value in zip(header, row, strict=True)}
        for row in rows
    ]


def card_of(report: UploadReport) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(object_store.get("result", card_key(str(report["result_key"]))))
    return card


def written_as(dataset: Dataset, form: ResultFormat) -> Dataset:
    return dataset.model_copy(update={"result": Result(format=form)})


def results(dataset: Dataset) -> dict[str, bytes]:
    return {
        version.key: object_store.get("result", version.key)
        for version in object_store.list_objects("result", f"{dataset.name}/")
    }


def test_every_row_is_predicted_in_the_order_of_the_upload(shop: Dataset) -> None:
    report, rows, card = scored(shop, many(300))
    model = registry.load_champion(shop.name)
    run = mlflow_client.connect().get_run(model.run_id)
    assert [row["id"] for row in rows] == [str(i) for i in range(300, 0, -1)]
    assert tuple(rows[0]) == ("id", "probability", "prediction", "model_version", "threshold")
    assert {(row["model_version"], row["threshold"]) for row in rows} == {("1", repr(model.task.threshold))}
    assert {row["prediction"] for row in rows} == {"0", "1"}
    for row in rows:
        assert 0 <= float(row["probability"]) <= 1
        assert int(row["prediction"]) == (float(row["probability"]) >= float(row["threshold"]))
    assert (report["outcome"], report["rows_read"], report["rows_rejected"]) == ("scored", 300, 0)
    assert card == {
        "dataset": shop.name, "file": report["key"], "file_sha256": report["sha256"],
        "uploaded": report["last_modified"], "result": report["result_key"], "model": shop.name, "model_version": 1,
        "model_run_id": model.run_id, "model_page": mlflow_client.version_url(shop.name, 1),
        "model_card": f"{mlflow_client.run_url(run)}/artifacts/model_card.html",
        "training_set_sha256": model.training_set_sha256, "spec_sha256": shop.sha256,
        "threshold": model.task.threshold, "degraded": None, "rows_in": 300, "rows_out": 300,
        "rows_rejected": 0, "cells_guarded": 0, "identified_by": ["id"], "warnings": report["warnings"],
    }  # fmt: skip
    assert report["warnings"] == [
        "income is 1000.0 in all 300 rows",
        "member is True in all 300 rows",
        "empty has no value in any of the 300 rows",
        "town is Ulm in all 300 rows",
        "blank has no value in any of the 300 rows",
    ]


def test_report_and_card_say_what_differs_from_the_training(shop: Dataset, caplog: pytest.LogCaptureFixture) -> None:
    frame, sink = make_frame(300), io.BytesIO()
    frame.to_parquet(sink, index=False)
    model = registry.load_champion(shop.name)
    object_store.put_new("mlflow", frozen_key(shop, model.training_set_sha256), sink.getvalue())
    trained = frame[~model.holdout.mask(entity_ids(shop, frame), frame["event_timestamp"])]
    first, second = trained["id"].head(2)
    report, _, card = scored(shop, file_of({"id": first, "town": "Rome"}, {"id": second, "age": 999}, {"id": 10**6}))
    unseen, outside, known = card["warnings"]
    assert unseen == "town has values that the model was not trained on: Rome (1 row)"
    assert outside.startswith("age is far outside the ")
    assert outside.endswith(" of the training in 1 row, for example 999")
    assert known.startswith("2 of 3 rows have keys that the model was trained on")
    assert (
        report["warnings"] == card["warnings"] == json.loads(object_store.get("test", report["report_key"]))["warnings"]
    )
    assert f"{report['key']!r}: {known}" in caplog.text


def test_a_result_as_parquet_has_the_same_rows_and_is_downloaded_as_such(shop: Dataset) -> None:
    data = many(50)
    report, rows, card = scored(written_as(shop, "parquet"), data)
    key = str(report["result_key"])
    assert key.endswith(".parquet")
    assert (card["result"], card["rows_out"]) == (key, 50)
    assert rows == scored(shop, data)[1]
    table = pq.read_table(io.BytesIO(object_store.get("result", key)))
    assert [str(field.type) for field in table.schema] == ["int64", "double", "string", "int64", "double"]
    kind = object_store.client().head_object(Bucket="result", Key=key)["ContentType"]
    assert kind == "application/vnd.apache.parquet"
    assert once(shop, report)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_result_with_reasons_adds_up_and_its_card_says_to_what(shop: Dataset, form: ResultFormat) -> None:
    asking = shop.model_copy(update={"result": Result(format=form, explain=20)})
    data = file_of({"id": 1, "age": 70}, {"id": 2, "town": "=1+1"}, {"id": 3, "age": "", "town": ""})
    report, rows, card = scored(asking, data)
    plain, numbers = scored(shop, data)[1], range(1, len(NAMES))  # there are fewer features than reasons allowed
    assert [{name: row[name] for name in plain[0]} for row in rows] == plain
    by_reason = ([f"reason_{number}", f"reason_{number}_value", f"reason_{number}_effect"] for number in numbers)
    assert list(rows[0])[len(plain[0]) :] == ["reason_base", *chain.from_iterable(by_reason), "reason_rest"]
    for row in rows:
        effects = [float(row[f"reason_{number}_effect"]) for number in numbers]
        assert sorted(effects, key=abs, reverse=True) == effects
        assert float(row["reason_base"]) + sum(effects) == pytest.approx(logit(float(row["probability"])), abs=1e-9)
        assert (row["reason_base"], row["reason_rest"]) == (repr(card["reasons"]["base"]), "0.0")
    named = [{row[f"reason_{number}"]: row[f"reason_{number}_value"] for number in numbers} for row in rows]
    usual = {"age": "40", "income": "1000.0", "member": "true", "empty": "missing", "town": "Ulm", "blank": "missing"}
    guarded = "'=1+1" if form == "csv" else "=1+1"
    assert named == [usual | {"age": "70"}, usual | {"town": guarded}, usual | {"age": "missing", "town": "missing"}]
    assert (card["reasons"]["scale"], card["cells_guarded"]) == ("log odds of the positive class (1)", form == "csv")
    assert once(asking, report)


def logged(report: UploadReport) -> list[tuple[Any, ...]]:
    return fetch(
        "SELECT entity_key ->> 'id', probability, prediction, model_version, event_time, requested_at"
        " FROM predictions.log WHERE source = 'batch' AND result_key = $1 ORDER BY (entity_key ->> 'id')::bigint DESC",
        report["result_key"],
    )


def test_every_prediction_is_logged_once(shop: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.parsing.batches.BATCH_ROWS", 70)
    report, rows, _ = scored(shop, many(300))
    uploaded = datetime.fromisoformat(report["last_modified"])
    assert logged(report) == [
        (row["id"], float(row["probability"]), row["prediction"], 1, uploaded, uploaded) for row in rows
    ]


def test_batches_predict_what_the_model_predicts(shop: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    data = many(300, town="")
    monkeypatch.setattr("ml_platform.parsing.batches.BATCH_ROWS", 7)
    _, rows, _ = scored(shop, data)
    monkeypatch.undo()
    whole = [float(row["probability"]) for row in scored(shop, data)[1]]
    # A sum's last digit depends on how many rows BLAS takes at a time; batches are always cut alike.
    assert [float(row["probability"]) for row in rows] == pytest.approx(whole, rel=0, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "batch_rows"), [(2_000, 90), pytest.param(1_000_000, batches.BATCH_ROWS, marks=pytest.mark.prove)]
)
def test_a_result_has_the_order_of_the_file(
    shop: Dataset, monkeypatch: pytest.MonkeyPatch, rows: int, batch_rows: int
) -> None:
    monkeypatch.setattr(batches, "BATCH_ROWS", batch_rows)
    order = list(range(rows))
    random.Random(3).shuffle(order)  # noqa: S311 – no secret
    report = settling.settle(batch.score(shop, put(shop, file_of(*({"id": i} for i in order)))))
    key = str(report["result_key"])
    result = read_rows(io.BytesIO(object_store.get("result", key)), key)
    assert [int(row[0]) for row in islice(result, 1, None)] == order


def test_a_model_reads_files_by_the_spec_that_it_was_trained_with(shop: Dataset) -> None:
    """A column added later is neither required nor an error; a column removed later is still read."""
    columns = {name: column for name, column in shop.columns.items() if name != "age"}
    later = Column(type="number", required=True)
    changes = {"columns": columns | {"later": later}, "on_extra_column": "reject_file", "missing": ("Ulm",)}
    changed = shop.model_copy(update=changes)
    data = file_of({"id": 1}, {"id": 2, "age": 70})
    assert scored(changed, data)[1] == scored(shop, data)[1]
    with_later = file_of({"id": 1, "later": "x"}, columns=(*NAMES, "later"))
    assert scored(changed, with_later)[0]["rows_rejected"] == 0


def test_unseen_categories_and_missing_values_are_scored(shop: Dataset) -> None:
    odd = [{"town": "Atlantis"}, {"town": "", "blank": "x"}, {"age": "", "income": "", "member": ""}, {"empty": "3.5"}]
    report, rows, _ = scored(shop, file_of(*({"id": i} | row for i, row in enumerate(odd))))
    assert report["rows_rejected"] == 0
    assert [row["id"] for row in rows] == ["0", "1", "2", "3"]
    assert all(0 <= float(row["probability"]) <= 1 for row in rows)


@pytest.mark.parametrize("label", ["", "1", "not even a number"])
def test_the_label_of_a_test_file_does_not_matter(shop: Dataset, label: str) -> None:
    without = scored(shop, file_of({"id": 1}))[1]
    assert scored(shop, file_of({"id": 1, "buys": label}, columns=("buys", *NAMES)))[1] == without


def test_bad_rows_are_left_out_with_their_reasons(shop: Dataset) -> None:
    data = file_of({"id": 1}, {"id": 2, "age": "old"}, {"id": ""}, {"id": 4}, {"id": 5}, {"id": 6})
    report, rows, card = scored(shop, data)
    assert [row["id"] for row in rows] == ["1", "4", "5", "6"]
    assert (card["rows_in"], card["rows_out"], card["rows_rejected"]) == (6, 4, 2)
    assert [(r["line"], r["column"], r["value"]) for r in report["reasons"]] == [(3, "age", "old"), (4, "id", "")]
    assert json.loads(object_store.get("test", report["report_key"])) == report
    assert len(object_store.get("test", str(report["rejected_key"])).splitlines()) == 3
    kept = "SELECT line, column_name FROM uploads.rejected_rows WHERE dataset = $1 AND sha256 = $2 ORDER BY line"
    assert fetch(kept, shop.name, report["sha256"]) == [(3, "age"), (4, "id")]
    assert object_store.get("test", report["archived_key"]) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (file_of({"id": 1}, {"id": 2, "age": "x"}, {"id": 3, "age": "y"}), "2 of 3 rows are bad"),
        (file_of({"id": 1}).replace(b"income", b"inkome"), "the header lacks income"),
        (b"", "the file is empty"),
        (many(25_000) + b'1,"never closed', "a quote opens here"),
    ],
    ids=["too many bad rows", "header", "empty", "broken after the first batch"],
)
def test_a_rejected_file_leaves_a_report_and_no_result(shop: Dataset, data: bytes, reason: str) -> None:
    before, key = results(shop), put(shop, data)
    report = batch.score(shop, key)
    assert (report["outcome"], report["result_key"]) == ("rejected", None)
    settling.settle(report)
    assert reason in report["reasons"][0]["reason"]
    assert results(shop) == before
    assert object_store.head("test", key) is None
    assert reason in object_store.get("test", report["report_key"].replace(".json", ".txt")).decode()


def test_nothing_is_overwritten_when_a_name_comes_again(shop: Dataset) -> None:
    name = f"_{new_name()}"
    first, _, _ = scored(shop, many(20), name)
    before = results(shop)
    upload_later(first, many(20))
    report, rows, _ = scored(shop, many(20), name)
    assert report["result_key"] not in before
    assert len(rows) == 20
    assert results(shop).items() >= before.items()


def test_two_files_whose_results_would_have_one_name(shop: Dataset) -> None:
    name = new_name()
    while True:  # both in one second
        keys = [put(shop, many(rows), suffix) for rows, suffix in ((10, f"_{name} a"), (20, f"_{name}_a"))]
        first, second = (object_store.head("test", key) for key in keys)
        if first and second and first.last_modified == second.last_modified:
            break
    reports = [batch.score(shop, key) for key in keys]
    assert [len(rows_of(report)) for report in reports] == [10, 20]
    assert [card_of(report)["file"] for report in reports] == keys
    stem = str(reports[0]["result_key"]).removesuffix(".csv")
    assert reports[1]["result_key"] == f"{stem}.{reports[1]['sha256'][:8]}.csv"
    for report in reports:
        settling.settle(report)


def test_an_alias_that_was_moved_to_a_version_that_nobody_judged_is_not_followed(shop: Dataset) -> None:
    training_set = make_training_set(shop, make_frame(300, 7))
    with essentials():
        stranger = steps.refit(training_set, searched_with(training_set, attempt_id="stranger")).version
    registry.set_alias(shop.name, registry.CHAMPION, stranger)
    try:
        report = batch.answer(shop, put(shop, many(20)))
    finally:
        registry.set_alias(shop.name, registry.CHAMPION, 1)
    card = card_of(report)
    assert card["model_version"] == 1
    assert f"shop version {stranger}: the platform never made it live" in card["degraded"].replace(shop.name, "shop")
    assert card_of(batch.answer(shop, put(shop, many(21))))["degraded"] is None


def test_scoring_is_idempotent(shop: Dataset) -> None:
    key = put(shop, many(20))
    first = batch.score(shop, key)
    before = results(shop)
    make_champion(shop, 2)
    assert batch.score(shop, key) == first
    assert settling.settle(first) == settling.settle(batch.score(shop, key)) == first
    assert batch.score(shop, key) == first
    assert results(shop) == before


CUTS = {
    "before the result": ("ml_platform.scoring.batch._is_written", False),
    "after the result": ("ml_platform.scoring.batch._finish", True),
    "after the card": ("ml_platform.ingestion.ledger.record_arrival", True),
    "after the record": ("ml_platform.ingestion.settling.settle", True),
}


IN_PROVE = {(cut, "parquet") for cut in CUTS} - {("after the result", "parquet")}


@pytest.mark.parametrize(
    ("cut", "form"),
    [
        pytest.param(cut, form, marks=[pytest.mark.prove] if (cut, form) in IN_PROVE else [])
        for cut in CUTS
        for form in ("csv", "parquet")
    ],
)
def test_a_crash_is_finished_by_the_model_that_began(
    shop: Dataset, monkeypatch: pytest.MonkeyPatch, cut: str, form: ResultFormat
) -> None:
    where, is_written = CUTS[cut]
    shop, data = written_as(shop, form), many(50)
    key = put(shop, data)
    assert object_store.head("test", key) is not None

    def crash(*_: Any) -> None:
        raise Crash

    monkeypatch.setattr(where, crash)
    with pytest.raises(Crash):
        settling.settle(batch.score(shop, key))
    monkeypatch.undo()
    left = {name: body for name, body in results(shop).items() if Path(name).name.startswith(Path(key).stem)}
    make_champion(shop, 2)
    report = settling.settle(batch.score(shop, key))
    rows, card = rows_of(report), card_of(report)
    version = 1 if is_written else 2
    assert {row["model_version"] for row in rows} == {str(version)}
    assert (card["model_version"], card["rows_out"], card["file_sha256"]) == (version, 50, report["sha256"])
    assert [row["id"] for row in rows] == [str(i) for i in range(50, 0, -1)]
    assert bool(left) is is_written
    assert left.items() <= results(shop).items()
    assert once(shop, report)


def test_a_result_is_finished_in_the_format_that_began_with_as_many_reasons(
    shop: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put(shop, many(50))

    def crash(*_: Any) -> None:
        raise Crash

    monkeypatch.setattr("ml_platform.scoring.batch._finish", crash)
    with pytest.raises(Crash):
        batch.score(shop.model_copy(update={"result": Result(format="parquet", explain=2)}), key)
    monkeypatch.undo()
    report = settling.settle(batch.score(shop, key))
    assert str(report["result_key"]).endswith(".parquet")
    assert [name for name in rows_of(report)[0] if name.endswith("_effect")] == ["reason_1_effect", "reason_2_effect"]
    assert once(shop, report)


def once(dataset: Dataset, report: UploadReport) -> bool:
    """Return whether a file has exactly one result, one card and one recorded arrival, and is settled."""
    stem = Path(report["key"]).stem
    written = sorted(name for name in results(dataset) if Path(name).name.startswith(f"{stem}."))
    arrivals = "SELECT outcome, archived_key FROM uploads.arrivals WHERE dataset = $1 AND object_key = $2"
    recorded = fetch(arrivals, dataset.name, report["key"])
    key = str(report["result_key"])
    return (
        written == sorted([key, card_key(key)])
        and recorded == [("scored", report["archived_key"])]
        and len(logged(report)) == report["rows_read"] - report["rows_rejected"]
        and object_store.head("test", report["key"]) is None
    )


SCORER = """
import os, sys
from ml_platform.ingestion import settling
from ml_platform.registry import model_files
from ml_platform.scoring import batch
from ml_platform.specs.parts import Result
from tests.ml_platform.scoring.test_batch import ONE, make_dataset
dataset = make_dataset(sys.argv[1], ONE).model_copy(update={"result": Result(format=sys.argv[2])})
model_files.load_skops()
for key in iter(sys.stdin.readline, ""):  # one child per file, so that the imports run once
    child = os.fork()
    if not child:
        settling.settle(batch.score(dataset, key.strip()))
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(params=["csv", pytest.param("parquet", marks=pytest.mark.prove)])
def scorer(shop: Dataset, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A process that reads keys and scores each file in a child process."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    command = [sys.executable, "-c", SCORER, shop.name, request.param]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield process
        process.stdin.close()


def score_in_child(scorer: Any, key: str, kill_after: float | None = None) -> int:
    """Score a file in a child process, which may be killed; return its exit status."""
    scorer.stdin.write(f"{key}\n")
    scorer.stdin.flush()
    child = int(scorer.stdout.readline())
    if kill_after is not None:
        time.sleep(kill_after)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return int(scorer.stdout.readline())


def test_a_killed_scoring_predicts_every_row_once(shop: Dataset, scorer: Any, record_property: Any) -> None:
    killed, chance, rows = 0, random.Random(5), 4_000  # noqa: S311 – no secret
    data = [many(rows, income=income) for income in range(2)]
    score_in_child(scorer, put(shop, data[0]))  # imports
    start = time.monotonic()
    assert score_in_child(scorer, put(shop, data[1])) == 0
    whole = time.monotonic() - start
    for attempt in range(5 * KILLS):
        if attempt >= KILLS and killed >= KILLS / 2:
            break
        make_champion(shop, 1)
        key, delay = put(shop, data[attempt % 2]), chance.uniform(0, whole)
        if score_in_child(scorer, key, delay) == signal.SIGKILL:
            killed += 1
            record_property("tried", killed)
        else:
            whole = delay  # it had ended by then: on a faster machine no kill would come in time
        make_champion(shop, 2)
        # as Airflow runs the killed task again: the scoring, or the settling
        report = settling.settle(batch.score(shop, key) if object_store.head("test", key) else recorded(key))
        found, card = rows_of(report), card_of(report)
        assert [row["id"] for row in found] == [str(i) for i in range(rows, 0, -1)]
        assert {row["model_version"] for row in found} == {str(card["model_version"])}
        assert (card["rows_in"], card["rows_out"]) == (rows, rows)
        assert once(shop, report)
    assert killed >= KILLS / 2


def recorded(key: str) -> UploadReport:
    ((text,),) = fetch("SELECT report::text FROM uploads.arrivals WHERE object_key = $1", key)
    report: UploadReport = json.loads(text)
    return report


def test_without_a_champion_the_files_wait_and_are_named(caplog: pytest.LogCaptureFixture, shop: Dataset) -> None:
    caplog.set_level("INFO", "ml_platform")
    nobody = make_dataset(new_name(), ONE)
    keys = [put(nobody, many(1)) for _ in range(2)]
    assert [batch.is_ready(nobody, is_first_look=first) for first in (True, False, False)] == [False] * 3
    assert caplog.text.count(f"train_{nobody.name} has promoted one: ") == 1  # not at every look
    assert all(key in caplog.text for key in keys)
    with pytest.raises(RegistryError, match="no model is live"):
        batch.score(nobody, keys[0])
    assert results(nobody) == {}
    assert batch.is_ready(shop, is_first_look=True)


def tamper(dataset: Dataset) -> None:
    mlflow_client.connect().set_model_version_tag(dataset.name, "1", "model_sha256", "0" * 64)


def delete_version(dataset: Dataset) -> None:
    mlflow_client.connect().delete_model_version(dataset.name, "1")


def delete_files(dataset: Dataset) -> None:
    for key in files_of(registry.get_version(dataset.name, 1)):
        artifact_store().delete_object(Bucket="mlflow", Key=key)


@pytest.mark.parametrize("damage", [tamper, delete_version, delete_files])
def test_without_a_sound_champion_nothing_is_written(damage: Any) -> None:
    dataset = make_dataset(new_name(), ONE)
    train(dataset)
    key = put(dataset, many(3))
    damage(dataset)
    with pytest.raises(RegistryError):
        batch.score(dataset, key)
    assert results(dataset) == {}
    assert fetch("SELECT count(*) FROM uploads.arrivals WHERE dataset = $1", dataset.name) == [(0,)]
    assert object_store.head("test", key) is not None


def test_a_file_that_is_gone_is_nothing(shop: Dataset) -> None:
    before = results(shop)
    assert batch.score(shop, f"test_{shop.name}_never.csv")["outcome"] == "gone"
    assert results(shop) == before
