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


def test_airflow_uploads_and_reads_logs_with_our_classes(tmp_path):
    paths = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "AIRFLOW_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env=paths | secrets.read(ROOT / "stack" / "airflow.env"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["BucketLogs", True, "s3://logs", "logs", "TaskLogHandler"]
