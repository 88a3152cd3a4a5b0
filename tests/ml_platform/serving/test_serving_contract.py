"""The service keeps what its OpenAPI description promises: schemathesis tries everything that it can think of."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from pydantic import SecretStr

from ml_platform.serving.app import create_app
from ml_platform.serving.tokens import Tokens
from tests.ml_platform.serving.models import HOUSES, SHOP, TOKEN, WEEKS, Registry, follow, make_model, stored

pytestmark = pytest.mark.sockets


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # No description can say which entities there are: here it is all.
    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", partial(stored, unknown_number=None))
    live = follow(Registry(make_model(SHOP), make_model(WEEKS), make_model(HOUSES, estimator="ridge")))
    app = create_app(live, Tokens(SecretStr(TOKEN)), lambda entries: None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.slow
def test_all_phases_find_nothing(url: str, tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "schemathesis"
    done = subprocess.run(
        [
            program, "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}",
            "--phases", "examples,coverage,fuzzing,stateful",
            "--max-examples", "20", "--generation-deterministic", "--no-color",
            # Texts are read as in files, so that 0, "0" and "no" are all a boolean: the schema names one form each.
            "--exclude-checks", "negative_data_rejection",
        ],
        cwd=tmp_path, env={"NO_PROXY": "*", "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
