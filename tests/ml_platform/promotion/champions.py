"""Versions of a model that go live one after the other, and processes that are killed on the way."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from mlflow.entities.model_registry import ModelVersion

from ml_platform.promotion import alias_log
from ml_platform.promotion import steps as promotion_steps
from ml_platform.promotion.alias_log import AliasChange
from ml_platform.promotion.results import LiveVersions, TrainingCard
from ml_platform.promotion.rollback import rollback
from ml_platform.registry import registry
from ml_platform.specs.holdout import holdout_by_entity
from ml_platform.specs.spec import Dataset
from ml_platform.storage import database, mlflow_client, object_store
from ml_platform.training import steps
from ml_platform.training.results import Challenger
from ml_platform.training.training_set import TrainingSet, frozen_key
from tests.ml_platform.training.trainings import (
    ONE,
    essentials,
    make_dataset,
    make_frame,
    make_training_set,
    searched_with,
)


def refit(name: str, share: float = 1.0, attempt_id: str = "") -> tuple[TrainingSet, Challenger]:
    """Register a version. Only this share of its training rows has correct labels; the hold-out is always the same."""
    frame, random = make_frame(2000), np.random.default_rng(0)
    is_shuffled = ~holdout_by_entity(frame["id"], name, 0.2) & (random.random(len(frame)) > share)
    frame.loc[is_shuffled, "buys"] = random.permutation(frame.loc[is_shuffled, "buys"])
    training_set = make_training_set(make_dataset(name, ONE), frame)
    return training_set, steps.refit(training_set, searched_with(training_set, attempt_id=attempt_id))


def train(name: str, share: float = 1.0, attempt_id: str = "") -> TrainingCard:
    """Train a version, as `alice`, up to the decision of the gate."""
    return promotion_steps.promote(*refit(name, share, attempt_id), by="alice")


def roll_back(name: str, **options: Any) -> LiveVersions:
    """Roll back, as `bob`."""
    return rollback(name, reason="it was worse", by="bob", **options)


def make_live(name: str, version: int) -> None:
    """Make a version the champion, as the platform does it, but without a gate."""
    live = alias_log.live_version(name)
    if live != version:
        change = AliasChange(name, live, version, "tests", "rollback", "for a test")
        with database.transaction() as cursor:
            alias_log.record_intent(cursor, change)
        alias_log.apply(change)


def train_live(dataset: Dataset, training_set: TrainingSet) -> None:
    """Store a training set, train on it without what a person looks at, and make the model live without a gate."""
    sink = io.BytesIO()
    training_set.frame.to_parquet(sink, index=False)
    object_store.put_new("mlflow", frozen_key(dataset, training_set.sha256), sink.getvalue())
    with essentials():
        refitted = steps.refit(training_set, searched_with(training_set))
    make_live(dataset.name, refitted.version)


def promoted(name: str, **tags: str) -> ModelVersion:
    """Register a copy of version 1 as another platform does it: through MLflow only, and with the alias."""
    api, source = mlflow_client.connect(), registry.get_version(name, 1)
    run = api.create_run(mlflow_client.experiment_id(api, name))
    with registry.download(source) as folder:
        api.log_artifacts(run.info.run_id, str(folder), "model")
    copied = api.create_model_version(
        name, f"{run.info.artifact_uri}/model", run.info.run_id, tags={**source.tags, **tags}
    )
    registry.set_alias(name, registry.CHAMPION, int(copied.version))
    return copied


def aliases(name: str) -> LiveVersions:
    """Return the versions with the aliases, straight from MLflow."""
    versions = [registry.alias_version(name, alias) for alias in ("champion", "previous")]
    return LiveVersions(*(version and int(version.version) for version in versions))


def movements(name: str) -> list[tuple[Any, ...]]:
    """Return the recorded changes of the alias: from, to, user, why, whether it is done."""
    return database.fetch(
        "SELECT from_version, to_version, moved_by, why, is_done FROM models.movements WHERE model = $1"
        " ORDER BY movement_id",
        name,
    )


MOMENTS = ["before the alias", pytest.param("after the alias", marks=pytest.mark.prove)]


class KilledError(Exception):
    """Stands for the kill of a process."""


def _die(*_: Any, **__: Any) -> None:
    raise KilledError


def _set_alias_and_die(name: str, alias: str, version: int) -> None:
    mlflow_client.connect().set_registered_model_alias(name, alias, str(version))
    raise KilledError


@contextmanager
def killed(monkeypatch: pytest.MonkeyPatch, moment: str) -> Iterator[None]:
    """Kill the process inside the block before or after the alias moves."""
    with monkeypatch.context() as patch:
        patch.setattr(registry, "set_alias", _die if moment == "before the alias" else _set_alias_and_die)
        with pytest.raises(KilledError):
            yield


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, module: Any, function: str) -> Iterator[None]:
    """Kill the process inside the block when it calls a function."""
    with monkeypatch.context() as patch:
        patch.setattr(module, function, _die)
        with pytest.raises(KilledError):
            yield
