"""Which files are searched, and what happens if one changes in between."""

import json

import pytest

from ml_platform.exceptions import UploadChangedError
from ml_platform.removal import stored_files
from ml_platform.removal.entities import find_entities
from ml_platform.scoring.result_files import card_json
from ml_platform.specs.spec import FeatureTable
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import csv_bytes, drop, ingest, make_dataset, many, new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_archived_files_rejected_rows_and_results_are_searched_and_each_only_once() -> None:
    dataset = make_dataset(new_name())
    report = ingest(dataset, csv_bytes({"ID": "1"}, {"ID": "2", "RATIO": "x"}))
    object_store.put_new("result", f"{dataset.name}/some.csv", b"ID,probability\n2,0.5\n")
    object_store.put_new("result", f"{dataset.name}/some.json", b"{}")
    entities = find_entities(dataset, ["2"])
    searched = stored_files.search(stored_files.settled_files(dataset), entities)
    keys = [f"train/{report['archived_key']}", f"train/{report['rejected_key']}", f"result/{dataset.name}/some.csv"]
    assert [str(found.file) for found in searched.found] == keys
    assert len(searched.seen) == 3
    assert stored_files.search(stored_files.settled_files(dataset), entities, searched.seen).seen == frozenset()


def test_a_result_loses_the_row_and_its_card_the_warnings() -> None:
    dataset = make_dataset(new_name(), columns={"ID": "text"})
    result, card = f"{dataset.name}/some.csv", {"rows_out": 2, "warnings": ["KIND has values …: Rome (1 row)"]}
    object_store.put_new("result", result, b"ID,probability\n'=1+1,0.5\n3,0.1\n")
    object_store.put_new("result", f"{dataset.name}/some.json", card_json(card))
    (found,) = stored_files.search(stored_files.settled_files(dataset), find_entities(dataset, ["=1+1"])).found
    stored_files.erase_rows(found, dataset.name)
    assert object_store.get("result", result) == b"ID,probability\n3,0.1\n"
    assert json.loads(object_store.get("result", f"{dataset.name}/some.json")) == {"rows_out": 2, "warnings": []}


def test_waiting_files_of_both_inboxes_are_seen() -> None:
    dataset = make_dataset(new_name())
    keys = {f"train/{drop(dataset, many(1))}", f"test/{drop(dataset, many(1), bucket='test')}"}
    assert {str(file) for file in stored_files.waiting_files(dataset)} == keys


def test_a_feature_table_has_only_one_inbox() -> None:
    table = FeatureTable.model_validate(
        {
            "kind": "table", "name": new_name(), "description": "weather",
            "entity": {"name": "place", "key": "PLACE"}, "columns": {"PLACE": "text", "TEMP": "number"},
        }
    )  # fmt: skip
    object_store.put_new("train", f"{table.name}.csv", b"PLACE,TEMP\nx,1\n")
    assert [str(file) for file in stored_files.waiting_files(table)] == [f"train/{table.name}.csv"]
    assert list(stored_files.settled_files(table)) == []


def test_a_file_that_was_replaced_after_the_search_is_not_overwritten() -> None:
    dataset = make_dataset(new_name())
    report = ingest(dataset, many(3))
    (found,) = stored_files.search(stored_files.settled_files(dataset), find_entities(dataset, ["1"])).found
    object_store.client().put_object(Bucket="train", Key=report["archived_key"], Body=many(4))
    with pytest.raises(UploadChangedError):
        stored_files.erase_rows(found, dataset.name)
    assert object_store.get("train", report["archived_key"]) == many(4)
