"""An Airflow without a server."""

from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from pydantic import SecretStr

from ml_platform.records import airflow_session, failure_reasons
from stack import airflow_api
from tests.ml_platform.records.airflow_answers import FakeAirflow


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirflow]:
    fake, real = FakeAirflow(), httpx.Client
    transport = httpx.MockTransport(fake)
    monkeypatch.setattr(airflow_api.httpx, "Client", lambda **given: real(transport=transport, **given))
    options = SimpleNamespace(airflow_api_url="http://airflow.test", home_airflow_password=SecretStr("canary"))
    monkeypatch.setattr(airflow_session, "settings", lambda: options)
    monkeypatch.setenv("AIRFLOW_URL", "http://localhost:8082")
    caches = (airflow_session._session, failure_reasons._reason)
    for cache in caches:
        cache.cache_clear()
    yield fake
    for cache in caches:
        cache.cache_clear()
