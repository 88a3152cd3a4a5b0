"""An entity is erased: everything is searched for it afterwards, and nothing else is touched."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import uploads
from ml_platform.removal import forget_entity, upload_records
from ml_platform.removal.forget_entity import Erasure, erase, plan
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.training import build_training_set
from tests.ml_platform.ingestion.upload_cases import (
    as_files,
    csv_bytes,
    drop,
    ingest,
    make_dataset,
    new_name,
    rows_in,
    upload_later,
)
from tests.ml_platform.removal.test_withdraw_upload import online, take_back

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

CANARY = "774411"  # a key that nothing else contains


@pytest.fixture
def sample() -> Dataset:
    return make_dataset(new_name(), max_bad_rows=1.0)


def forget(table: Any, *keys: str) -> Erasure:
    return erase(plan(table, keys or (CANARY,)), reason="they asked for it", by="ann")


def bytes_in_buckets(dataset: Dataset) -> dict[str, bytes]:
    """Return every object of a data set, in all buckets."""
    found = {}
    for bucket in ("train", "test", "label", "result", "mlflow", "reports"):
        for version in object_store.list_objects(bucket):
            if dataset.name in version.key:
                found[f"{bucket}/{version.key}"] = object_store.get(bucket, version.key)
    return found


def texts_in_tables(dataset: Dataset) -> list[str]:
    """Return every row of every table that holds rows of a data set, as a text."""
    queries = [f'SELECT t::text FROM {schema}."{dataset.name}" t' for schema in ("features", "labels")]
    queries += [
        f"SELECT t::text FROM uploads.{table} t WHERE dataset = '{dataset.name}'"
        for table in ("ledger", "arrivals", "rejected_rows", "withdrawals", "erasures", "rewritten_files")
    ]
    queries += [f"SELECT t::text FROM predictions.log t WHERE model = '{dataset.name}'"]
    return [text for query in queries for (text,) in fetch(query)]


def assert_nothing_of_it(dataset: Dataset) -> None:
    assert [key for key, data in bytes_in_buckets(dataset).items() if CANARY.encode() in data] == []
    assert [text for text in texts_in_tables(dataset) if CANARY in text] == []
    assert plan(dataset, [CANARY]).is_empty


def test_it_is_gone_from_tables_online_store_and_archive_and_nothing_else_is(sample: Dataset) -> None:
    first = ingest(sample, csv_bytes({"ID": "1"}, {"ID": CANARY}, {"ID": "2", "LABEL": "1"}))
    bad = csv_bytes(
        {"ID": CANARY, "RATIO": "x"}, {"ID": CANARY, "NOTE": "y"}, {"ID": CANARY}, {"ID": "3", "RATIO": "z"}
    )
    second = ingest(sample, bad, "_2")
    online_rows.materialize(sample)
    assert online(sample, int(CANARY)) == [0.5]
    planned = plan(sample, [CANARY])
    assert planned.table_rows == {
        f'features."{sample.name}"': 2, f'labels."{sample.name}"': 2, "uploads.rejected_rows": 1
    }  # fmt: skip
    assert {str(found.file) for found in planned.files.found} == {
        f"train/{first['archived_key']}", f"train/{second['archived_key']}", f"train/{second['rejected_key']}"
    }  # fmt: skip
    assert rows_in("features", sample) == 4
    done = erase(planned, reason="they asked for it", by="ann")
    assert done.table_rows == planned.table_rows
    assert_nothing_of_it(sample)
    assert online(sample, 1, int(CANARY), 2) == [0.5, None, 0.5]
    assert sorted(rows_in("features", sample, '"ID", line')) == [(1, 2), (2, 4)]
    archived = object_store.get("train", first["archived_key"])
    assert archived.splitlines() == [
        line if i != 2 else b""
        for i, line in enumerate(csv_bytes({"ID": "1"}, {}, {"ID": "2", "LABEL": "1"}).splitlines())
    ]
    report = json.loads(object_store.get("train", second["report_key"]))
    assert [(reason["line"], reason["value"]) for reason in report["reasons"]] == [(5, "z")]
    assert fetch("SELECT line, value FROM uploads.rejected_rows WHERE dataset = $1", sample.name) == [(5, "z")]
    ledger = "SELECT rows_loaded, rows_erased FROM uploads.ledger WHERE dataset = $1 ORDER BY claimed_at"
    assert fetch(ledger, sample.name) == [(3, 1), (1, 1)]


def test_who_and_why_are_recorded_but_not_the_key(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1"}, {"ID": CANARY}))
    forget(sample)
    recorded = (
        "SELECT entities, rows_removed, files, erased_by, reason, finished_at >= began_at FROM uploads.erasures"
        " WHERE dataset = $1"
    )
    assert fetch(recorded, sample.name) == [(1, 2, 1, "ann", "they asked for it", True)]
    with pytest.raises(ConfigurationError, match="an erasure needs a reason"):
        erase(plan(sample, [CANARY]), reason=" ", by="ann")


def test_the_original_bytes_are_refused_and_the_rewritten_ones_are_already_loaded(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1"}, {"ID": CANARY})
    first = ingest(sample, data)
    forget(sample)
    upload_later(first, data)
    again = uploads.ingest(sample, first["key"])
    assert again["outcome"] == "rejected"
    assert "an entity was erased from it since" in again["reasons"][0]["reason"]
    assert rows_in("features", sample) == 1
    forget(sample)  # from the copy that was just archived
    assert_nothing_of_it(sample)
    rewritten = object_store.get("train", first["archived_key"])
    duplicate = ingest(sample, rewritten, "_restored")
    assert duplicate["outcome"] == "duplicate"
    assert repr(first["key"]) in duplicate["reasons"][0]["reason"]
    assert rows_in("features", sample) == 1


def test_a_withdrawn_file_comes_again_only_without_the_entity(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1"}, {"ID": CANARY})
    first = ingest(sample, data)
    forget(sample)
    assert take_back(sample, first).rows == 1
    upload_later(first, data)
    assert uploads.ingest(sample, first["key"])["outcome"] == "rejected"
    assert ingest(sample, object_store.get("train", first["archived_key"]), "_2")["rows_loaded"] == 1
    assert rows_in("features", sample, '"ID"') == [(1,)]
    forget(sample)
    assert_nothing_of_it(sample)


def test_a_second_entity_of_the_same_file_is_erased_like_the_first(sample: Dataset) -> None:
    data = csv_bytes({"ID": "1"}, {"ID": CANARY}, {"ID": "3"}, {"ID": "4"})
    first = ingest(sample, data)
    forget(sample, "3")
    without_3 = object_store.get("train", first["archived_key"])
    forget(sample, CANARY)
    assert_nothing_of_it(sample)
    for name, old in (("_a", data), ("_b", without_3)):
        assert ingest(sample, old, name)["outcome"] == "rejected"
    assert ingest(sample, object_store.get("train", first["archived_key"]), "_c")["outcome"] == "duplicate"
    assert sorted(rows_in("features", sample, '"ID", line')) == [(1, 2), (4, 5)]


@pytest.mark.parametrize(
    "ending",
    [".parquet", pytest.param(".jsonl", marks=pytest.mark.prove), pytest.param(".csv.gz", marks=pytest.mark.prove)],
)
def test_archived_uploads_of_every_format_are_rewritten(sample: Dataset, ending: str) -> None:
    data = as_files([{"ID": "1"}, {"ID": CANARY, "RATIO": "x"}, {"ID": "3", "RATIO": "y"}])[ending]
    report = uploads.ingest(sample, drop(sample, data, ending=ending))
    forget(sample)
    assert_nothing_of_it(sample)
    remaining = json.loads(object_store.get("train", report["report_key"]))["reasons"]
    assert [reason["value"] for reason in remaining] == ["y"]


def test_a_rejected_file_loses_its_rows_and_the_report_for_people_too(sample: Dataset) -> None:
    strict = sample.model_copy(update={"on_bad_row": "reject_file"})
    report = ingest(strict, csv_bytes({"ID": CANARY, "RATIO": f"x{CANARY}"}, {"ID": "3", "RATIO": "y"}))
    assert report["outcome"] == "rejected"
    forget(strict)
    assert [key for key, data in bytes_in_buckets(sample).items() if CANARY.encode() in data] == []
    assert fetch("SELECT report->'reasons'->1->>'value' FROM uploads.arrivals WHERE dataset = $1", sample.name) == [
        ("y",)
    ]


def test_a_frozen_training_set_is_replaced_by_one_without_it(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1"}, {"ID": CANARY}, {"ID": "3", "LABEL": "1"}))
    frozen = build_training_set.freeze(sample)
    done = forget(sample)
    assert [version.key for version in done.training.training_sets] == [frozen.key]
    assert object_store.head("mlflow", frozen.key) is None
    again = build_training_set.freeze(sample)
    assert [version.key for version in object_store.list_objects("mlflow", f"training_sets/{sample.name}/")] == [
        again.key
    ]
    assert again.rows == 2
    assert_nothing_of_it(sample)


def test_a_file_that_cannot_be_searched_is_named(sample: Dataset) -> None:
    report = ingest(sample, b"\x89PNG\r\n\x1a\n")
    assert [text.partition(": ")[0] for text in plan(sample, ["1"]).files.unreadable] == [
        f"train/{report['archived_key']}"
    ]


def test_nothing_begins_while_a_file_with_it_waits(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1"}, {"ID": CANARY}))
    planned = plan(sample, [CANARY])
    key = drop(sample, csv_bytes({"ID": CANARY}), "_waits")
    for attempt in (lambda: plan(sample, [CANARY]), lambda: erase(planned, reason="x", by="ann")):
        with pytest.raises(ConfigurationError, match=f"these files in the inbox hold an entity to erase: train/{key}"):
            attempt()
    assert rows_in("features", sample) == 2
    assert plan(sample, ["1"]).table_rows


def test_a_file_that_is_settled_after_the_plan_is_rewritten_too(sample: Dataset) -> None:
    ingest(sample, csv_bytes({"ID": "1"}, {"ID": CANARY}))
    planned = plan(sample, [CANARY])
    ingest(sample, csv_bytes({"ID": CANARY, "RATIO": "9"}), "_later")
    assert len(erase(planned, reason="x", by="ann").files.found) == 2
    assert_nothing_of_it(sample)


class Killed(Exception):  # noqa: N818 – not an error of the platform's: nothing may catch it
    """Stands for the end of the process at a point where a kill cannot be placed."""


CHANGES = (
    (online_rows, "remove_entities"), (upload_records, "forget_lines"), (upload_records, "record_rewriting"),
    (upload_records, "rewrite_reports"), (object_store, "rewrite"), (object_store, "put_new"), (object_store, "remove"),
    (forget_entity, "_finish"),
)  # fmt: skip


def kill_at_change(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process end before its change of this number, from 1."""
    changes = count(1)

    def killing(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(changes) == number:
                raise Killed
            return change(*args, **kwargs)

        return call

    for module, name in CHANGES:
        monkeypatch.setattr(module, name, killing(getattr(module, name)))


def test_killed_at_any_point_nothing_is_half_visible_and_the_next_run_goes_on(
    sample: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run after run is killed one change later than the one before, until one comes to its end."""
    data = csv_bytes({"ID": "1"}, {"ID": CANARY, "LABEL": "1"}, {"ID": CANARY, "RATIO": "x"}, {"ID": "2", "RATIO": "y"})
    report = ingest(sample, data)
    frozen = build_training_set.freeze(sample)
    online_rows.materialize(sample)
    for number in count(1):
        with monkeypatch.context() as killing:
            kill_at_change(number, killing)
            try:
                forget(sample)
                break
            except Killed:
                pass
        assert len(set(sides(sample))) == 1
        lines = object_store.get("train", report["archived_key"]).splitlines()
        assert [line or data.splitlines()[i] for i, line in enumerate(lines)] == data.splitlines()
        assert json.loads(object_store.get("train", report["report_key"]))["sha256"] == report["sha256"]
        for version in object_store.list_objects("mlflow", f"training_sets/{sample.name}/"):
            assert version.key == frozen.key or CANARY.encode() not in object_store.get("mlflow", version.key)
    assert number > 6
    assert_nothing_of_it(sample)
    assert rows_in("features", sample, '"ID", line') == [(1, 2)]


def sides(dataset: Dataset) -> list[bool]:
    """Return whether the entity is in features, and in labels."""
    return [(int(CANARY),) in rows_in(schema, dataset, '"ID"') for schema in ("features", "labels")]


def test_it_is_forgotten_in_label_files_too(sample: Dataset) -> None:
    uploads.ingest(sample, drop(sample, csv_bytes({"ID": CANARY}, {"ID": "2"})))
    key = f"labels/{sample.name}.csv"
    object_store.client().put_object(Bucket="train", Key=key, Body=f"ID,LABEL\n{CANARY},1\n2,1\n".encode())
    brought = uploads.ingest(sample, key)
    assert brought["rows_loaded"] == 2
    forget(sample)
    assert_nothing_of_it(sample)
    assert object_store.get("train", brought["archived_key"]) == b"ID,LABEL\n\n2,1\n"
    assert fetch("SELECT rows_loaded, rows_erased FROM uploads.ledger WHERE dataset = $1", sample.name) == [(2, 1)] * 2
