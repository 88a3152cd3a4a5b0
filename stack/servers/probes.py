"""Health probes: each sends a server the request that its users send, and returns the problem."""

import urllib.request
from collections.abc import Callable
from typing import Any

import psycopg2
from pydantic import SecretStr

Probe = Callable[[], str | None]  # None when healthy, else the problem

OTHER_ENV_FILE = (
    "The data was made with a password that differs from the one in .env: restore that .env, or remove the data."
)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TIMEOUT = 8.0  # seconds, as in docker-compose.yml: on a busy machine a server answers late


def get(url: str, timeout: float = TIMEOUT) -> bytes:
    """Return the body of a page.

    Raises:
        OSError: no server listens there, or it answers with an error.
    """
    with OPENER.open(url, timeout=timeout) as response:  # addresses on this machine only
        body: bytes = response.read()
    return body


def http(url: str, problem_in: Callable[[bytes], str | None] = lambda body: None) -> Probe:
    """Return a probe: the page answers 2xx, and `problem_in` finds no problem in its body."""

    def probe() -> str | None:
        try:
            return problem_in(get(url))
        except (OSError, ValueError) as error:
            return f"{url}: {error}"

    return probe


def database(uri: str) -> Probe:
    """Return a probe: a login with a password, and a query."""

    def probe() -> str | None:
        try:
            query(uri, "SELECT 1")
        except psycopg2.OperationalError as error:
            return with_remedy(str(error).strip())
        return None

    return probe


def with_remedy(problem: str) -> str:
    """Return an error of Postgres; one about a password that differs from `.env` also says what to do."""
    return f"{problem}\n{OTHER_ENV_FILE}" if "password authentication failed" in problem else problem


def buckets(url: str, access_key: str, secret_key: SecretStr, names: list[str]) -> Probe:
    """Return a probe: an S3 identity sees these buckets."""

    def probe() -> str | None:
        import boto3  # here: half a second, which `down` and `logs` do not spend
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key.get_secret_value(),
            config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=3, proxies={}),
        )
        try:
            missing = set(names) - {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
        except (BotoCoreError, ClientError) as error:
            return str(error)
        return f"buckets missing: {sorted(missing)}" if missing else None

    return probe


def every(*probes: Probe) -> Probe:
    """Return a probe: all of these are healthy; the first problem is reported."""
    return lambda: next(filter(None, (probe() for probe in probes)), None)


def query(uri: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return the rows of one query on a connection of its own."""
    connection = psycopg2.connect(uri, connect_timeout=3)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    finally:
        connection.close()
