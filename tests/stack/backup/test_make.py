"""A backup of a platform without servers: complete, private, and without traces after an error."""

import json

import pytest

from stack.access import buckets as bucket_names
from stack.backup.databases import DATABASES
from stack.backup.make import make_backup
from stack.backup.manifest import verify
from stack.errors import BackupError

PLAIN = {"ContentType": "text/csv", "Metadata": {}}
BROKEN = 'if [ "$1" = pg_dump ]; then echo "disk full" >&2; exit 1; else echo \'"s"\'; echo null; cat >/dev/null; fi'


@pytest.fixture
def backup(config, platform, buckets, tmp_path):
    """Make a backup of one object and one table; return its folder and the lines of progress."""
    made = platform("postgres", "objects", "mlflow", "airflow-scheduler")
    buckets["train"].objects["a.csv"] = (b"x,y\n", PLAIN)
    lines = []
    make_backup(config, tmp_path / "backups" / "b", lines.append)
    return tmp_path / "backups" / "b", lines, made


def test_it_has_settings_databases_and_buckets(backup, config):
    folder, _, _ = backup
    files = {".env", "manifest.json"} | {f"{name}.dump" for name in DATABASES} | {f"{b}.tar" for b in bucket_names()}
    assert {path.name for path in folder.iterdir()} == files
    assert (folder / ".env").read_bytes() == config.env_file.read_bytes()
    assert (folder / "feast.dump").read_text() == "dump of feast\n"


def test_its_manifest_describes_what_is_in_it(backup):
    manifest = verify(backup[0])
    assert manifest.rows == {"features.auto": 8161}
    assert manifest.postgres == "18.6"
    assert (manifest.buckets["train"].objects, manifest.buckets["train"].object_bytes) == (1, 4)
    assert manifest.buckets["test"].objects == 0


def test_only_its_owner_can_read_it(backup):
    folder, _, _ = backup
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_the_pipelines_are_stopped_meanwhile(backup):
    _, lines, made = backup
    assert made.calls == [("pause", ["airflow-scheduler"]), ("resume", ["airflow-scheduler"])]
    assert lines[-1] == "the pipelines were stopped for 0 s; interrupted tasks are tried again"


def test_progress_names_each_database_and_bucket(backup):
    _, lines, _ = backup
    assert "database feast: 0.0 MB" in lines
    assert "bucket train: 1 objects, 0.0 MB" in lines


@pytest.mark.parametrize("script", [BROKEN, "exit 1"])
def test_after_an_error_no_folder_stays_and_the_pipelines_run_again(config, platform, buckets, tmp_path, script):
    made = platform("postgres", "objects", "airflow-scheduler", script=script)
    with pytest.raises(BackupError):
        make_backup(config, tmp_path / "backups" / "b", print)
    assert list((tmp_path / "backups").iterdir()) == []
    assert made.calls[-1] == ("resume", ["airflow-scheduler"])


def test_an_object_that_cannot_be_read_ends_the_backup(config, platform, buckets, tmp_path):
    platform("postgres", "objects")
    buckets["train"].objects["a.csv"] = (b"x,y\n", PLAIN)
    buckets["train"].truncated = {"a.csv"}
    with pytest.raises(BackupError, match=r"s3://train/a\.csv"):
        make_backup(config, tmp_path / "b", print)
    assert not (tmp_path / "b").exists()


def test_the_manifest_has_no_secret(backup, config):
    text = json.dumps(json.loads((backup[0] / "manifest.json").read_text()))
    secrets = [value.get_secret_value() for _, value in config if hasattr(value, "get_secret_value")]
    assert not [secret for secret in secrets if secret in text]
