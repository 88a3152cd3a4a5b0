"""A platform without servers: programs of Postgres that answer by a script, and buckets in memory."""

from collections import defaultdict

import pytest

from tests.stack.backup.stand_ins import PROGRAMS, Platform, Store


@pytest.fixture
def platform(tmp_path, monkeypatch):
    """Return a function that makes the platform; the modules of stack.backup use it."""
    from stack.backup import databases, make, restore

    def use(*running, script=PROGRAMS):
        made = Platform(tmp_path, running=running, script=script)
        for module in (databases, make, restore):
            monkeypatch.setattr(module, "runner", lambda config: made)
        return made

    return use


@pytest.fixture
def buckets(monkeypatch):
    """The buckets of the platform, by name; each is a Store."""
    from stack.backup import archive

    stores = defaultdict(Store)

    class S3:
        def get_paginator(self, name):
            return self

        def paginate(self, Bucket):  # noqa: N803 – boto3's names
            return stores[Bucket].paginate(Bucket)

        def get_object(self, Bucket, Key):  # noqa: N803
            return stores[Bucket].get_object(Bucket, Key)

        def upload_fileobj(self, file, bucket, key, **given):
            stores[bucket].upload_fileobj(file, bucket, key, **given)

    monkeypatch.setattr(archive, "connect", lambda config: S3())
    return stores
