"""A second MLflow registry, and models that were promoted to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from ml_platform.environments.copy_version import copy
from ml_platform.environments.environment import Environment
from ml_platform.environments.go_live import go_live
from tests.ml_platform.environments.copies import REQUEST, register
from tests.ml_platform.environments.second_registry import second_registry
from tests.ml_platform.training import trainings


@pytest.fixture(scope="session")
def production(mlflow_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment with a registry, a database and a bucket of its own."""
    with second_registry(mlflow_server, tmp_path_factory.mktemp("production")) as environment:
        yield environment


@pytest.fixture(scope="module")
def two_copies(production: Environment, request: pytest.FixtureRequest) -> tuple[list[Any], list[Any]]:
    """Two versions that were promoted one after the other: the copies, and the live versions after each."""
    name = request.module.__name__.rpartition("test_")[2]
    copies, live = [], []
    for seed in (1, 2):
        assert register(name, seed) == seed
        copies.append(copy(name, production))
    for one in copies:
        live.append(go_live(production, one, REQUEST))
    return copies, live


@pytest.fixture
def smoke_test_here() -> Iterator[None]:
    """Save the process of the smoke test; one test of `test_copy_version.py` has it."""
    with trainings.smoke_test_here():
        yield
