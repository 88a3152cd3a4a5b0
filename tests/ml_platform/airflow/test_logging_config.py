"""The logging that Airflow's settings name: it exists, and every process of Airflow finds the logs in the bucket."""

import json
import os
import subprocess
import sys
from pathlib import Path

from stack import secrets

ROOT = Path(__file__).resolve().parents[3]
LOOK = """
import json
import airflow.settings
from airflow.logging_config import get_remote_task_log
from airflow.sdk.log import load_remote_conn_id, load_remote_log_handler
from airflow.utils.log.log_reader import TaskLogReader

reads, uploads = get_remote_task_log(), load_remote_log_handler()
print(json.dumps([type(reads).__name__, reads is uploads, reads.remote_base, load_remote_conn_id(),
                  type(TaskLogReader().log_handler).__name__]))
"""

FAIL = """
import io
import json
import structlog
from airflow.sdk.execution_time.supervisor import process_log_messages_from_subprocess
from airflow.sdk.log import configure_logging, logging_processors
from ml_platform.exceptions import ServiceError

of_task, of_supervisor = io.BytesIO(), io.BytesIO()
configure_logging(json_output=True, output=of_task, sending_to_supervisor=True)
try:
    try:
        raise ConnectionError("refused")
    except ConnectionError as error:
        raise ServiceError("no such run") from error
except ServiceError:
    structlog.get_logger(logger_name="task").exception("Task failed with exception")
processors = logging_processors(json_output=True)
target = structlog.wrap_logger(structlog.BytesLogger(of_supervisor), processors=processors, logger_name="task").bind()
receiver = process_log_messages_from_subprocess((target,))
next(receiver)
receiver.send(of_task.getvalue())
print(of_supervisor.getvalue().decode())
"""


def run(script, folder):
    """Run a script in a process of Airflow, and return the JSON in its last line."""
    paths = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "AIRFLOW_HOME": str(folder), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=paths | secrets.read(ROOT / "stack" / "airflow.env"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_the_log_begins_any_error_of_a_task_with_its_last_line(tmp_path):
    entry = run(FAIL, tmp_path)
    assert (entry["level"], entry["event"]) == ("error", "ServiceError: no such run")
    assert [stack["exc_type"] for stack in entry["error_detail"]] == ["ServiceError", "ConnectionError"]


def test_airflow_uploads_and_reads_logs_with_our_classes(tmp_path):
    assert run(LOOK, tmp_path) == ["BucketLogs", True, "s3://logs", "logs", "TaskLogHandler"]
