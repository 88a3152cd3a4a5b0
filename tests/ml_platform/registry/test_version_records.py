"""What the platform recorded about versions, in Postgres. No MLflow is needed: a version is what its caller has."""

from typing import Any

import pytest
from mlflow.entities.model_registry import ModelVersion

from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.registry import version_records
from ml_platform.registry.version_records import VersionRecord
from ml_platform.storage import database
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

TAGS = {"model_sha256": "a" * 64, "threshold": "0.25", "classes": '["no", "yes; \'or\' ü"]'}


def make_version(name: str, number: int = 1, run_id: str = "run", **tags: str) -> ModelVersion:
    merged = {**TAGS, **tags}
    version = ModelVersion(name, str(number), 0, run_id=run_id)
    for tag, text in merged.items():
        version.tags[tag] = text
    return version


def recorded(name: str, number: int = 1, **options: Any) -> ModelVersion:
    version = make_version(name, number, **options)
    with database.transaction() as cursor:
        version_records.record(cursor, version, "training")
    return version


def move(name: str, version: int, run_id: str = "run", *, is_done: bool = True) -> None:
    database.fetch(
        "INSERT INTO models.movements (model, to_version, run_id, moved_by, why, reason, is_done)"
        " VALUES ($1, $2::int, $3, 'tests', 'gate', 'for a test', $4) RETURNING movement_id",
        *(name, version, run_id, is_done),
    )


def test_a_record_is_what_the_version_was_registered_with():
    name = new_name()
    version = recorded(name)
    assert version_records.check(version) == VersionRecord(TAGS, None, was_live=False)
    version.tags["decision"] = "kept"  # a tag that comes later
    assert version_records.check(version).tags == TAGS


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_that_was_changed_or_removed_is_refused(tag):
    name = new_name()
    recorded(name)
    with pytest.raises(RegistryError, match=f"the tag '{tag}' is 'other', but .* was recorded"):
        version_records.check(make_version(name, **{tag: "other"}))
    without = make_version(name)
    del without.tags[tag]
    with pytest.raises(RegistryError, match=f"the tag '{tag}' is '', but"):
        version_records.check(without)


def test_the_tags_of_a_promotion_are_no_part_of_the_record():
    name = new_name()
    recorded(name, promoted_at="2026-03-01", promoted_by="alice", approved_by="bob", promotion_reason="it was good")
    assert version_records.check(make_version(name, promoted_at="2026-04-01", promoted_by="carol")).tags == TAGS


def test_a_record_of_before_that_holds_the_tags_of_a_promotion_still_fits():
    name = new_name()
    recorded(name)
    promotion = '{"promoted_at": "2026-03-01"}'
    database.fetch(
        "UPDATE models.versions SET tags = tags || $2::text::jsonb WHERE model = $1 RETURNING version", name, promotion
    )
    assert version_records.check(make_version(name, promoted_at="2026-04-01")).tags == TAGS


def test_a_version_of_another_name_number_or_run_has_no_record():
    name = new_name()
    recorded(name)
    for stranger in (make_version(new_name()), make_version(name, 2), make_version(name, run_id="other")):
        assert version_records.read(stranger) is None
        with pytest.raises(RegistryError, match=f"./ml-platform models accept {stranger.name} {stranger.version} "):
            version_records.check(stranger)


def test_only_a_version_that_the_platform_made_live_may_be_live():
    name = new_name()
    versions = [recorded(name, number) for number in (1, 2, 3)]
    for version in versions:
        with pytest.raises(RegistryError, match=r"never made it live; the gate decided nothing about it\. .* rollback"):
            version_records.check_live(version)
    assert version_records.last_live(name) is None
    move(name, 2)
    move(name, 1)
    move(name, 3, is_done=False)  # the alias may move at any moment
    for version in versions:
        version_records.check_live(version)
    assert version_records.last_live(name) == 1


def test_the_move_of_a_deleted_model_says_nothing_about_a_new_one_with_the_same_number():
    name = new_name()
    move(name, 1, run_id="before")
    version = recorded(name)
    with pytest.raises(RegistryError, match="never made it live"):
        version_records.check_live(version)
    assert version_records.last_live(name) is None


def test_what_is_recorded_again_replaces_the_record():
    name = new_name()
    recorded(name)
    version = recorded(name, threshold="0.5")
    assert version_records.check(version).tags["threshold"] == "0.5"


def test_the_service_reads_the_records(servers, monkeypatch):
    name = new_name()
    version = recorded(name)
    uri = replace_user(servers)
    monkeypatch.setattr(database, "settings", lambda: uri)
    assert version_records.check(version).tags == TAGS
    with pytest.raises(ServiceError, match="permission denied"), database.transaction() as cursor:
        version_records.record(cursor, version, "a stranger")


def replace_user(servers: Any) -> Any:
    """Return settings of the HTTP service's role."""
    from ml_platform.settings import settings

    return settings().model_copy(
        update={"platform_db_user": "serving", "platform_db_password": servers.serving_db_password}
    )
