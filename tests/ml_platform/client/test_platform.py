"""The client against the real service: drop and wait, results, models, predictions; and it needs nothing else."""

import ast
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr

from ml_platform.client import Platform, RequestError, platform
from ml_platform.ingestion import uploads
from ml_platform.records import models
from ml_platform.records.models import ModelVersion
from ml_platform.serving import file_routes
from ml_platform.serving.app import create_app
from ml_platform.serving.tokens import Tokens
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import make_dataset, many, new_name, waiting_keys
from tests.ml_platform.records.test_results import record
from tests.ml_platform.serving.models import ROW, SHOP, TOKEN, Registry, follow, make_model

FILES_TOKEN = "the-token-of-files"


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    dataset = make_dataset(new_name())
    monkeypatch.setattr(file_routes, "tables", lambda: [dataset])
    return dataset


@pytest.fixture
def url() -> Iterator[str]:
    live = follow(Registry(make_model(SHOP)))
    app = create_app(live, Tokens(SecretStr(TOKEN), SecretStr(FILES_TOKEN)), lambda entries: None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(url: str) -> Platform:
    return Platform(url, FILES_TOKEN)


def at_each_look(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> None:
    monkeypatch.setattr(platform.time, "sleep", lambda _: work())


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_a_file_is_dropped_and_waited_for(
    client: Platform, sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_each_look(monkeypatch, lambda: [uploads.ingest(sample, key) for key in waiting_keys(sample)])
    (file := tmp_path / f"train_{sample.name}.csv").write_bytes(many(3))
    loaded = client.drop(file).wait()
    assert (loaded.state, loaded.rows_loaded, loaded.dataset) == ("loaded", 3, sample.name)
    assert loaded.settled_at is not None
    assert loaded.settled_at.utcoffset() == datetime.now(UTC).utcoffset()
    (bad := tmp_path / "bad.csv").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(RequestError, match=r"is rejected: .* the header lacks"):
        client.drop(bad, kind="train", dataset=sample.name).wait()
    assert [one.state for one in client.files(sample.name)] == ["rejected", "loaded"]
    assert [one.name for one in client.files(sample.name, state=["loaded"])] == [file.name]


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_a_result_is_saved(client: Platform, sample: Dataset, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="there is no result yet"):
        client.results(sample.name).latest()
    key = record(sample, 1)
    object_store.put_new("result", key, b"ID,prediction\n1,0\n")
    latest = client.results(sample.name).latest()
    assert (latest.key, latest.rows, latest.scored_at.tzinfo) == (key, 4, UTC)
    assert latest.save(tmp_path / "x.csv").read_bytes() == b"ID,prediction\n1,0\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.sockets
def test_predictions_and_models(client: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    (prediction,) = client.predict("shop", [ROW], explain=1)
    assert prediction.key == {"id": 7}
    assert prediction.reasons is not None
    assert len(prediction.reasons) == 1
    version = ModelVersion("shop", 1, "run", datetime(2026, 1, 1, tzinfo=UTC), "training", ("champion",))
    monkeypatch.setattr(models, "versions", lambda name, limit, offset: [version])
    (listed,) = client.models("shop")
    assert (listed.aliases, listed.registered_at) == (["champion"], datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.sockets
def test_a_refusal_says_why(url: str, sample: Dataset, tmp_path: Path) -> None:
    (file := tmp_path / f"train_{sample.name}.csv").write_bytes(b"x")
    for token, status, text in ((TOKEN, 403, "predictions only"), ("another", 401, "a token is required")):
        with pytest.raises(RequestError, match=text) as refused:
            Platform(url, token).drop(file)
        assert refused.value.status == status
    with pytest.raises(RequestError, match="age") as refused:
        Platform(url, TOKEN).predict("shop", [ROW | {"age": "old"}])
    assert (refused.value.status, refused.value.errors[0]["field"]) == (422, "age")
    with pytest.raises(RequestError, match="cannot be reached"):
        Platform("http://127.0.0.1:9", TOKEN).models("shop")


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING_TOKEN", "one")
    assert Platform()._token == "one"
    monkeypatch.setenv("SERVING_FILES_TOKEN", "two")
    assert Platform()._token == "two"
    assert Platform(token="three")._token == "three"


def test_it_needs_only_python() -> None:
    tree = ast.parse(Path(platform.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
