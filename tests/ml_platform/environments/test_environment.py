"""An environment: the whole process uses its registry for a while, and no login leaks."""

import os
from dataclasses import replace

import pytest
from mlflow.exceptions import MlflowException
from pydantic import SecretStr

from ml_platform.environments.environment import Environment, public_url
from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.registry import registry
from ml_platform.settings import Settings, settings

HERE = Environment("staging", "http://mlflow.test", "", SecretStr(""))


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("http://admin:secret@mlflow.test:5000/", "http://mlflow.test:5000"),
        ("https://mlflow.test/team/?token=secret#x", "https://mlflow.test/team"),
        ("http://mlflow.test", "http://mlflow.test"),
    ],
)
def test_a_public_url_holds_no_secret(url, public):
    assert public_url(url) == public


def test_inside_the_block_the_settings_name_its_registry_and_afterwards_ours(monkeypatch):
    for name, field in Settings.model_fields.items():
        if field.is_required():
            monkeypatch.setenv(name.upper(), "5432")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ours.test")
    monkeypatch.setenv("MLFLOW_URL", "http://localhost:5000")
    settings.cache_clear()
    with HERE.use():
        assert (settings().mlflow_tracking_uri, settings().mlflow_url) == ("http://mlflow.test", "")
        assert "MLFLOW_TRACKING_USERNAME" not in os.environ
    assert (settings().mlflow_tracking_uri, settings().mlflow_url) == ("http://ours.test", "http://localhost:5000")
    monkeypatch.undo()
    settings.cache_clear()


def test_after_an_error_the_settings_are_ours_again(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ours.test")
    with pytest.raises(ServiceError), HERE.use():
        raise ServiceError("away")
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://ours.test"
    monkeypatch.undo()
    settings.cache_clear()


def test_the_password_is_not_in_the_text_of_an_environment():
    assert "secret" not in repr(replace(HERE, login="admin", password=SecretStr("secret")))


@pytest.mark.servers
@pytest.mark.parametrize(("login", "password"), [("admin", "guessed"), ("", "")])
def test_a_wrong_password_is_an_error_that_does_not_show_it(production, login, password):
    wrong = replace(production, login=login, password=SecretStr(password))
    with (
        pytest.raises(ConfigurationError, match=rf"production: http://\S+ refuses the login '{login}'") as error,
        wrong.use(),
    ):
        registry.get_version("any", 1)
    assert "guessed" not in str(error.value)


@pytest.mark.servers
def test_a_registry_that_is_away_is_no_error_of_the_configuration(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    away = Environment("production", "http://127.0.0.1:9", "admin", SecretStr("secret"))
    with pytest.raises(MlflowException, match="Max retries exceeded"), away.use():
        registry.get_version("any", 1)


@pytest.mark.servers
def test_neither_registry_sees_the_login_of_the_other(production, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ours")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "ours as well")
    with production.use():
        inside = {name: value for name, value in os.environ.items() if name.startswith("MLFLOW_TRACKING_")}
    password = production.password.get_secret_value()
    assert "ours" not in "".join(inside.values())
    assert inside["MLFLOW_TRACKING_PASSWORD"] == password
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "ours"
    assert os.environ["MLFLOW_TRACKING_TOKEN"] == "ours as well"
    assert password not in os.environ.values()
    assert password not in repr(production)
