"""Uploads that do not get on, on real servers."""

import pytest

from ml_platform.doctor import uploads
from stack.backup import archive

pytestmark = pytest.mark.servers


KEY = "train_penguins_stuck.csv"


def about_it(problems):
    """Return the problems with our file; other tests leave files in the same buckets."""
    return [problem for problem in problems if KEY in problem]


def test_a_file_that_was_read_and_stays_in_the_inbox_is_found(servers, superuser, monkeypatch):
    s3 = archive.connect(servers)
    before = uploads.dags_with_waiting_files(servers).get("ingest_penguins", 0)
    answer = s3.put_object(Bucket="train", Key=KEY, Body=b"x")
    superuser(
        "INSERT INTO uploads.arrivals (bucket, object_key, etag, last_modified, outcome, arrived_at) VALUES"
        f" ('train', '{KEY}', '{answer['ETag']}', now(), 'loaded', now() - interval '20 min')"
    )
    try:
        (problem,) = about_it(uploads.unsettled_files(servers))
        assert problem == f"train/{KEY} was loaded 20 min ago and is still in the inbox"
        assert about_it(uploads.waiting_files(servers)) == []
        monkeypatch.setattr(uploads, "LONG", uploads.SOON * 0)
        assert about_it(uploads.waiting_files(servers)) == [f"train/{KEY} has waited for 0 min, untouched"]
        monkeypatch.setattr(uploads, "SOON", uploads.SOON * 0)
        assert uploads.dags_with_waiting_files(servers)["ingest_penguins"] > before
    finally:
        s3.delete_object(Bucket="train", Key=KEY)
        superuser(f"DELETE FROM uploads.arrivals WHERE object_key = '{KEY}'")
    assert about_it(uploads.unsettled_files(servers)) == []


def test_mistakes_in_specs_are_found(servers):
    assert list(uploads.mistakes_in_specs(servers)) == []
    file = servers.datasets_dir / "broken.yaml"
    file.write_text("name: broken\n")
    try:
        assert all(str(file) in problem for problem in uploads.mistakes_in_specs(servers))
        assert list(uploads.mistakes_in_specs(servers))
    finally:
        file.unlink()
