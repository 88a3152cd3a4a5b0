"""The logs of tasks: uploaded whole, shown as far as they can be read, and removed when they are old."""

import os
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from airflow.sdk.api.datamodels._generated import ConnectionResponse
from airflow.sdk.execution_time import supervisor
from airflow.utils.state import TaskInstanceState
from botocore.exceptions import ClientError, EndpointConnectionError

from ml_platform.airflow import task_logs
from ml_platform.airflow.task_logs import NO_LOG, TASK_FAILED, BucketLogs, TaskLogHandler, begin_with_error
from ml_platform.exceptions import ServiceError

# Airflow leaves it to the garbage collector to close the files that it shows
pytestmark = pytest.mark.filterwarnings("ignore:.*FileIO:pytest.PytestUnraisableExceptionWarning")

FOLDER = "dag_id=train_auto/run_id=manual__2026-11-29T00:00:00+00:00/task_id=search"
FIRST = f"{FOLDER}/attempt=1.log"
OUTAGE = EndpointConnectionError(endpoint_url="http://s3:9000/logs?list-type=2")


class Bucket:
    """S3 in memory, behind Airflow's hook; while it is down, each call fails."""

    def __init__(self):
        self.objects, self.down = {}, False

    def _call(self):
        if self.down:
            raise OUTAGE

    def get_conn(self):
        return self

    def parse_s3_url(self, url=None, s3url=None):
        bucket, _, key = (url or s3url).removeprefix("s3://").partition("/")
        return bucket, key

    def check_for_key(self, url):
        self._call()
        return self.parse_s3_url(url)[1] in self.objects

    def read_key(self, url):
        self._call()
        return self.objects[self.parse_s3_url(url)[1]][0]

    def list_keys(self, bucket_name, prefix):
        self._call()
        return [key for key in self.objects if key.startswith(prefix)]

    def put_object(self, Bucket, Key, Body):  # noqa: N803 – boto3's names
        self._call()
        self.objects[Key] = Body.decode(), datetime.now(UTC)

    def delete_object(self, Bucket, Key):  # noqa: N803
        del self.objects[Key]

    def get_paginator(self, name):
        return self

    def paginate(self, Bucket):  # noqa: N803
        self._call()
        for key, (_, modified) in sorted(self.objects.items()):
            yield {"Contents": [{"Key": key, "LastModified": modified}]}


@pytest.fixture
def bucket(monkeypatch):
    one = Bucket()
    monkeypatch.setattr(BucketLogs, "hook", one, raising=False)
    return one


