"""A bucket and its tar file: keys that mean harm, all that S3 keeps with an object, and bytes that do not come."""

import io
import tarfile
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from stack.archive import contents, pack, unpack
from stack.errors import BackupError

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


class Store:
    """One bucket in memory; some of its objects break off, some are gone when they are asked for."""

    def __init__(self, objects=None):
        self.objects = dict(objects or {})
        self.gone, self.short = set(), set()

    def get_paginator(self, name):
        return self

    def paginate(self, Bucket):  # noqa: N803 – boto3's names
        keys = sorted(self.objects)
        for key in keys:  # one a page
            yield {"Contents": [{"Key": key, "Size": len(self.objects[key][0])}]}
        if not keys:
            yield {}

    def get_object(self, Bucket, Key):  # noqa: N803
        if Key in self.gone:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        data, properties = self.objects[Key]
        body = io.BytesIO(data[:-1] if Key in self.short else data)
        return {
            "Body": body,
            "ContentLength": len(data),
            "LastModified": datetime(2026, 1, 2, tzinfo=UTC),
            "ETag": '"1"',
            **properties,
        }

    def upload_fileobj(self, file, bucket, key, ExtraArgs, Config):  # noqa: N803
        self.objects[key] = (file.read(), ExtraArgs)


def packed(store):
    file = io.BytesIO()
    found = pack(store, "train", file)
    file.seek(0)
    return file, found


def test_every_key_comes_back_with_content_type_and_metadata() -> None:
    store = Store({key: (key.encode() * 3, RICH if i % 2 else PLAIN) for i, key in enumerate(HOSTILE)})
    store.objects["empty"] = (b"", PLAIN)
    file, found = packed(store)
    other = Store()
    unpack(other, "train", file)
    sent = {key: (data, {k: v for k, v in kept.items() if v}) for key, (data, kept) in store.objects.items()}
    assert other.objects == sent
    assert found == contents(store, "train") == contents(other, "train")


def test_no_key_is_a_files_name() -> None:
    file, _ = packed(Store(dict.fromkeys(HOSTILE, (b"x", PLAIN))))
    with tarfile.open(fileobj=file) as tar:
        names = tar.getnames()
    assert len(set(names)) == len(HOSTILE)
    assert all("/" not in name and name.isprintable() and name[0].isdigit() and len(name) < 255 for name in names)


def test_an_empty_bucket_is_an_empty_file() -> None:
    file, found = packed(Store())
    assert found == (0, 0)
    unpack(Store(), "train", file)


def test_what_was_removed_since_it_was_listed_is_left_out() -> None:
    store = Store({"a": (b"1", PLAIN), "b": (b"2", PLAIN)})
    store.gone = {"a"}
    assert packed(store)[1] == (1, 1)


def test_an_object_that_breaks_off_is_named() -> None:
    store = Store({"a": (b"12345", PLAIN)})
    store.short = {"a"}
    with pytest.raises(BackupError, match="s3://train/a"):
        packed(store)


def test_an_object_that_cannot_be_written_is_named() -> None:
    file, _ = packed(Store({"a": (b"1", PLAIN)}))

    class Full(Store):
        def upload_fileobj(self, *_, **__):
            raise ClientError({"Error": {"Code": "XMinioStorageFull", "Message": "no space"}}, "PutObject")

    with pytest.raises(BackupError, match=r"s3://train/a.*no space"):
        unpack(Full(), "train", file)
