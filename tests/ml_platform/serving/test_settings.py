"""The service's settings come from the environment; a bad one is named, and the token is never shown."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.serving.settings import serving_settings

TOKEN = "a-token-of-the-tests"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment with the token alone, and no settings from another test."""
    for name in ("SERVING_HOST", "SERVING_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SERVING_TOKEN", TOKEN)
    serving_settings.cache_clear()
    yield monkeypatch
    serving_settings.cache_clear()


def test_only_the_token_is_required() -> None:
    settings = serving_settings()
    assert (settings.serving_host, settings.serving_port) == ("127.0.0.1", 8000)
    assert settings.serving_token.get_secret_value() == TOKEN


def test_address_and_port_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SERVING_HOST", "0.0.0.0")  # noqa: S104 – only read
    environment.setenv("SERVING_PORT", "9000")
    assert (serving_settings().serving_host, serving_settings().serving_port) == ("0.0.0.0", 9000)  # noqa: S104


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
def test_a_port_that_is_none_is_named(environment: pytest.MonkeyPatch, port: str) -> None:
    environment.setenv("SERVING_PORT", port)
    with pytest.raises(ConfigurationError, match=r"SERVING_PORT: .*see \.env\.example"):
        serving_settings()


def test_all_bad_variables_are_named_at_once(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SERVING_TOKEN")
    environment.setenv("SERVING_PORT", "0")
    with pytest.raises(ConfigurationError) as error:
        serving_settings()
    assert "SERVING_PORT" in str(error.value)
    assert "SERVING_TOKEN: Field required" in str(error.value)


def test_a_short_token_is_refused_and_not_repeated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SERVING_TOKEN", "short-secret")
    with pytest.raises(ConfigurationError, match="SERVING_TOKEN") as error:
        serving_settings()
    assert "short-secret" not in str(error.value)
    assert error.value.__cause__ is None


def test_the_token_is_in_no_text_of_the_settings() -> None:
    assert TOKEN not in f"{serving_settings()!r} {serving_settings()} {serving_settings().model_dump()}"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        serving_settings().serving_port = 1
