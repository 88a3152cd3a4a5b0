"""Buckets and the rights in them, on a real object store."""

import pytest

from ml_platform.doctor import buckets
from stack import access
from stack.backup import archive

pytestmark = pytest.mark.servers


def test_nothing_is_found_on_a_healthy_store(servers):
    assert [*buckets.missing_buckets(servers), *buckets.rights(servers)] == []


def test_a_bucket_that_is_not_there_is_found(servers, monkeypatch):
    names = [*access.buckets(), "lost"]
    monkeypatch.setattr(access, "buckets", lambda *_: names)
    assert list(buckets.missing_buckets(servers)) == ["the bucket lost does not exist"]
    assert list(buckets.rights(servers)) == []


def test_an_identity_with_the_rights_of_another_is_found(servers):
    swapped = servers.model_copy(
        update={"logs_s3_access_key": servers.s3_access_key, "logs_s3_secret_key": servers.s3_secret_key}
    )
    found = list(buckets.rights(swapped))
    assert "the identity logs has the right s3:PutObject in train" in found
    assert "the identity logs lacks the right s3:PutObject in logs" in found
    listed = archive.connect(servers).list_objects_v2(Bucket="train")
    assert buckets.KEY not in [entry["Key"] for entry in listed.get("Contents", [])]
