"""The settings: read from the environment at first use, frozen, and silent about secrets."""

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.settings import Settings, settings

ENVIRONMENT = {
    "S3_ENDPOINT_URL": "http://objects:9000",
    "S3_ACCESS_KEY": "platform",
    "S3_SECRET_KEY": "canary-s3",
    "PLATFORM_DB_HOST": "postgres",
    "PLATFORM_DB_PORT": "5432",
    "PLATFORM_DB_PASSWORD": "canary@/:?",
    "FEAST_REGISTRY_URI": "postgresql+psycopg://feast:canary-feast@postgres:5432/feast",
    "MLFLOW_TRACKING_URI": "http://mlflow:5000",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_required_variables_are_enough() -> None:
    found = settings()
    assert (found.s3_endpoint_url, found.platform_db_port) == ("http://objects:9000", 5432)
    assert (found.mlflow_url, found.platform_db_user, found.log_retention_days) == ("", "platform", 90)


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = settings()
    monkeypatch.setenv("PLATFORM_DB_HOST", "elsewhere")
    assert settings() is first
    settings.cache_clear()
    assert settings().platform_db_host == "elsewhere"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().platform_db_host = "elsewhere"  # type: ignore[misc]


def test_the_password_is_quoted_in_the_database_uri() -> None:
    uri = settings().platform_database_uri.get_secret_value()
    assert uri == "postgresql://platform:canary%40%2F%3A%3F@postgres:5432/platform"


def test_no_secret_is_in_the_representation() -> None:
    assert "canary" not in repr(settings()) + str(settings()) + repr(settings().platform_database_uri)


def test_all_missing_and_invalid_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3_ACCESS_KEY")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("PLATFORM_DB_PORT", "many")
    with pytest.raises(ConfigurationError) as caught:
        settings()
    text = str(caught.value)
    assert text.startswith("environment variables are missing or invalid (")
    assert {"S3_ACCESS_KEY: Field required", "MLFLOW_TRACKING_URI: Field required"} <= set(
        text.partition("(")[2].rpartition(")")[0].split("; ")
    )
    assert "PLATFORM_DB_PORT: Input should be a valid integer" in text
    assert text.endswith("see .env.example")
    assert "canary" not in text