@pytest.fixture
def logs(tmp_path, monkeypatch, bucket):
    """The logs of an Airflow whose folder of logs is `tmp_path`."""
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER", "s3://logs")
    return BucketLogs.from_config()


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a local file, which got its last line some days ago."""

    def file(name, text="a line\n", days=0.0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        moment = time.time() - timedelta(days=days).total_seconds()
        os.utime(path, (moment, moment))
        return path

    return file


def entry(event, *errors):
    stacks = [{"exc_type": kind, "exc_value": text} for kind, text in errors]
    return {"level": "error", "event": event, "error_detail": stacks}


@pytest.mark.parametrize(
    ("event", "errors", "begins"),
    [
        (TASK_FAILED, [("ClientError", "Access Denied"), ("OSError", "its cause")], "ClientError: Access Denied"),
        (TASK_FAILED, [("AirflowFailException", "logged before")], TASK_FAILED),
        ("a library failed", [("KeyError", "'x'")], "a library failed"),
        (TASK_FAILED, [], TASK_FAILED),
    ],
    ids=["any error", "a permanent error", "an error of a library", "no error"],
)
def test_the_entry_of_a_failed_task_begins_with_the_error(event, errors, begins):
    assert begin_with_error(None, "error", entry(event, *errors)) == entry(begins, *errors)


def test_the_log_of_a_task_that_has_ended_is_in_the_bucket_only(logs, bucket, write):
    file = write(FIRST, "ü\n")
    logs.upload(FIRST)
    assert bucket.objects[FIRST][0] == "ü\n"
    assert not file.exists()


def test_the_file_of_the_next_attempt_stays(logs, write):
    write(FIRST)
    next_attempt = write(f"{FOLDER}/attempt=2.log")
    logs.upload(FIRST)
    assert next_attempt.exists()


def test_a_task_that_goes_on_after_a_pause_adds_to_its_log(logs, bucket, write):
    for text in ("before\n", "after\n"):
        write(FIRST, text)
        logs.upload(FIRST)
    assert bucket.objects[FIRST][0] == "before\nafter\n"


def test_a_sensor_that_looks_again_and_says_nothing_writes_nothing(logs, bucket, write):
    write(FIRST, "it waits\n")
    logs.upload(FIRST)
    before, file = bucket.objects[FIRST], write(FIRST, "")
    logs.upload(FIRST)
    assert (bucket.objects[FIRST], file.exists()) == (before, False)


def test_a_task_that_says_nothing_has_an_empty_log(logs, bucket, write):
    write(FIRST, "")
    logs.upload(FIRST)
    assert bucket.objects[FIRST][0] == ""


@pytest.mark.parametrize("text", ["a line\n", ""])
def test_during_an_outage_the_file_stays(logs, bucket, write, text):
    file, bucket.down = write(FIRST, text), True
    logs.upload(FIRST)
    assert file.read_text() == text


@pytest.mark.parametrize("down", [False, True], ids=["uploaded", "outage"])
def test_the_next_upload_uses_the_key_that_holds_then(tmp_path, monkeypatch, write, down):
    """A worker uploads the logs of many tasks; Airflow's supervisor gets the connection with the token of each."""
    monkeypatch.setenv("AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID", "logs")
    monkeypatch.setattr("airflow.sdk.log.load_remote_log_handler", lambda: True)
    monkeypatch.delenv("_AIRFLOW_PROCESS_CONTEXT", raising=False)
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    logs, used = BucketLogs.from_config(), []

    def put(self, text, location):
        used.append(self.hook.conn_config.aws_secret_access_key)
        return not down

    monkeypatch.setattr(BucketLogs, "write", put)
    for key in ("old", "new"):
        rest = dict.fromkeys(("host", "schema", "port", "extra"))
        answer = ConnectionResponse(conn_id="logs", conn_type="aws", login="logs", password=key, **rest)
        write(FIRST)
        with supervisor._remote_logging_conn(Mock(connections=Mock(get=lambda name, answer=answer: answer))):
            logs.upload(FIRST)
    assert used == ["old", "new"]


def test_a_task_without_a_file_uploads_nothing(logs, bucket):
    logs.upload(FIRST)
    assert bucket.objects == {}


@pytest.fixture
def shown(logs, tmp_path, monkeypatch):
    """Return a function that shows the log of a task in a state, as Airflow's page does: the details, and the lines."""
    monkeypatch.setattr(TaskLogHandler, "_render_filename", lambda self, ti, try_number: FIRST)
    monkeypatch.setattr(TaskLogHandler, "_get_executor_get_task_log", lambda self, ti: lambda ti, n: ([], []))
    monkeypatch.setattr("airflow.logging_config.get_remote_task_log", lambda: logs)

    def show(state):
        task = SimpleNamespace(state=state, try_number=1, hostname="vm", triggerer_job=None)
        stream, _ = TaskLogHandler(str(tmp_path)).read(task, 1)
        lines = [line.event for line in stream]
        end = lines.index("::endgroup::")
        assert not [line for line in lines if "HTTPConnectionPool" in line]
        return lines[1:end], lines[end + 1 :]

    return show


ENDED, RUNS, WAITS = TaskInstanceState.SUCCESS, TaskInstanceState.RUNNING, TaskInstanceState.DEFERRED


def test_the_log_of_a_running_task_is_its_file(shown, write):
    file = write(FIRST)
    assert shown(RUNS) == ([str(file)], ["a line"])


def test_a_task_that_waits_shows_what_it_said_before(shown, bucket):
    bucket.objects[FIRST] = ("before\n", None)
    assert shown(WAITS) == ([f"s3://logs/{FIRST}"], ["before"])


def test_a_task_that_has_ended_shows_what_is_in_the_bucket(shown, bucket):
    bucket.objects[FIRST] = ("first\nlast\n", None)
    assert shown(ENDED) == ([f"s3://logs/{FIRST}"], ["first", "last"])


def test_the_log_of_a_killed_task_is_its_file(shown, write):
    file = write(FIRST)
    assert shown(TaskInstanceState.FAILED) == ([str(file)], ["a line"])


def test_without_a_log_it_says_why_there_may_be_none(shown):
    assert shown(ENDED) == ([], [NO_LOG])
    assert shown(TaskInstanceState.UP_FOR_RETRY) == ([], [NO_LOG])


