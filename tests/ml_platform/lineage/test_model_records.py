"""What is recorded about a version: of the run that is asked for, and the newest one otherwise."""

import pytest

from ml_platform.lineage import model_records
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


def test_a_number_that_was_given_twice_means_the_newest_run_unless_one_is_named() -> None:
    name = new_name()
    with transaction() as cursor:
        for run, age in (("old", "1 day"), ("new", "0")):
            cursor.execute(
                "INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_by, recorded_at)"
                " VALUES ($1, 1, $2, repeat('a', 64), jsonb_build_object('training_set_sha256', $2::text), 'tests',"
                " now() - $3::text::interval)",
                (name, run, age),
            )
    newest, named = model_records.version(name, 1), model_records.version(name, 1, "old")
    assert newest is not None
    assert named is not None
    assert (newest.run_id, newest.training_set_sha256, newest.decision) == ("new", "new", None)
    assert (named.run_id, named.training_set_sha256) == ("old", "old")


def test_of_what_was_never_there_nothing_is_recorded() -> None:
    assert model_records.version(new_name(), 1) is None
    assert model_records.periods(new_name(), 1, None) == []
