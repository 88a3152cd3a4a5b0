"""Backup and restore: refusals without servers, then a round trip on Postgres and S3 of its own."""

import contextlib
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from stack.access import buckets
from stack.backup import __main__ as commands
from stack.backup import archive, databases, make, restore
from stack.backup.make import make_backup
from stack.backup.manifest import verify
from stack.backup.restore import restore_backup, restore_data
from stack.errors import BackupError
from stack.runners import embedded
from stack.runners.supervisor import Supervisor
from stack.servers.node import base_environment
from stack.target import runner
from tests.conftest import fresh_config

LOG = "dag_id=ingest_auto/run_id=manual__2026-11-29T00:00:00+00:00/task_id=load/attempt=1.log"
HOSTILE = ["../../etc/passwd", "a b/ü “x” %20+&?#.csv", "'; DROP TABLE x; --", "$(reboot)", "-rf", "k" * 200]

QUESTIONS = {  # who owns what, who may what, and the rows themselves
    "tables": """SELECT json_build_array(nspname, relname, relkind, relowner::regrole, relacl::text) FROM pg_class
        JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname IN ('uploads', 'features', 'labels', 'models', 'public') ORDER BY nspname, relname""",
    "schemas": """SELECT json_build_array(nspname, nspowner::regrole, nspacl::text) FROM pg_namespace
        WHERE nspname IN ('uploads', 'features', 'labels', 'models') ORDER BY nspname""",
    "defaults": """SELECT json_build_array(defaclrole::regrole, defaclnamespace::regnamespace, defaclacl::text)
        FROM pg_default_acl ORDER BY defaclnamespace::regnamespace::text""",
    "databases": "SELECT json_build_array(datname, datdba::regrole, datacl::text) FROM pg_database ORDER BY datname",
    "rows of features.kept": "SELECT jsonb_agg(kept ORDER BY n) FROM features.kept",
}


def quiet(text: str) -> None:
    """Say nothing."""


class Runner(SimpleNamespace):
    """A way to run the platform that only remembers what it was told."""

    def __init__(self, ran):
        super().__init__(ran=ran, told=[])

    def running(self, config):
        return self.ran

    def postgres_program(self, config, name, *arguments):
        return ["sh", "-c", f"echo {name} is broken >&2; exit 1"], dict(os.environ)

    def __getattr__(self, name):
        return lambda config, *arguments: self.told.append((name, *arguments))


@pytest.fixture
def told(monkeypatch):
    """Let a stand-in run the platform; return what it is told."""

    def use(*ran):
        stand_in = Runner(set(ran))
        for module in (make, restore, databases):
            monkeypatch.setattr(module, "runner", lambda config: stand_in)
        return stand_in.told

    return use


def test_a_backup_that_fails_leaves_no_folder_and_the_pipelines_go_on(config, told, tmp_path) -> None:
    pipelines = ["airflow-scheduler", "airflow-dag-processor"]
    calls = told("postgres", "objects", "mlflow", *pipelines)
    with pytest.raises(BackupError, match=r"`psql .*` failed:\npsql is broken"):
        make_backup(config, tmp_path / "backups" / "b", quiet)
    assert calls == [("pause", pipelines), ("resume", pipelines)]
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_platform_that_was_down_is_down_again_afterwards(config, told, tmp_path) -> None:
    calls = told()
    with pytest.raises(BackupError):
        make_backup(config, tmp_path / "backups" / "b", quiet)
    assert calls == [("pause", []), ("up", ["postgres", "objects"]), ("down",)]


def test_a_backup_overwrites_nothing_and_does_not_lie_in_what_a_restore_removes(config, told, tmp_path) -> None:
    calls = told()
    (tmp_path / "there").mkdir()
    with pytest.raises(BackupError, match="exists already"):
        make_backup(config, tmp_path / "there", quiet)
    with pytest.raises(BackupError, match="Choose a folder elsewhere"):
        make_backup(config, config.state_dir / "b", quiet)
    assert calls == []


def test_another_key_of_airflow_is_refused_before_anything_is_touched(config, told, tmp_path) -> None:
    calls = told("postgres")
    (tmp_path / "b").mkdir()
    settings = tmp_path / "b" / ".env"
    settings.write_text("AIRFLOW_FERNET_KEY=another\n")
    with pytest.raises(BackupError, match=r"AIRFLOW_FERNET_KEY in .* is not the key"):
        restore_backup(config, tmp_path / "b", None, quiet, replace=True)
    assert calls == []


def test_a_restore_that_fails_says_how_to_start_anew(config, told, tmp_path) -> None:
    told("postgres")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".env").write_bytes(config.env_file.read_bytes())
    manifest = SimpleNamespace(postgres="18.6")
    with pytest.raises(BackupError, match=r"psql is broken\n.*make restore FROM=.*/b yes=1"):
        restore_backup(config, tmp_path / "b", manifest, quiet, replace=True)


def test_the_commands_say_what_is_wrong(tmp_path, capsys) -> None:
    assert commands.main(["restore", str(tmp_path)]) == 1
    assert "is not a backup" in capsys.readouterr().out


@pytest.fixture(scope="module")
def stores():
    """Postgres and S3 with something in them."""
    with fresh_config() as config:
        runner(config).up_stores(config)
        fill(config)
        yield config