def test_a_log_that_is_uploaded_while_it_is_looked_for_is_found(shown, bucket, monkeypatch):
    def uploaded_meanwhile(self, path):
        bucket.objects[FIRST] = ("last\n", None)
        return [], []

    monkeypatch.setattr(TaskLogHandler, "_read_from_local", uploaded_meanwhile)
    assert shown(ENDED) == ([f"s3://logs/{FIRST}"], ["last"])


def test_during_an_outage_it_says_so_and_shows_local_files(shown, bucket, write):
    bucket.down = True
    problem = (
        'The logs in the object store cannot be read now: Could not connect to the endpoint URL: "http://s3:9000/logs'
    )
    assert shown(ENDED) == ([problem], [problem])
    file = write(FIRST)
    assert shown(RUNS) == ([problem, str(file)], ["a line"])


@pytest.fixture
def clean(logs, monkeypatch):
    monkeypatch.setattr(task_logs, "settings", lambda: SimpleNamespace(log_retention_days=90))
    return lambda running=(), **options: task_logs.clean(lambda *ids: ids in running, **options)


def test_old_objects_are_removed(clean, bucket):
    now = datetime.now(UTC)
    bucket.objects = {"old": ("", now - timedelta(days=91)), "young": ("", now - timedelta(days=89))}
    clean(dry_run=True)
    assert list(bucket.objects) == ["old", "young"]
    clean()
    assert list(bucket.objects) == ["young"]


def test_the_log_of_a_killed_task_is_uploaded_a_day_later(clean, bucket, write):
    killed, running = write(FIRST, days=1.1), write(f"{FOLDER}/attempt=2.log", days=0.9)
    clean()
    assert list(bucket.objects) == [FIRST]
    assert (killed.exists(), running.exists()) == (False, True)


def test_the_log_of_a_task_that_runs_in_silence_stays(clean, bucket, write):
    """Airflow has the file open: lines that come later would be lost with it."""
    file = write(FIRST, days=30)
    clean(running=[("train_auto", "manual__2026-11-29T00:00:00+00:00", "search")])
    assert (file.exists(), bucket.objects) == (True, {})


def test_the_log_of_a_trigger_that_waits_for_days_stays(clean, bucket, write):
    file = write(f"{FIRST}.trigger.2.log", days=30)
    clean()
    assert (file.exists(), bucket.objects) == (True, {})


def test_old_files_are_removed(clean, bucket, write):
    files = [write(FIRST, days=91), write("dag_processor/2026-11-29/dags-folder/train.py.log", days=91)]
    younger = write("dag_processor/2026-11-30/dags-folder/train.py.log", days=89)
    clean()
    assert [file.exists() for file in (*files, younger)] == [False, False, True]
    assert bucket.objects == {}


def test_folders_that_have_been_empty_for_a_day_are_removed(clean, write, tmp_path):
    file = write(FIRST)
    file.unlink()
    old = time.time() - timedelta(days=2).total_seconds()
    folders = [tmp_path / FOLDER, *(tmp_path / FOLDER).parents]
    for folder in folders[:2]:
        os.utime(folder, (old, old))
    clean()
    assert [folder.exists() for folder in folders[:3]] == [False, True, True]  # the second has just lost the first


def test_a_file_that_its_own_task_removes_meanwhile_is_no_problem(clean, write, monkeypatch):
    file = write(FIRST)
    monkeypatch.setattr(task_logs.Path, "is_file", lambda path: path == file and not file.unlink(missing_ok=True))
    clean()
    assert not file.exists()


@pytest.mark.parametrize(
    "error", [OUTAGE, ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")]
)
def test_during_an_outage_it_is_tried_again(clean, bucket, monkeypatch, error):
    def fail(self):
        raise error

    monkeypatch.setattr(Bucket, "_call", fail)
    with pytest.raises(ServiceError, match="s3://logs: "):
        clean()


def test_it_says_what_it_did(clean, bucket, write, caplog):
    bucket.objects = {"old": ("", datetime.now(UTC) - timedelta(days=91))}
    write(FIRST, days=2)
    with caplog.at_level("INFO", "ml_platform"):
        clean()
    assert caplog.messages == [
        "1 logs older than 90 days are removed",
        "1 logs that killed tasks had left on this machine are in the bucket now",
    ]
