"""The entries of our servers: JSON with the ids that are bound, also those of libraries, and no values of variables."""

import json
import os
import subprocess
import sys
import threading
from contextvars import copy_context
from pathlib import Path

import structlog

from ml_platform import logs

ROOT = Path(__file__).resolve().parents[2]
WRITE = """
import logging
from ml_platform import logs
logs.configure()
logs.bind(dataset="auto")
secret = "s3cret"
with logs.bound(file="train_auto.csv"):
    try:
        raise ValueError("no such file")
    except ValueError:
        logging.getLogger("some.package").exception("%s failed", "reading")
logging.getLogger("ml_platform.x").info("done")
"""


def written(script):
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_entries_are_json_with_the_bound_ids():
    failed, done = written(WRITE)
    assert {name: failed[name] for name in ("event", "level", "logger", "dataset", "file")} == {
        "event": "reading failed", "level": "error", "logger": "some.package", "dataset": "auto",
        "file": "train_auto.csv",
    }  # fmt: skip
    assert failed["exception"].endswith("ValueError: no such file")
    assert "s3cret" not in json.dumps(failed)
    assert failed["timestamp"].endswith("Z")
    assert (done["event"], done.get("file"), done["dataset"]) == ("done", None, "auto")


def test_uvicorn_s_configuration_writes_the_same():
    path = ROOT / "stack" / "servers" / "uvicorn_log.json"
    script = f"""
import logging.config, json
logging.config.dictConfig(json.loads(open({str(path)!r}).read()))
logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", "/health", "1.1", 200)
"""
    (entry,) = written(script)
    assert (entry["logger"], entry["event"]) == ("uvicorn.access", '127.0.0.1:1 - "GET /health HTTP/1.1" 200')


def test_ids_of_one_context_are_not_in_another():
    def bind():
        logs.bind(file="one.csv")

    thread = threading.Thread(target=copy_context().run, args=(bind,))
    thread.start()
    thread.join()
    assert "file" not in structlog.contextvars.get_contextvars()
