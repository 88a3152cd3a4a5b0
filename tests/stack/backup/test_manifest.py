"""The check of a backup: it names what is missing, changed or of another version."""

import json
from datetime import UTC, datetime

import pytest

from stack.backup.databases import DATABASES
from stack.backup.manifest import Bucket, File, Manifest, verify
from stack.errors import BackupError


@pytest.fixture
def folder(tmp_path):
    """An intact backup of two buckets."""
    for name in (".env", *(f"{database}.dump" for database in DATABASES), "train.tar", "mlflow.tar"):
        (tmp_path / name).write_text(f"the content of {name}")
    tars = {name: File.of(tmp_path / f"{name}.tar").model_dump() for name in ("train", "mlflow")}
    Manifest(
        made_at=datetime.now(UTC),
        commit="unknown",
        postgres="18.6",
        settings=File.of(tmp_path / ".env"),
        databases={database: File.of(tmp_path / f"{database}.dump") for database in DATABASES},
        rows={"features.auto": 8161},
        buckets={name: Bucket(objects=1, object_bytes=1, **file) for name, file in tars.items()},
    ).write(tmp_path)
    return tmp_path


def change(folder, **values):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_an_intact_backup_is_accepted_and_only_its_owner_can_read_it(folder) -> None:
    assert verify(folder).rows == {"features.auto": 8161}
    assert (folder / "manifest.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", [".env", "airflow.dump", "mlflow.tar"])
def test_a_changed_or_missing_file_is_named(folder, name) -> None:
    path = folder / name
    intact = path.read_bytes()
    for damaged in (intact[:-1], b"X" + intact[1:], intact + b"\n"):
        path.write_bytes(damaged)
        with pytest.raises(BackupError, match=rf"damaged; missing or changed: {name}\."):
            verify(folder)
    path.unlink()
    with pytest.raises(BackupError, match=rf"missing or changed: {name}\."):
        verify(folder)


def test_a_folder_without_a_manifest_is_not_a_backup(tmp_path) -> None:
    with pytest.raises(BackupError, match=r"is not a backup: it has no manifest\.json"):
        verify(tmp_path)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"databases": {"../../etc": {"bytes": 1, "sha256": "0"}}}, "databases"),
        (
            {"buckets": {"../x": {"bytes": 1, "sha256": "0", "objects": 1, "object_bytes": 1}}},
            r"no bucket \.\./x",
        ),
    ],
)
def test_a_manifest_with_unknown_parts_is_refused(folder, values, problem) -> None:
    change(folder, **values)
    with pytest.raises(BackupError, match=problem):
        verify(folder)


def test_a_truncated_manifest_is_refused(folder) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(BackupError, match="cannot be read by this version of the platform"):
        verify(folder)
