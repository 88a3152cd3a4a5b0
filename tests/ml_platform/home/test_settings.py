"""The settings of the home page: what is required, and what an error names."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.home.settings import home_settings

GOOD = {
    "HOME_HOSTS": "localhost:8501,127.0.0.1:8501", "HOME_ADMIN_USER": "admin", "HOME_ADMIN_PASSWORD": "administrator",
    "HOME_SESSION_KEY": "k" * 32, "HOME_USERS": "{}",
}  # fmt: skip


@pytest.fixture
def environment(monkeypatch):
    home_settings.cache_clear()
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    yield monkeypatch
    home_settings.cache_clear()


def test_the_addresses_are_a_set(environment):
    assert home_settings().hosts == {"localhost:8501", "127.0.0.1:8501"}
    assert home_settings().home_users == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME_PORT", "0"), ("HOME_ADMIN_PASSWORD", "short"), ("HOME_SESSION_KEY", "short"),
        ("HOME_USERS", '{"anna": {"role": "boss", "password": "x"}}'),
        ("HOME_USERS", '{"an na": {"role": "viewer", "password": "scrypt"}}'),
    ],
)  # fmt: skip
def test_an_error_names_the_variable_and_no_secret(environment, name, value):
    environment.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name}.*see .env.example") as error:
        home_settings()
    assert "administrator" not in str(error.value)
