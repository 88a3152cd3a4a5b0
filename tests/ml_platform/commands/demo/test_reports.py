"""The reports on the files of the demo, in an object store that is a dictionary."""

import json

import pytest

from ml_platform.commands.demo import reports
from ml_platform.commands.demo.reports import archived_prefix, new_report, report_keys

OLD = "processed/train_auto.20260101T000000Z.0a.report.json"
NEW = "rejected/train_auto.20260102T000000Z.0b.report.json"


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What is in the bucket: content by key."""
    found = {
        OLD: b"{}",
        OLD.replace(".report.json", ".csv"): b"",
        "processed/train_automobiles.20260101T000000Z.0c.report.json": b"{}",
    }

    class Version:
        def __init__(self, key: str) -> None:
            self.key = key

    store = reports.object_store
    monkeypatch.setattr(store, "list_objects", lambda _, prefix: [Version(k) for k in found if k.startswith(prefix)])
    monkeypatch.setattr(store, "head", lambda _, key: found.get(key))
    monkeypatch.setattr(store, "get", lambda _, key: found[key])
    return found


def test_only_the_reports_on_files_of_that_name_are_found(objects) -> None:
    assert archived_prefix("train_auto.csv.gz") == "train_auto."
    assert report_keys("train", archived_prefix("train_auto.csv")) == {OLD}


def test_a_report_is_new_once_its_file_has_left_the_inbox(objects) -> None:
    assert new_report({OLD}, "train", "train_auto.csv") is None
    objects[NEW] = json.dumps({"outcome": "rejected"}).encode()
    objects["train_auto.csv"] = b"id"
    assert new_report({OLD}, "train", "train_auto.csv") is None
    del objects["train_auto.csv"]
    assert new_report({OLD}, "train", "train_auto.csv") == {"outcome": "rejected"}
