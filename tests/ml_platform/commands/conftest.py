"""Settings of a stack that does not run."""

from tests.stack.conftest import config  # noqa: F401 – a fixture
