"""Object storage on a real S3 server: consistent reads, moves that are idempotent, and nothing overwritten."""

import hashlib
import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from ml_platform.exceptions import ServiceError, UploadChangedError
from ml_platform.settings import settings
from ml_platform.storage import object_store
from ml_platform.storage.object_store import ObjectVersion

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def key() -> str:
    return f"objects-{uuid4().hex}/a b'\".csv"


def put(key: str, data: bytes) -> ObjectVersion:
    object_store.client().put_object(Bucket="train", Key=key, Body=data)
    version = object_store.head("train", key)
    assert version is not None
    return version


def test_objects_are_listed_by_prefix(key: str) -> None:
    version = put(key, b"abc")
    assert version.size == 3
    assert [(found.key, found.etag, found.size) for found in object_store.list_objects("train", key[:30])] == [
        (key, version.etag, 3)
    ]
    assert object_store.head("train", key + "x") is None


def test_a_local_copy_has_the_bytes_and_their_hash(key: str) -> None:
    data = bytes(range(256)) * 12_000
    with object_store.local_copy(put(key, data)) as copy:
        assert (copy.sha256, copy.size) == (hashlib.sha256(data).hexdigest(), len(data))
        assert copy.file.read() == data


def test_a_replaced_version_is_not_read(key: str) -> None:
    version = put(key, b"old")
    put(key, b"new")
    with pytest.raises(UploadChangedError), object_store.local_copy(version):
        pass


class StalledBody:
    """A body of which the first part is read, then something happens, then the rest is read."""

    def __init__(self, body: Any, meanwhile: Any) -> None:
        self.body, self.meanwhile = body, meanwhile

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        chunks = self.body.iter_chunks(size)
        yield next(chunks)
        self.meanwhile()
        yield from chunks


@pytest.mark.parametrize("size", [200_000, 30_000_000])
@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_replaced_or_removed_while_it_is_read_is_never_mixed(
    key: str, size: int, replaced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, client = put(key, b"a" * size), object_store.client()

    def meanwhile() -> None:
        if replaced:
            client.put_object(Bucket="train", Key=key, Body=b"b" * size)
        else:
            client.delete_object(Bucket="train", Key=key)

    class Stalling:
        def get_object(self, **arguments: Any) -> Any:
            answer = client.get_object(**arguments)
            return answer | {"Body": StalledBody(answer["Body"], meanwhile)}

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

    monkeypatch.setattr(object_store, "CHUNK_BYTES", 65_536)
    monkeypatch.setattr(object_store, "client", Stalling)
    with pytest.raises((UploadChangedError, ServiceError)), object_store.local_copy(version):
        pass


def test_nothing_is_overwritten(key: str) -> None:
    assert object_store.put_new("train", key, b"first")
    assert not object_store.put_new("train", key, b"second")
    assert object_store.get("train", key) == b"first"


@pytest.mark.parametrize("make", [bytes, io.BytesIO])
def test_bytes_and_streams_are_written_with_their_content_type(key: str, make: Any) -> None:
    assert object_store.put_new("train", key, make(b"abc"), "text/csv")
    assert object_store.client().head_object(Bucket="train", Key=key)["ContentType"] == "text/csv"
    assert object_store.get("train", key) == b"abc"


def test_only_other_bytes_replace_an_object(key: str) -> None:
    assert [object_store.replace("train", key, data, "text/csv") for data in (b"a", b"a", b"b")] == [True, False, True]
    assert object_store.get("train", key) == b"b"


def test_a_version_is_current_until_it_is_replaced_or_removed(key: str) -> None:
    first = put(key, b"old")
    assert object_store.is_current(first)
    second = put(key, b"new")
    assert (object_store.is_current(first), object_store.is_current(second)) == (False, True)
    assert object_store.move(second, f"{key}.moved")
    assert not object_store.is_current(second)


def test_a_missing_object_is_named(key: str) -> None:
    with pytest.raises(UploadChangedError, match=r"s3://train/objects-"):
        object_store.get("train", key)


def test_a_move_is_idempotent(key: str) -> None:
    version, target = put(key, b"abc"), f"{key}.moved"
    assert object_store.move(version, target)
    assert object_store.move(version, target)
    assert object_store.head("train", key) is None
    assert object_store.get("train", target) == b"abc"


def test_a_large_object_is_copied_in_parts(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "SINGLE_COPY_BYTES", 24 * 2**20)
    version = put(key, b"x" * (25 * 2**20))
    assert object_store.move(version, f"{key}.moved")
    moved = object_store.head("train", f"{key}.moved")
    assert moved is not None
    assert moved.size == version.size


def test_a_newer_version_is_not_moved_or_removed(key: str) -> None:
    version = put(key, b"old")
    put(key, b"new")
    assert not object_store.move(version, f"{key}.moved")
    assert object_store.get("train", key) == b"new"
    assert object_store.head("train", f"{key}.moved") is None


def test_a_newer_version_that_arrives_after_the_copy_stays(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    version = put(key, b"old")
    object_store._copy(version, f"{key}.moved")
    put(key, b"new")
    monkeypatch.setattr(object_store, "is_current", lambda _: True)  # it arrives between the check and the deletion
    assert object_store.move(version, f"{key}.moved")
    assert object_store.get("train", key) == b"new"


def test_an_older_version_does_not_reappear_after_a_move(key: str) -> None:
    put(key, b"replaced before it was listed")
    assert object_store.move(put(key, b"listed"), f"{key}.moved")
    assert object_store.head("train", key) is None
    assert object_store.get("train", f"{key}.moved") == b"listed"


def test_an_outage_is_worth_a_retry(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:9")
    settings.cache_clear()
    object_store.client.cache_clear()
    try:
        with pytest.raises(ServiceError):
            object_store.head("train", key)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        object_store.client.cache_clear()


def test_other_bytes_take_the_place_of_a_version_and_no_newer_one_is_lost(key: str) -> None:
    old = put(key, b"old")
    object_store.rewrite(old, io.BytesIO(b"other"))
    assert object_store.get("train", key) == b"other"
    listed = object_store.client().list_object_versions(Bucket="train", Prefix=key).get("Versions", [])
    assert all(entry["IsLatest"] for entry in listed)
    with pytest.raises(UploadChangedError):
        object_store.rewrite(old, io.BytesIO(b"late"))
    assert object_store.get("train", key) == b"other"


def test_a_removed_version_is_gone_and_a_newer_one_stays(key: str) -> None:
    old = put(key, b"old")
    object_store.remove(old)
    assert object_store.head("train", key) is None
    object_store.remove(old)
    newer = put(key, b"newer")
    object_store.remove(old)
    assert object_store.head("train", key) == newer
