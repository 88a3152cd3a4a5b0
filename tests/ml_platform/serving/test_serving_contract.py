"""The service keeps what its OpenAPI description promises: schemathesis tries everything that it can think of."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from ml_platform.serving import file_routes
from ml_platform.serving.app import create_app
from ml_platform.serving.tokens import Tokens
from tests.ml_platform.ingestion.upload_cases import make_dataset
from tests.ml_platform.serving.models import HOUSES, SHOP, TOKEN, WEEKS, Registry, follow, make_model, stored

FILES_TOKEN = "the-token-of-files"


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Serve an application, and yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # No description can say which entities there are: here it is all.
    monkeypatch.setattr("ml_platform.feature_store.online_rows.newest_rows", partial(stored, unknown_number=None))
    live = follow(Registry(make_model(SHOP), make_model(WEEKS), make_model(HOUSES, estimator="ridge")))
    with running(create_app(live, Tokens(SecretStr(TOKEN)), lambda entries: None)) as address:
        yield address


def schemathesis(url: str, token: str, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).parent / "schemathesis"
    return subprocess.run(
        [
            program, "run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {token}",
            "--phases", "examples,coverage,fuzzing,stateful",
            "--max-examples", "20", "--generation-deterministic", "--no-color",
            # Texts are read as in files, so that 0, "0" and "no" are all a boolean: the schema names one form each.
            "--exclude-checks", "negative_data_rejection", *options,
        ],
        cwd=folder, env={"NO_PROXY": "*", "PATH": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.sockets
@pytest.mark.slow
def test_all_phases_find_nothing(url: str, tmp_path: Path) -> None:
    done = schemathesis(url, TOKEN, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.servers
@pytest.mark.prove
@pytest.mark.usefixtures("servers")
def test_the_routes_of_files_keep_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset("shop")
    monkeypatch.setattr(file_routes, "tables", lambda: [dataset])
    live = follow(Registry(make_model(SHOP)))
    with running(create_app(live, Tokens(SecretStr(TOKEN), SecretStr(FILES_TOKEN)), lambda entries: None)) as url:
        # Which names are allowed depends on the data sets, which no schema can say.
        names = ("--exclude-checks", "negative_data_rejection,positive_data_acceptance")
        done = schemathesis(url, FILES_TOKEN, tmp_path, "--include-path-regex", "files|results", *names)
    assert done.returncode == 0, done.stdout + done.stderr
