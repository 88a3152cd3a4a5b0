"""Files are downloaded by people who are logged in, whole, as attachments; reports have no rights of the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from ml_platform.home import downloads
from ml_platform.home.login import sessions, users
from ml_platform.home.login.guard import Guard
from ml_platform.home.settings import HomeSettings
from ml_platform.records import files
from ml_platform.records.files import File
from ml_platform.storage import object_store
from tests.ml_platform.ingestion.upload_cases import csv_bytes, ingest, make_dataset, many, new_name

HOST = "home.test"


@pytest.fixture
def settings(tmp_path: Path) -> HomeSettings:
    return HomeSettings(
        home_hosts=HOST, home_admin_user="admin", home_admin_password=SecretStr("a password"),
        home_session_key=SecretStr("k" * 32), home_users_file=tmp_path / "users.yaml",
    )  # fmt: skip


@pytest.fixture
def client(settings: HomeSettings) -> Iterator[TestClient]:
    """A client of the routes behind the guard, without a session."""
    app = Starlette(routes=downloads.routes(), middleware=[Middleware(Guard, settings=settings)])
    with TestClient(app, base_url=f"http://{HOST}", follow_redirects=False) as client:
        yield client


@pytest.fixture
def logged_in(client: TestClient, settings: HomeSettings) -> TestClient:
    user = users.find(settings, "admin")
    assert user
    client.cookies.set(sessions.COOKIE, sessions.start(settings, user))
    return client


def test_without_a_session_nothing_is_read(client: TestClient) -> None:
    for path in ("/download/file?bucket=train&key=x", "/report/auto/x.html"):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/download/file", "/download/secret?bucket=train&key=x&etag=1&at=2026-01-01T00:00:00%2B00:00",
        "/download/file?bucket=train&key=x&etag=1&at=2026-01-01", "/download/file?bucket=train&key=x&etag=1&at=now",
        "/download/../report/x", "/report/../../etc/passwd", "/report/auto/%2e%2e/x.html", "/report/templates/auto.csv",
    ],
)  # fmt: skip
def test_an_address_that_names_no_file_is_not_found(logged_in: TestClient, path: str) -> None:
    assert logged_in.get(path).status_code == 404


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_a_file_is_sent_whole_as_an_attachment(logged_in: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "CHUNK_BYTES", 1000)
    sample, data = make_dataset(new_name()), many(200) + csv_bytes({"ID": "x"}).split(b"\n", 1)[1]
    ingest(sample, data, "_<b> é\n")
    (file,) = files.files(sample).files
    answer = logged_in.get(downloads.file_address("file", file))
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''train_")
    assert (answer.headers["x-content-type-options"], answer.headers["content-length"]) == ("nosniff", str(len(data)))
    rejected = logged_in.get(downloads.file_address("rejected", file))
    assert (rejected.status_code, rejected.content.count(b"\n")) == (200, 2)
    other = File(**{**vars(file), "key": file.archived_key})
    assert logged_in.get(downloads.file_address("file", other)).status_code == 404


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_a_report_has_no_origin_and_reaches_nothing(logged_in: TestClient) -> None:
    key = f"{new_name()}/eda.2026-05-01T10-00-00Z.html"
    object_store.put_new("reports", key, b"<script>document.cookie</script>")
    answer = logged_in.get(downloads.report_address(key))
    assert (answer.status_code, answer.text) == (200, "<script>document.cookie</script>")
    policy = answer.headers["content-security-policy"]
    assert "sandbox allow-scripts;" in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
