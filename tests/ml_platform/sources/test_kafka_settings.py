"""One Airflow connection names a broker and a schema registry; each gets its own settings."""

import pytest
from pydantic import SecretStr

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.kafka_settings import client_settings, registry_settings

REGISTRY = {"schema.registry.url": "https://registry:8081", "schema.registry.basic.auth.user.info": "ann:se:cret"}


def test_a_connection_without_a_broker_says_what_it_lacks() -> None:
    with pytest.raises(ConfigurationError, match=r"'kafka' names no broker: give host and port"):
        client_settings(SourceConnection("kafka"))
    connection = SourceConnection("kafka", host="h", login="ann", password=SecretStr("x"))
    assert client_settings(connection) == {"bootstrap.servers": "h:9092", "sasl.username": "ann", "sasl.password": "x"}


def test_the_broker_never_sees_the_settings_of_the_registry() -> None:
    connection = SourceConnection("kafka", host="h", extra={**REGISTRY, "security.protocol": "SSL"})
    assert client_settings(connection) == {"bootstrap.servers": "h:9092", "security.protocol": "SSL"}
    assert registry_settings(connection) == {"url": "https://registry:8081", "basic.auth.user.info": "ann:se:cret"}
    assert registry_settings(SourceConnection("kafka", extra={"security.protocol": "SSL"})) == {}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"schema.registry.login": "x"},
            r"'kafka': no such setting schema.registry.login; there are: schema",
        ),
        ({"schema.registry.url": ""}, r"schema.registry.url must be an address"),
        ({"schema.registry.url": "registry:8081"}, r"must be an address such as https://registry:8081"),
        ({"schema.registry.url": "https://ann:secret@registry"}, r"without a login"),
        ({"schema.registry.url": "https://[registry"}, r"must be an address"),
        ({"schema.registry.basic.auth.user.info": "secret"}, r"must be user:password"),
    ],
)
def test_a_mistake_in_the_settings_of_the_registry_is_named(changes, problem) -> None:
    with pytest.raises(ConfigurationError, match=problem) as error:
        registry_settings(SourceConnection("kafka", extra={**REGISTRY, **changes}))
    assert "secret" not in str(error.value)
