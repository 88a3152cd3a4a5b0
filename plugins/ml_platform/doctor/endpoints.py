"""The addresses that clients use: pages, MLflow's hosts, and the time of each server."""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx

from stack.backup import databases
from stack.config import HOST, Config, hosts
from stack.servers import adminer, metrics

TIMEOUT = 10.0  # seconds
SKEW = 60.0  # seconds; S3 refuses requests from 900
STRANGER = "stranger.example"
SEARCH = "/api/2.0/mlflow/experiments/search"


def silent_pages(config: Config) -> Iterator[str]:
    """Yield the pages that people open that do not answer under the name that people use."""
    pages = {screen.name: screen.url for screen in config.screens()} | {"HTTP service": f"{config.serving_url}/live"}
    if config.target == "embedded" and not adminer.is_installed(config):
        del pages["Adminer"]
    if config.target == "embedded" and metrics.is_wanted(config):
        pages["the page of the metrics"] = f"http://{HOST}:{config.metrics_port}/metrics"
    for name, url in pages.items():
        try:
            answer = _get(url)
        except httpx.HTTPError as error:
            yield f"{name} does not answer at {url}: {error}"
            continue
        if answer.is_server_error:
            yield f"{name} answers {answer.status_code} at {url}"


def mlflow_hosts(config: Config) -> Iterator[str]:
    """Yield the names under which MLflow refuses the login of the pipelines, or answers though it should not."""
    for host in (*hosts(config.mlflow_port).split(","), STRANGER):
        answer = httpx.post(
            config.mlflow_url + SEARCH,
            json={"max_results": 1},
            headers={"Host": host},
            auth=(config.mlflow_pipelines_user, config.mlflow_pipelines_password.get_secret_value()),
            timeout=TIMEOUT,
            trust_env=False,
        )
        if answer.is_success != (host != STRANGER):
            yield f"MLflow answers {answer.status_code} to the pipelines under the name {host!r}"


def clock_skew(config: Config) -> Iterator[str]:
    """Yield the servers whose time differs from that of this machine."""
    for name, there in (("Postgres", _time_of_postgres(config)), ("the object store", _time_of_s3(config))):
        if abs(ahead := there - time.time()) > SKEW:
            yield f"the time of {name} is {abs(ahead):,.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine"


def _time_of_postgres(config: Config) -> float:
    sql = "SELECT to_json(extract(epoch FROM clock_timestamp())::float8)"
    return float(databases.query(config, "postgres", sql)[0])


def _time_of_s3(config: Config) -> float:
    return parsedate_to_datetime(_get(config.s3_url).headers["Date"]).timestamp()


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=TIMEOUT, trust_env=False)
