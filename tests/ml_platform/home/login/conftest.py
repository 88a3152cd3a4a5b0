"""Settings with an administrator, a viewer and an operator."""

import pytest

from ml_platform.home import passwords
from ml_platform.home.settings import HomeSettings

HOST = "localhost:8501"


@pytest.fixture(scope="session")
def entries() -> dict[str, dict[str, str]]:
    return {
        "victor": {"role": "viewer", "password": passwords.hash_of("only looking")},
        "olga": {"role": "operator", "password": passwords.hash_of("in charge")},
    }


@pytest.fixture
def settings(entries) -> HomeSettings:
    return HomeSettings(
        home_hosts=f"{HOST},127.0.0.1:8501", home_admin_user="admin", home_admin_password="administrator",
        home_session_key="k" * 32, home_users=entries,
    )  # fmt: skip
