"""Files over HTTP, with the rights that the service has: its role in the database, and its key of the buckets."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from ml_platform.ingestion import uploads
from ml_platform.serving import file_routes
from ml_platform.settings import settings
from ml_platform.specs import catalog
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store, stream_upload
from tests.ml_platform.ingestion.upload_cases import make_dataset, many, new_name, rows_in
from tests.ml_platform.records.test_results import record
from tests.ml_platform.serving.models import SHOP, TOKEN, Registry, follow, make_model, service

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

FILES_TOKEN = "the-token-of-files"
AS_SERVICE = {
    "PLATFORM_DB_USER": "serving", "PLATFORM_DB_PASSWORD": "serving_db_password",
    "S3_ACCESS_KEY": "files_s3_access_key", "S3_SECRET_KEY": "files_s3_secret_key",
}  # fmt: skip


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    dataset = make_dataset(new_name())
    monkeypatch.setattr(file_routes, "tables", lambda: [dataset])
    return dataset


@pytest.fixture
def client() -> TestClient:
    return as_user(FILES_TOKEN)


def as_user(token: str) -> TestClient:
    client = service(follow(Registry(make_model(SHOP))), files=SecretStr(FILES_TOKEN))
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def rights_of_the_service(servers: Any) -> Iterator[None]:
    """Give this process the logins of the service."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in AS_SERVICE.items():
            value = getattr(servers, name, name)
            patch.setenv(variable, value.get_secret_value() if isinstance(value, SecretStr) else value)
        settings.cache_clear()
        object_store.client.cache_clear()
        yield
    settings.cache_clear()
    object_store.client.cache_clear()


def test_a_file_is_dropped_followed_and_listed(
    sample: Dataset, client: TestClient, rights_of_the_service: None
) -> None:
    name = f"train_{sample.name}.csv"
    done = client.put(f"/v1/{sample.name}/files/{name}", content=many(3))
    assert (done.status_code, done.json()["file"]["state"]) == (201, "waiting")
    where, etag = done.headers["location"], done.json()["file"]["etag"]
    assert where == f"/v1/{sample.name}/files/train/{name}"
    assert client.put(f"/v1/{sample.name}/files/{name}", content=b"other").status_code == 409
    assert client.get(where, params={"etag": etag}).json()["file"]["bytes"] == len(many(3))
    listed = client.get(f"/v1/{sample.name}/files", params={"state": "waiting"}).json()
    assert ([one["key"] for one in listed["files"]], listed["total"]) == ([name], 1)
    assert client.get(f"/v1/{sample.name}/results").json() == {"results": []}


def test_its_end_is_told(sample: Dataset, client: TestClient) -> None:
    name = "may.csv"
    done = client.put(f"/v1/{sample.name}/files/{name}", params={"as": "train"}, content=many(3))
    key = done.json()["file"]["key"]
    assert key == f"train_{sample.name}_may.csv"
    uploads.ingest(sample, key)
    file = client.get(done.headers["location"]).json()["file"]
    assert (file["state"], file["rows_loaded"], file["settled_at"][-1]) == ("loaded", 3, "Z")
    assert rows_in("features", sample) == 3


def test_a_large_file_comes_in_parts(sample: Dataset, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_upload, "PART_BYTES", 5 * 2**20)
    data = bytes(range(256)) * 50_000  # 12.8 MB
    pieces = (data[i : i + 100_000] for i in range(0, len(data), 100_000))
    done = client.put(f"/v1/{sample.name}/files/train_{sample.name}.csv", content=pieces)
    assert done.status_code == 201
    assert object_store.get("train", f"train_{sample.name}.csv") == data


def test_a_file_that_is_too_large_is_not_dropped(
    sample: Dataset, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_routes, "MOST_FILE_BYTES", 10)
    done = client.put(f"/v1/{sample.name}/files/train_{sample.name}.csv", content=many(3))
    assert done.status_code == 413
    assert object_store.head("train", f"train_{sample.name}.csv") is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("files/may.csv", 422), ("files/train_other.csv", 422), ("files/.hidden?as=train", 422),
        ("files/..%2Fx.csv?as=train", 404), ("files/a%5Cb.csv?as=train", 422), ("files/may.csv?as=nothing", 422),
        ("files/a%0Ab.csv?as=train", 422), ("files/%3Cb%3E.csv?as=train", 422),
    ],
)  # fmt: skip
def test_a_name_leads_nowhere_else(sample: Dataset, client: TestClient, path: str, status: int) -> None:
    assert client.put(f"/v1/{sample.name}/{path}", content=b"x").status_code in (status, 405)


def test_only_the_token_of_files_opens_them(sample: Dataset) -> None:
    for token, status in ((TOKEN, 403), ("another", 401)):
        caller = as_user(token)
        assert caller.put(f"/v1/{sample.name}/files/train_{sample.name}.csv", content=b"x").status_code == status
        for path in ("files", f"files/train/train_{sample.name}.csv", "results", "results/x.csv", "results/x.csv/card"):
            assert caller.get(f"/v1/{sample.name}/{path}").status_code == status, path
    assert object_store.head("train", f"train_{sample.name}.csv") is None
    assert as_user(FILES_TOKEN).get("/v1/shop/model").status_code == 200


def test_results_are_listed_and_fetched(sample: Dataset, client: TestClient) -> None:
    key = record(sample, 1)
    for written, data in ((key, b"ID,prediction\n1,0\n"), (key.replace(".csv", ".json"), b'{"rows_out": 1}')):
        object_store.put_new("result", written, data)
    assert [one["key"] for one in client.get(f"/v1/{sample.name}/results").json()["results"]] == [key]
    fetched = client.get(f"/v1/{sample.name}/results/test_1.csv")
    assert (fetched.status_code, fetched.content) == (200, b"ID,prediction\n1,0\n")
    assert fetched.headers["content-disposition"] == 'attachment; filename="test_1.csv"'
    assert client.get(f"/v1/{sample.name}/results/test_1.csv/card").json() == {"rows_out": 1}
    assert client.get(f"/v1/{sample.name}/results/other.csv").status_code == 404
    assert client.get("/v1/nobody/results").status_code == 404
    assert client.get(f"/v1/{sample.name}/files/train/train_other.csv").status_code == 404


def test_the_specs_are_read_again_when_a_file_changes(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(catalog, "DATASETS_DIR", tmp_path)
    monkeypatch.setattr(catalog, "catalog", lambda: read.append(1) or catalog.Catalog((), (), ()))
    file_routes.tables()
    file_routes.tables()
    assert len(read) == 1
    (tmp_path / "a.yaml").write_text("x")
    file_routes.tables()
    assert len(read) == 2
