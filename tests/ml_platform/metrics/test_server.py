"""The server: a process that answers `/metrics` on the address that it is given, and ends at once."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from ml_platform import ROOT
from tests.conftest import is_free

AWAY = "postgresql://metrics@127.0.0.1:1/x"


@pytest.mark.sockets
@pytest.mark.slow
def test_it_answers_without_postgres_and_ends_at_a_signal():
    port = next(port for port in range(22_400, 22_700) if is_free(port))
    environment = os.environ | {
        "METRICS_DATABASE": AWAY, "METRICS_AIRFLOW_DATABASE": AWAY, "METRICS_HOST": "127.0.0.1",
        "METRICS_PORT": str(port), "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
    }  # fmt: skip
    command = [sys.executable, "-m", "ml_platform.metrics"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "metrics are at" in line)
        address = said.split()[-1]
        assert address == f"http://127.0.0.1:{port}/metrics"
        with urllib.request.urlopen(address) as answer:  # noqa: S310 – a page of our own
            assert answer.headers["Content-Type"].startswith("text/plain")
            body = answer.read().decode()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert 'ml_platform_database_up{database="platform"} 0.0' in body
