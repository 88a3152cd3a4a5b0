"""What the server reads from its environment."""

import pytest

from ml_platform.alerts.environment import NEEDED, Environment
from ml_platform.exceptions import ConfigurationError


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigurationError, match=", ".join(NEEDED)):
        Environment.of({})


def test_no_secret_is_shown() -> None:
    found = Environment.of(dict.fromkeys(NEEDED, "postgresql://secret") | {"ALERTS_SERVERS": '{"mlflow": "http://m"}'})
    assert found.servers == {"mlflow": "http://m"}
    assert found.backups is None
    assert "secret" not in repr(found).replace("health_file=PosixPath('postgresql:/secret')", "")
