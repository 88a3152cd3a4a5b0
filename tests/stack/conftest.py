"""Settings that nobody's environment disturbs."""

import pytest


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Settings as a first start makes them; nothing runs."""
    from stack import secrets
    from stack.config import load

    for key in secrets.read(secrets.EXAMPLE):
        monkeypatch.delenv(key, raising=False)
    return load(tmp_path / ".env")
