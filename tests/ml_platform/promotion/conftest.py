"""Fixtures of the tests in which models go live."""

import subprocess
from collections.abc import Iterator

import pytest

from ml_platform.promotion import smoke_test


@pytest.fixture
def no_smoke_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the smoke test out."""
    monkeypatch.setattr(smoke_test, "check", lambda *_: None)


@pytest.fixture(scope="module")
def smoke_test_in_this_process() -> Iterator[None]:
    """Save the new process, which takes five seconds to import the libraries; `kiosk` has one."""

    def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
        smoke_test.main(*arguments)
        return subprocess.CompletedProcess(arguments, 0, "", "")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smoke_test, "_run_process", run)
        yield