def fill(config):
    rows = "CREATE TABLE features.kept AS SELECT n, 'ü' || n AS text FROM generate_series(1, 1000) n"
    arrival = "INSERT INTO uploads.arrivals (object_key) VALUES ('x')"
    databases.query(config, "platform", f"SET ROLE platform; {rows}; {arrival}")
    s3 = archive.connect(config)
    for key in HOSTILE:
        with contextlib.suppress(ClientError):  # what a server does not take cannot be in its backup
            s3.put_object(Bucket="train", Key=key, Body=key.encode() * 3, ContentType="text/csv", Metadata={"of": "x"})
    s3.put_object(Bucket="mlflow", Key="1/large", Body=os.urandom(20_000_000))
    s3.put_object(Bucket="result", Key="empty", Body=b"")
    s3.put_object(Bucket="logs", Key=LOG, Body=b'{"event": "loaded"}\n')


def world(config):
    """Return all that a restore must bring back."""
    s3 = archive.connect(config)
    objects = {}
    for bucket in buckets():
        for entry in archive.list_objects(s3, bucket):
            found = s3.get_object(Bucket=bucket, Key=entry["Key"])
            objects[bucket, entry["Key"]] = found["Body"].read(), found["ContentType"], found["Metadata"]
    return {
        "objects": objects,
        "rows": databases.count_rows(config),
        **{name: databases.query(config, "platform", question) for name, question in QUESTIONS.items()},
    }


@pytest.mark.servers
def test_dump_wipe_restore_gives_the_same_world(stores, tmp_path) -> None:
    before = world(stores)
    assert len(before["objects"]) > 5
    assert before["objects"]["logs", LOG][0] == b'{"event": "loaded"}\n'
    folder = tmp_path / "backups" / "one"
    make_backup(stores, folder, quiet)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert runner(stores).running(stores) == {"postgres", "objects"}

    fill_more(stores)
    assert world(stores) != before
    restore_data(stores, folder, verify(folder), quiet)
    assert world(stores) == before


@pytest.mark.prove
@pytest.mark.servers
def test_rows_that_are_written_meanwhile_are_in_neither_the_dump_nor_its_count(stores, tmp_path, monkeypatch) -> None:
    before, run = world(stores), databases._run

    def busy(config, program, *arguments, **files):
        if (program, arguments[-1]) == ("pg_dump", "platform"):
            databases.query(stores, "platform", "INSERT INTO uploads.arrivals (object_key) VALUES ('meanwhile')")
        return run(config, program, *arguments, **files)

    with monkeypatch.context() as patched:
        patched.setattr(databases, "_run", busy)
        make_backup(stores, tmp_path / "b", quiet)
    assert world(stores) != before
    restore_data(stores, tmp_path / "b", verify(tmp_path / "b"), quiet)
    assert world(stores) == before


def fill_more(config):
    """Leave things behind that the backup does not know: an object, rows, a table in one of its schemas."""
    archive.connect(config).put_object(Bucket="train", Key="later.csv", Body=b"1")
    databases.query(config, "platform", "DELETE FROM features.kept WHERE n > 10; CREATE TABLE labels.later (n int)")


@pytest.mark.servers
def test_a_platform_that_is_not_empty_is_not_replaced(stores, tmp_path) -> None:
    before = world(stores)
    (tmp_path / ".env").write_bytes(stores.env_file.read_bytes())
    with pytest.raises(BackupError, match=r"not empty \(bucket train: .*uploads\.arrivals: 1\).* yes=1"):
        restore_backup(stores, tmp_path, None, quiet)
    assert world(stores) == before


@pytest.mark.prove
@pytest.mark.servers
def test_a_restore_that_was_cut_short_can_be_done_again(stores, tmp_path, monkeypatch) -> None:
    before = world(stores)
    make_backup(stores, tmp_path / "b", quiet)
    manifest = verify(tmp_path / "b")
    with monkeypatch.context() as broken:
        broken.setattr(archive, "unpack", cut_short)
        with pytest.raises(BackupError, match="the disk is full"):
            restore_data(stores, tmp_path / "b", manifest, quiet)
    restore_data(stores, tmp_path / "b", manifest, quiet)
    assert world(stores) == before


def cut_short(*_):
    raise BackupError("the disk is full")


@pytest.mark.servers
def test_a_dump_of_a_newer_postgres_is_refused(stores) -> None:
    with pytest.raises(BackupError, match=r"comes from Postgres 99\.1, which Postgres 18"):
        databases.check_version(stores, "99.1")


@pytest.mark.servers
def test_a_pause_ends_a_server_and_what_it_ran_and_nothing_else(stores) -> None:
    if stores.target == "compose":
        pytest.skip("a container ends with all that runs in it")
    task = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])"
    subprocess.run([sys.executable, "-c", task], env=base_environment(stores), start_new_session=True, check=True)
    ran = {process.pid for process in Supervisor(stores).processes()}
    embedded.pause(stores, ["objects"])
    left = {process.pid for process in Supervisor(stores).processes()}
    assert embedded.running(stores) == {"postgres"}
    assert left < ran
    assert not any("sleep" in " ".join(process.cmdline()) for process in Supervisor(stores).processes())
    embedded.resume(stores, ["objects"])
    assert embedded.running(stores) == {"postgres", "objects"}
    assert archive.contents(archive.connect(stores), "train").objects
