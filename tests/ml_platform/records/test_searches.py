"""Searches, families and versions as MLflow has them, after one real training with two families."""

from typing import Any

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.records import holdout, searches, version_details
from ml_platform.specs.tasks import METRICS
from ml_platform.storage import database
from ml_platform.training import steps
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.training.trainings import essentials, make_dataset, make_training_set, searched_with

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

FAMILIES = {
    "logistic_regression": {"C": [1.0, 0.01]},
    "random_forest": {"n_estimators": [5], "bootstrap": [True, False], "oob_score": [True]},  # one of them fails
}


@pytest.fixture(scope="module")
def trained(mlflow_server: Any) -> Any:
    """Return a training set, its search, and the version that was registered."""
    training_set = make_training_set(make_dataset(new_name(), FAMILIES))
    with essentials():
        searched = searched_with(training_set)
        return training_set, searched, steps.refit(training_set, searched)


def test_families_are_compared_by_their_best_candidate(trained: Any) -> None:
    training_set, searched, _ = trained
    (search,) = searches.searches(training_set.dataset.name)
    assert (search.run_id, search.status, search.scoring) == (searched.run_id, "FINISHED", searched.scoring)
    assert (search.candidates, search.failed) == (4, 1)
    assert (search.compare_url, search.training_set_sha256) == (searched.compare_url, training_set.sha256)
    best = searches.families(search)
    assert {one.title: one.of for one in best} == {"logistic_regression": 2, "random_forest": 2}
    assert best[0].means[search.scoring] >= best[1].means[search.scoring]
    for one in best:
        assert set(one.means) == set(one.folds) == set(METRICS["binary"])
        assert len(one.folds["f1"]) == search.folds == 3
        assert one.seconds > 0
    assert searches.searches("nobody") == []


def test_a_version_is_known_with_its_candidate_its_data_and_its_hold_out(trained: Any) -> None:
    training_set, searched, challenger = trained
    details = version_details.details(challenger.name, challenger.version)
    assert (details.task, details.classes, details.threshold) == ("binary", ("0", "1"), challenger.threshold)
    assert (details.metrics, details.training_set_sha256) == (challenger.metrics, training_set.sha256)
    low, high = details.intervals["f1"]
    assert low <= details.metrics["f1"] <= high
    facts = version_details.training_facts(details)
    assert facts.features == tuple(training_set.dataset.features)
    assert (facts.rows_train or 0) + (facts.rows_holdout or 0) == len(training_set.frame)
    found = holdout.holdout(details)
    assert found.labels.shape == found.outputs.shape == (facts.rows_holdout,)
    assert (found.task, found.threshold) == ("binary", challenger.threshold)
    contender = searches.of_version(details)
    assert contender.means[searched.scoring] == searched.score
    assert (contender.title, contender.holdout, contender.search.run_id) == (
        f"version {challenger.version}", challenger.metrics, searched.run_id,
    )  # fmt: skip


def test_a_version_that_nobody_recorded_has_no_details(servers: Any) -> None:
    with pytest.raises(RegistryError, match="there is no record of version 7"):
        version_details.details("nobody", 7)


def test_the_newest_record_of_a_number_counts(servers: Any) -> None:
    name = new_name()
    with database.transaction() as cursor:
        for run_id, moment in (("old", "2026-01-01"), ("new", "2026-01-02")):
            database.rows(
                cursor,
                "INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_by, recorded_at)"
                " VALUES ($1, 1, $2, $3, $4::text::jsonb, 'training', $5::text::timestamptz) RETURNING version",
                *(name, run_id, "a" * 64, '{"classes": "[\\"a\\", \\"b\\", \\"c\\"]"}', moment),
            )
    found = version_details.details(name, 1)
    assert (found.run_id, found.task, found.metrics, found.intervals) == ("new", "multiclass", {}, {})
