"""Fixtures of the tests in which models go live."""

from collections.abc import Iterator

import pytest

from tests.ml_platform.training import trainings


@pytest.fixture(scope="module")
def essentials() -> Iterator[None]:
    """Train without the smoke test and without charts."""
    with trainings.essentials():
        yield


@pytest.fixture(scope="module")
def smoke_test_here() -> Iterator[None]:
    """Save the process of the smoke test, the charts and the model card."""
    with trainings.smoke_test_here(), trainings.without_pictures():
        yield
