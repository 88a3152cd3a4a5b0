"""Which runs of candidates are removed, with MLflow replaced by lists."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import ServiceError
from ml_platform.housekeeping import candidate_runs
from ml_platform.training.tracking import PARENT

NOW = datetime.now(UTC)


class Page(list):
    token = None


class Registry:
    """An experiment with searches by their states, and a candidate of each; versions with aliases of some of them."""

    def __init__(self, searches, live):
        self.searches, self.live, self.deleted, self.queries = searches, live, [], []

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id="1") if name == "auto" else None

    def search_model_versions(self, query, page_token):
        versions = [SimpleNamespace(run_id=search, aliases=["champion"]) for search in self.live]
        return Page([*versions, SimpleNamespace(run_id="old", aliases=[])])

    def search_runs(self, experiments, query, max_results, order_by, page_token):
        self.queries.append(query)
        runs = [
            SimpleNamespace(info=SimpleNamespace(run_id=f"of {search}"), data=SimpleNamespace(tags={PARENT: search}))
            for search in self.searches
        ]
        return Page(runs)

    def get_run(self, search):
        return SimpleNamespace(info=SimpleNamespace(status=self.searches[search]))

    def delete_run(self, run_id):
        self.deleted.append(run_id)


@pytest.fixture
def registry(monkeypatch):
    made = Registry({"old": "FINISHED", "live": "FINISHED", "running": "RUNNING", "failed": "FAILED"}, ["live"])
    monkeypatch.setattr(candidate_runs.mlflow_client, "connect", lambda: made)
    return made


def test_candidates_of_searches_that_run_or_have_an_alias_stay(registry) -> None:
    found = list(candidate_runs.before("auto", NOW))
    assert [run.info.run_id for run in found] == ["of old", "of failed"]
    assert registry.queries == [f"tags.kind = 'candidate' and attributes.start_time < {int(NOW.timestamp() * 1000)}"]
    candidate_runs.remove(found[0])
    assert registry.deleted == ["of old"]


def test_a_data_set_without_a_training_has_none(registry) -> None:
    assert list(candidate_runs.before("nobody", NOW)) == []


def test_an_outage_is_a_service_error(registry, monkeypatch) -> None:
    def away(*_):
        raise MlflowException("away")

    for call in ("get_experiment_by_name", "delete_run"):
        monkeypatch.setattr(registry, call, away)
    with pytest.raises(ServiceError, match="MLflow: away"):
        list(candidate_runs.before("auto", NOW))
    with pytest.raises(ServiceError, match="MLflow: away"):
        candidate_runs.remove(SimpleNamespace(info=SimpleNamespace(run_id="1")))
