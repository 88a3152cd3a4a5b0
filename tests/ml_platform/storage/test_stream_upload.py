"""Uploads of any size: nothing is overwritten, and one that breaks off leaves nothing."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from ml_platform.storage import object_store, stream_upload
from ml_platform.storage.stream_upload import put_stream

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

PART = 5 * 2**20  # the least that S3 takes


@pytest.fixture
def key() -> str:
    return f"uploads-{uuid4().hex}.csv"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_upload, "PART_BYTES", PART)


@pytest.mark.parametrize("size", [0, 7, PART, PART + 1, 2 * PART + 3])
def test_an_upload_has_all_bytes_and_its_etag(key: str, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    chunks = (data[:size][i : i + 300_000] for i in range(0, size, 300_000))
    etag = put_stream("train", key, chunks)
    version = object_store.head("train", key)
    assert version is not None
    assert (version.etag, version.size) == (etag, size)
    assert object_store.get("train", key) == data[:size]


@pytest.mark.parametrize("size", [7, PART + 1])
def test_what_is_there_is_not_overwritten(key: str, size: int) -> None:
    assert put_stream("train", key, [b"first"])
    assert put_stream("train", key, [bytes(size)]) is None
    assert object_store.get("train", key) == b"first"


@pytest.mark.parametrize("parts", [0, 3])
def test_an_upload_that_breaks_off_leaves_nothing(key: str, parts: int) -> None:
    def broken() -> Iterator[bytes]:
        yield from [bytes(PART)] * parts
        raise ConnectionError("the caller is away")

    with pytest.raises(ConnectionError):
        put_stream("train", key, broken())
    assert object_store.head("train", key) is None
    uploads = object_store.client().list_multipart_uploads(Bucket="train", Prefix=key)
    assert uploads.get("Uploads", []) == []
