"""The page Compare models."""

import pytest
from mlflow.exceptions import MlflowException

from ml_platform.home.models import comparing
from ml_platform.records import searches
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.models.model_cases import FIRST, SEARCH, SECOND, has


@pytest.fixture(autouse=True)
def _searches(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    comparing._version.clear()
    monkeypatch.setattr(searches, "searches", lambda name: [SEARCH])
    monkeypatch.setattr(searches, "families", lambda search: [FIRST, SECOND])
    monkeypatch.setattr(searches, "of_version", lambda version: FIRST)
    monkeypatch.setattr("ml_platform.storage.mlflow_client.compare_url", lambda *_: "http://localhost:5000/#/compare")


def test_the_best_two_families_are_compared_by_name(draw: Draw) -> None:
    page = draw("compare", "auto")
    assert page.multiselect[0].value == ["xgboost", "snapshot_ensemble"]
    assert page.multiselect[0].options == ["xgboost", "snapshot_ensemble", "version 3", "version 2", "version 1"]
    assert list(page.dataframe[0].value.columns) == ["", "xgboost", "snapshot_ensemble"]
    assert page.text[0].value.startswith("snapshot_ensemble against xgboost, on the same folds: F1 0.1")


def test_two_are_needed(draw: Draw) -> None:
    page = draw("compare", "auto")
    page.multiselect[0].set_value(["xgboost"]).run()
    assert page.info[0].value == "Choose two or more."


def test_without_mlflow_it_says_what_is_missing(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise MlflowException("connection refused")

    monkeypatch.setattr(searches, "searches", fail)
    page = draw("compare", "auto")
    assert [one.value for one in page.title] == ["Compare models"]
    assert page.warning[0].value == "The searches cannot be shown now."


def test_without_a_search_there_is_a_hint(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "searches", lambda name: [])
    assert draw("compare", "auto").info[0].value.startswith("No search of this data set has ended yet")
