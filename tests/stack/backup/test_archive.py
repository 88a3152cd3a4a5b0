"""A bucket and its tar file: hostile keys, the metadata of objects, and reads that break off."""

import io
import tarfile

import pytest
from botocore.exceptions import ClientError

from stack.backup.archive import contents, pack, unpack
from stack.errors import BackupError
from tests.stack.backup.stand_ins import Store

HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "a\nb\x00c",
    "-rf *",
    "a//b/./c",
    "folder/",
    "100 % “grün”\u202e.csv",
    "'; DROP TABLE x; --",
    "$(reboot)",
    "k" * 1024,
]
PLAIN = {"ContentType": "text/csv", "Metadata": {}}
RICH = {"ContentType": "application/json", "ContentEncoding": "gzip", "Metadata": {"of": "x=%\"y'"}}


def pack_to_file(store):
    file = io.BytesIO()
    counted = pack(store, "train", file)
    file.seek(0)
    return file, counted


def test_every_key_comes_back_with_content_type_and_metadata() -> None:
    store = Store({key: (key.encode() * 3, RICH if i % 2 else PLAIN) for i, key in enumerate(HOSTILE)})
    store.objects["empty"] = (b"", PLAIN)
    file, counted = pack_to_file(store)
    other = Store()
    unpack(other, "train", file)
    sent = {key: (data, {k: v for k, v in kept.items() if v}) for key, (data, kept) in store.objects.items()}
    assert other.objects == sent
    assert counted == contents(store, "train") == contents(other, "train")


def test_no_key_is_the_name_of_a_file() -> None:
    file, _ = pack_to_file(Store(dict.fromkeys(HOSTILE, (b"x", PLAIN))))
    with tarfile.open(fileobj=file) as tar:
        names = tar.getnames()
    assert len(set(names)) == len(HOSTILE)
    assert all("/" not in name and name.isprintable() and name[0].isdigit() and len(name) < 255 for name in names)


def test_an_empty_bucket_is_an_empty_file() -> None:
    file, counted = pack_to_file(Store())
    assert counted == (0, 0)
    unpack(Store(), "train", file)


def test_an_object_that_is_removed_after_it_was_listed_is_left_out() -> None:
    store = Store({"a": (b"1", PLAIN), "b": (b"2", PLAIN)})
    store.removed = {"a"}
    assert pack_to_file(store)[1] == (1, 1)


def test_an_object_that_breaks_off_is_named() -> None:
    store = Store({"a": (b"12345", PLAIN)})
    store.truncated = {"a"}
    with pytest.raises(BackupError, match="s3://train/a"):
        pack_to_file(store)


def test_an_object_that_cannot_be_written_is_named() -> None:
    file, _ = pack_to_file(Store({"a": (b"1", PLAIN)}))

    class Full(Store):
        def upload_fileobj(self, *_, **__):
            raise ClientError({"Error": {"Code": "XMinioStorageFull", "Message": "no space"}}, "PutObject")

    with pytest.raises(BackupError, match=r"s3://train/a.*no space"):
        unpack(Full(), "train", file)
