"""From a prediction back to the uploads, on real servers; what was removed since is said.

The tests build on each other, in the order of the file: the last ones remove what the first ones show.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from ml_platform.lineage import chain, find
from ml_platform.removal.withdraw_upload import withdraw
from ml_platform.scoring.result_keys import card_key
from ml_platform.specs import catalog
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import ingest
from tests.ml_platform.lineage.conftest import Played, file_of

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def key_of(played: Played) -> str:
    return str(played.scored["result_key"])


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["lineage", *arguments], catch_exceptions=False)


def remove(bucket: str, key: str) -> None:
    version = object_store.head(bucket, key)
    assert version is not None
    object_store.remove(version)


def test_the_chain_names_each_step_back_to_both_uploads(played: Played) -> None:
    found = chain.of_result(key_of(played))
    assert found.notes == []
    assert found.result is not None
    assert (found.result.rows_in, found.result.rows_out, found.result.rows_rejected) == (20, 20, 0)
    scored = found.result.scored
    assert scored is not None
    assert (scored.key, scored.sha256) == (played.scored["key"], played.scored["sha256"])
    assert scored.archived_key == played.scored["archived_key"]
    assert (found.model.name, found.model.version) == (played.dataset.name, played.challenger.version)
    assert found.model.record is not None
    assert (found.model.record.decision, found.model.record.decided_by) == ("promoted", "alice")
    assert found.model.live_then == found.model.periods[0]
    assert found.training_set is not None
    assert (found.training_set.sha256, found.training_set.rows) == (played.reference.sha256, 300)
    uploads = [(u.key, u.sha256, u.rows, u.rows_loaded, u.is_loaded) for u in found.training_set.uploads]
    assert uploads == [
        (report["key"], report["sha256"], rows, rows, True)
        for report, rows in zip(played.uploads, (250, 50), strict=True)
    ]


def test_the_command_takes_a_key_a_name_or_a_copy_and_prints_text_or_json(played: Played, tmp_path: Path) -> None:
    key = key_of(played)
    printed = run(f"s3://result/{key}")
    assert printed.exit_code == 0
    assert all(report["key"] in printed.stdout for report in played.uploads)
    assert "<- when it predicted" in printed.stdout
    assert run(key.rpartition("/")[2]).stdout == printed.stdout
    copy = tmp_path / key.rpartition("/")[2]
    copy.write_bytes(object_store.get("result", key))
    assert run(str(copy)).stdout == printed.stdout
    copy.write_bytes(b"changed")
    assert "differs from the result in the bucket" in run(str(copy)).stdout
    answer = json.loads(run(key, "--json").stdout)
    assert [upload["sha256"] for upload in answer["training_set"]["uploads"]] == [u["sha256"] for u in played.uploads]


def test_the_chain_of_an_entity_is_that_of_its_newest_prediction(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "dataset", lambda name: played.dataset)
    found = find.by_entity(played.dataset.name, "7")
    assert found.prediction is not None
    assert (found.prediction.entity_key, found.prediction.result_key) == ({"id": 7}, key_of(played))
    assert found.training_set == chain.of_result(key_of(played)).training_set
    with pytest.raises(ConfigurationError, match="no prediction about id 99"):
        find.by_entity(played.dataset.name, "99")
    with pytest.raises(ConfigurationError, match="no data set 'nobody'"):
        catalog.dataset("nobody")


def test_a_prediction_without_a_file_has_no_result(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    values = (played.dataset.name, played.challenger.version)
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO predictions.log (model, model_version, entity_key, event_time, prediction, requested_at,"
            """ source) VALUES ($1, $2, '{"id": 4711}', now(), '1', now(), 'http')""",
            values,
        )
    monkeypatch.setattr(find, "dataset", lambda name: played.dataset)
    found = find.by_entity(played.dataset.name, "4711")
    assert found.result is None
    assert found.model.live_then is not None
    assert found.training_set == chain.of_result(key_of(played)).training_set


def test_the_rows_of_an_older_training_set_are_read_from_its_file(played: Played) -> None:
    before = chain.of_result(key_of(played)).training_set
    fetch(
        "UPDATE uploads.training_sets SET rows = NULL WHERE training_set_sha256 = $1 RETURNING rows",
        played.reference.sha256,
    )
    found = chain.of_result(key_of(played)).training_set
    assert before is not None
    assert found is not None
    assert found.rows == before.rows == 300
    assert [(upload.rows, upload.rows_loaded) for upload in found.uploads] == [(None, 250), (None, 50)]


def test_a_file_of_a_source_names_its_range(played: Played) -> None:
    upload = played.uploads[0]
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO sources.ranges (dataset, purpose, origin, partition, range_start, range_end, reading,"
            " object_key, planned_by, reason) VALUES ($1, 'train', 'topic claims', '0', '', '250', 1, $2, 'ann', '')",
            (played.dataset.name, upload["key"]),
        )
    assert "from topic claims 0, from the beginning to 250 (pulled by ann)" in run(key_of(played)).stdout


def test_after_a_withdrawal_the_chain_says_so_and_still_names_the_upload(played: Played) -> None:
    upload = played.uploads[1]
    withdraw(played.dataset, upload["sha256"][:12], reason="a wrong export", by="bob")
    found = chain.of_result(key_of(played)).training_set
    assert found is not None
    (taken,) = [one for one in found.uploads if one.sha256 == upload["sha256"]]
    assert taken.withdrawal is not None
    assert (taken.key, taken.is_loaded, taken.withdrawal.withdrawn_by) == (upload["key"], False, "bob")
    assert (taken.rows_loaded, taken.withdrawal.rows_removed) == (50, 50)
    assert "by bob: a wrong export" in run(key_of(played)).stdout
    assert ingest(played.dataset, file_of(300, skip=250), "_again")["outcome"] == "loaded"
    assert "a wrong export; loaded again after that" in run(key_of(played)).stdout


def test_without_its_files_the_chain_comes_from_the_records_and_says_what_is_missing(played: Played) -> None:
    key = key_of(played)
    for bucket, name in (
        ("result", key),
        ("result", card_key(key)),
        ("test", played.scored["archived_key"]),
        ("mlflow", played.reference.key),
    ):
        remove(bucket, name)
    found = chain.of_result(key)
    assert found.notes == [
        "the result file was removed",
        "the scored file was removed from the bucket",
        "the file of the training set was removed, or replaced in an erasure",
    ]
    assert found.model.record is not None
    assert found.training_set is not None
    assert len(found.training_set.uploads) == 2


def test_a_result_that_does_not_exist_is_an_error_that_says_how_to_name_one(played: Played) -> None:
    for text, expected in (
        (f"s3://result/{played.dataset.name}/none.csv", "there is no such result"),
        ("none.csv", "no result is named 'none.csv'"),
    ):
        done = run(text)
        assert done.exit_code == 1
        assert expected in done.stderr
