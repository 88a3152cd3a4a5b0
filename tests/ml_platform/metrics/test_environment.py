"""What the server reads from its environment."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.metrics.environment import NEEDED, Environment


def test_what_is_missing_is_named():
    with pytest.raises(ConfigurationError, match=", ".join(NEEDED)):
        Environment.of({})


def test_no_secret_is_shown():
    values = dict.fromkeys(NEEDED, "postgresql://secret") | {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": "9464"}
    found = Environment.of(values | {"METRICS_SERVERS": '{"mlflow": "http://m"}'})
    assert (found.port, found.servers) == (9464, {"mlflow": "http://m"})
    assert found.databases.keys() == {"platform", "airflow"}
    assert "secret" not in repr(found)
