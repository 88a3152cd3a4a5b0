"""What watches the platform, in containers: alerts, metrics with Prometheus, and the cleanup of Airflow's old records.

Grafana is not started: it has no stand-in. Its dashboards' queries are tested on a real Prometheus in `observability`.
"""

import json
import re
import subprocess
import threading
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

from stack.runners import compose
from tests.compose.conftest import Containers
from tests.compose.test_containers import (
    AIRFLOW,
    test_nothing_can_take_the_whole_machine,  # noqa: F401 – of these containers, too
    test_nothing_can_write_but_to_its_volumes_and_a_small_tmpfs,  # noqa: F401
    test_nothing_runs_as_root_or_could_become_it,  # noqa: F401
)
from tests.conftest import fresh_config
from tests.end_to_end.conftest import eventually
from tests.ml_platform.alerts.conftest import Webhook

pytestmark = [pytest.mark.servers, pytest.mark.prove]

WATCHING = {"alerts", "metrics", "airflow-metrics", "prometheus"}  # with a health check
NETWORKS = {
    "alerts": {"edge", "control", "data"}, "metrics": {"edge", "control", "data"}, "airflow-cleanup": {"data"},
    "airflow-metrics": {"edge", "control", "data"}, "prometheus": {"control"},
}  # fmt: skip
KNOWN = {
    "alerts": {"alerts_db_password"}, "metrics": {"metrics_db_password"}, "airflow-cleanup": AIRFLOW,
    "airflow-metrics": set(), "prometheus": {"serving_token"},
}  # fmt: skip
SERVERS = (
    "airflow-api", "airflow-metadatabase", "airflow-scheduler", "airflow-triggerer", "airflow-dag-processor", "mlflow",
    "feast", "objects", "serving",
)  # fmt: skip
PLATFORM = """\
kind: platform
retention: {airflow: 90d}
alerts:
  channels: {chat: {kind: url, url_variable: ALERTS_URL}}
  events: [server_unhealthy]
"""
SETTINGS = """\
COMPOSE_PROFILES=alerts,cleanup,observability
AIRFLOW__METRICS__STATSD_ON=True
"""


@pytest.fixture(scope="module")
def platform():
    """Everything but Grafana."""
    with fresh_config() as config:
        (config.datasets_dir / "platform.yaml").write_text(PLATFORM)
        with config.env_file.open("a") as file:
            file.write(SETTINGS)
        services = set(compose.output(config, "config", "--services").split())
        compose.up(config, sorted(services - {"grafana"}))
        yield config


@pytest.fixture(scope="module")
def containers(platform):
    return Containers(platform)


@pytest.fixture
def webhook(platform, containers):
    """A server outside, which the alerts reach by the gateway of their network that leads there."""
    networks = containers.one("alerts")["NetworkSettings"]["Networks"]
    (gateway,) = [one["Gateway"] for name, one in networks.items() if name.endswith("_edge")]
    with ThreadingHTTPServer((gateway, 0), Webhook) as server:
        server.posts, server.is_away = [], False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with platform.env_file.open("a") as file:
            file.write(f"ALERTS_URL=json://{gateway}:{server.server_port}/hook\n")
        run(platform, "up", "--detach", "--wait", "--no-deps", "alerts")
        yield server
        server.shutdown()
        thread.join()


def run(config, *arguments):
    command = compose.command(config, *arguments)
    subprocess.run(command, env=compose.environment(config), stdin=subprocess.DEVNULL, check=True)


def page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
        return response.read().decode()


def asked(config, path):
    """Return what Prometheus answers; it is reached from inside its container only."""
    return json.loads(
        compose.output(config, "exec", "-T", "prometheus", "wget", "-q", "-O", "-", f"http://127.0.0.1:9090/{path}")
    )["data"]


def test_they_run_and_are_healthy(found, containers):
    assert all(containers.is_healthy(service) for service in WATCHING)
    assert found["airflow-cleanup"]["State"]["Running"]
    assert found["airflow-cleanup"]["RestartCount"] == 0


def test_each_is_in_its_networks_and_knows_its_own_secrets(platform, found):
    secrets = {name: value.get_secret_value() for name, value in platform if hasattr(value, "get_secret_value")}
    for service, networks in NETWORKS.items():
        assert {n.rpartition("_")[2] for n in found[service]["NetworkSettings"]["Networks"]} == networks, service
        told = " ".join(found[service]["Config"]["Env"])
        assert {name for name, value in secrets.items() if value in told} == KNOWN[service], service


def test_the_page_of_metrics_sees_each_server(platform):
    up = re.findall(r'^ml_platform_server_up{server="(.+)"} 1.0$', page(platform.metrics_port), re.MULTILINE)
    assert sorted(up) == sorted(SERVERS)


def test_airflow_s_own_metrics_arrive(platform):
    eventually(lambda: "airflow_scheduler_heartbeat" in page(platform.airflow_metrics_port), "a metric of Airflow")


def test_prometheus_reads_all_three_pages(platform):
    def states():
        targets = asked(platform, "api/v1/targets")["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in targets}

    eventually(lambda: states() == dict.fromkeys(("platform", "serving", "airflow"), "up"), "three pages are read")


def test_a_server_that_stops_is_an_alert_and_its_return_the_all_clear(platform, webhook):
    run(platform, "stop", "serving")
    eventually(lambda: any("serving" in post["title"] for post in webhook.posts), "the alert")
    run(platform, "start", "serving")
    eventually(lambda: any("Over: " in post["title"] for post in webhook.posts), "the all-clear")


def test_the_cleanup_cleans_and_remembers_when(platform, containers):
    def said():
        return compose.output(platform, "logs", "--no-log-prefix", "airflow-cleanup")

    eventually(lambda: "Records older than 90 days are removed" in said(), "it has cleaned")
    compose.output(platform, "exec", "-T", "airflow-cleanup", "test", "-e", "/airflow/last-cleanup")
    assert containers.restarts("airflow-cleanup") == 0
