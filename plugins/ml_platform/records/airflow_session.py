"""Airflow's API with the login `home`, for pages: it answers soon, or says that it is away."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import httpx

from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.records.persons import HOME
from ml_platform.settings import settings
from stack.airflow_api import LOGIN, QUICK, Airflow, AirflowError

SERVER_ERROR = 500


@contextmanager
def airflow() -> Iterator[Airflow]:
    """Yield Airflow's API. The session is shared by all threads; a token that has run out is renewed.

    Raises:
        ServiceError: Airflow is not reachable, or failed; the text can be shown to a person.
        ConfigurationError: Airflow refused the login or the request; the text is what it says.
    """
    options = settings()
    password = options.home_airflow_password
    if not options.airflow_api_url or password is None:
        raise ConfigurationError("AIRFLOW_API_URL and HOME_AIRFLOW_PASSWORD are not set, see .env.example")
    try:
        yield _session(options.airflow_api_url, password.get_secret_value())
    except httpx.TransportError as error:
        raise ServiceError(_outage(error)) from error
    except AirflowError as error:
        if error.status >= SERVER_ERROR or not error.status:
            raise ServiceError(f"Airflow failed: {error}") from error
        raise ConfigurationError(f"Airflow refused this: {error.detail}") from error


def _outage(error: httpx.TransportError) -> str:
    request = error.request
    if isinstance(error, httpx.ReadTimeout) and request.method != "GET" and request.url.path != LOGIN:
        return "Airflow did not answer in time. It may have done it: look at the runs before you try again."
    return f"Airflow is not reachable: {str(error) or type(error).__name__}"


@lru_cache(maxsize=1)
def _session(url: str, password: str) -> Airflow:
    return Airflow(url, HOME, password, timeout=QUICK)
