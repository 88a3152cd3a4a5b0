"""A restore on a platform without servers: all of the backup comes back, and each difference is an error."""

import pytest

from stack import access
from stack.backup import archive, restore
from stack.backup.databases import DATABASES
from stack.backup.make import make_backup
from stack.backup.restore import restore_backup, restore_data
from stack.errors import BackupError

PLAIN = {"ContentType": "text/csv", "Metadata": {}}


@pytest.fixture
def made(platform):
    return platform("postgres", "objects")


@pytest.fixture
def folder(config, made, buckets, tmp_path):
    """A backup of one object; afterwards the buckets are empty."""
    buckets["train"].objects["a.csv"] = (b"x,y\n", PLAIN)
    make_backup(config, tmp_path / "b", lambda line: None)
    buckets.clear()
    made.calls.clear()
    return tmp_path / "b"


@pytest.fixture
def manifest(folder):
    from stack.backup.manifest import verify

    return verify(folder)


@pytest.fixture
def without_models(monkeypatch):
    monkeypatch.setattr(restore, "_check_models", lambda config, log_progress: None)


def test_databases_and_objects_come_back_into_an_empty_platform(config, made, folder, manifest, buckets):
    lines = []
    restore_data(config, folder, manifest, lines.append)
    assert made.calls == [("wipe",), ("up_stores",)]
    assert {path.name: path.read_text() for path in made.restored.iterdir()} == {
        name: f"dump of {name}\n" for name in DATABASES
    }
    assert buckets["train"].objects == {"a.csv": (b"x,y\n", {"ContentType": "text/csv"})}
    assert lines[-len(access.buckets()) :][0] == "bucket train: 1 objects"


def test_all_of_the_platform_is_started_at_the_end(config, made, folder, manifest, without_models):
    restore_backup(config, folder, manifest, lambda line: None, replace=True)
    assert made.calls[-1][:2] == ("up", [])


def test_other_rows_than_in_the_backup_are_an_error(config, folder, manifest):
    manifest = manifest.model_copy(update={"rows": {"features.auto": 1}})
    with pytest.raises(BackupError, match=r"'features\.auto': 8161.* rows now; the backup had .*'features\.auto': 1"):
        restore_data(config, folder, manifest, lambda line: None)


def test_an_object_too_many_is_an_error(config, folder, manifest, buckets):
    buckets["train"].objects["stray"] = (b"stray", PLAIN)
    with pytest.raises(BackupError, match="The bucket train has 2 objects of 9 bytes now; the backup had 1 of 4 bytes"):
        restore_data(config, folder, manifest, lambda line: None)


def test_a_platform_with_files_is_not_replaced_without_a_word(config, made, folder, manifest, buckets):
    buckets["result"].objects["r.csv"] = (b"1", PLAIN)
    with pytest.raises(BackupError, match=rf"not empty \(bucket result: 1\).*make restore FROM={folder} yes=1"):
        restore_backup(config, folder, manifest, lambda line: None)
    assert made.calls == [("up_stores",)]


def test_topics_of_kafka_are_not_removed_without_a_word(config, made, folder, manifest):
    (config.state_dir / "kafka" / "data" / "orders-0").mkdir(parents=True)
    with pytest.raises(BackupError, match=r"not empty \(topics of Kafka: 1\)"):
        restore_backup(config, folder, manifest, lambda line: None)


def test_a_platform_that_was_down_is_down_again_after_a_refusal(config, made, folder, manifest, buckets):
    made._running.clear()
    buckets["result"].objects["r.csv"] = (b"1", PLAIN)
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(config, folder, manifest, lambda line: None)
    assert made.calls == [("up_stores",), ("down",)]


def test_an_empty_platform_is_restored_without_a_question(config, made, folder, manifest, without_models):
    restore_backup(config, folder, manifest, lambda line: None)
    assert made.calls[:3] == [("up_stores",), ("wipe",), ("up_stores",)]


def test_a_platform_that_was_only_started_is_empty_although_it_has_logs(
    config, made, folder, manifest, buckets, without_models
):
    buckets["logs"].objects["dag_id=housekeeping/attempt=1.log"] = (b"0 logs", PLAIN)
    restore_backup(config, folder, manifest.model_copy(update={"buckets": {}}), lambda line: None)
    assert made.calls[:3] == [("up_stores",), ("wipe",), ("up_stores",)]


def test_one_of_several_keys_of_airflow_is_enough(config, made, folder, manifest, without_models):
    key = config.airflow_fernet_key
    rotated = config.model_copy(update={"airflow_fernet_key": type(key)(f"new-key,{key.get_secret_value()}")})
    restore_backup(rotated, folder, manifest, lambda line: None)


def test_a_failure_during_the_restore_leaves_the_backup_unchanged_and_says_so(config, folder, manifest, monkeypatch):
    def fail(*_):
        raise BackupError("the disk is full")

    monkeypatch.setattr(archive, "unpack", fail)
    with pytest.raises(BackupError, match="the disk is full\nThe platform is incomplete now; the backup is unchanged"):
        restore_backup(config, folder, manifest, lambda line: None, replace=True)
