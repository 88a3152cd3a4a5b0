"""The list of versions, and two of them side by side."""

import pytest

from ml_platform.exceptions import RegistryError
from ml_platform.home.models.versions import row
from ml_platform.records import version_details
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.models.model_cases import LIVE, has


def test_a_version_is_a_row() -> None:
    found = row(LIVE)
    assert (found["version"], found["state"], found["gate"], found["F1"]) == (2, "live", "passed", "0.6 (0.55 to 0.65)")
    assert found["made live by"] == "ann"


def test_the_live_one_is_compared_with_the_newest(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto", view="Versions")
    assert [page.selectbox(key=f"{key} of auto").value for key in ("from", "to")] == [2, 3]
    assert list(page.dataframe[1].value.columns) == ["", "property", "version 2", "version 3", "change"]
    page.selectbox(key="to of auto").set_value(2).run()
    assert page.info[0].value == "Choose two different versions."


def test_without_mlflow_the_records_are_compared(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)

    def fail(_: object) -> None:
        raise RegistryError("MLflow is away")

    monkeypatch.setattr(version_details, "training_facts", fail)
    page = draw("models", "auto", view="Versions")
    assert page.caption[0].value == "Rows, features and packages of version 2 are not known now: MLflow is away"
    assert "F1" in set(page.dataframe[1].value["property"])


def test_one_version_has_nothing_to_be_compared_with(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, versions=[LIVE])
    assert len(draw("models", "auto", view="Versions").dataframe) == 1
    has(monkeypatch, versions=[])
    assert draw("models", "auto", view="Versions").info[0].value == "There is no version yet: train a model."
