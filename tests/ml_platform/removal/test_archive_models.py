"""The models of a data set that ends lose their aliases and get a tag; the history says since when nothing is live."""

from typing import Any

import pytest

from ml_platform.promotion.results import LiveVersions
from ml_platform.registry import registry
from ml_platform.removal.archive_models import archive
from ml_platform.storage import mlflow_client
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.promotion.champions import aliases, killed_at, movements
from tests.ml_platform.scoring.test_batch import make_champion, train
from tests.ml_platform.training.trainings import ONE, make_dataset

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


def tags(name: str) -> dict[int, str | None]:
    """Return the tag `archived` of each version."""
    found = mlflow_client.versions(mlflow_client.connect(), name)
    return {int(version.version): version.tags.get("archived") for version in found}


def test_all_aliases_go_the_versions_are_tagged_and_a_killed_archiving_is_completed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = make_dataset(new_name(), ONE)
    for seed in (1, 2):
        make_champion(dataset, train(dataset, seed).version)
    name = dataset.name
    assert registry.alias_version(name, "challenger")
    for moment in ("delete_registered_model_alias", "set_model_version_tag"):
        with killed_at(monkeypatch, mlflow_client.MlflowClient, moment):
            archive(name, by="ann", reason="it ends")
    assert archive(name, by="ann", reason="it ends") == (1, 2)
    assert aliases(name) == LiveVersions(None, None)
    assert not mlflow_client.connect().get_registered_model(name).aliases
    assert tags(name) == {1: "by ann: it ends", 2: "by ann: it ends"}
    last: tuple[Any, ...] = movements(name)[-1]
    assert last == (2, None, "ann", "by hand", True)
    assert archive(name, by="bob", reason="again") == (1, 2)
    assert tags(name)[1] == "by ann: it ends"
    assert movements(name)[-1] == last


def test_a_data_set_without_a_model_has_nothing_to_archive() -> None:
    assert archive(new_name(), by="ann", reason="x") == ()
