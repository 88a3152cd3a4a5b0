"""Airflow's own metrics: nothing is sent until it is asked for, and then to this machine only."""

import pytest

from stack import secrets
from stack.config import ROOT
from stack.servers import airflow_metrics, inventory
from stack.servers.inventory import absent, all_nodes, optional


@pytest.fixture
def wanted(config):
    return config.model_copy(update={"airflow__metrics__statsd_on": "True"})


def test_without_the_setting_airflow_sends_nothing(config):
    assert optional(config)[airflow_metrics.NAME] == airflow_metrics.NOT_WANTED
    assert airflow_metrics.NAME not in absent(config)
    for node in all_nodes(config).values():
        assert "AIRFLOW__METRICS__STATSD_ON" not in node.environment, node.name


@pytest.mark.parametrize("installed", [True, False])
def test_airflow_sends_its_metrics_and_a_missing_program_has_a_remedy(wanted, monkeypatch, installed):
    monkeypatch.setattr(inventory.airflow_metrics, "is_installed", lambda config: installed)
    nodes = all_nodes(wanted)
    assert (airflow_metrics.NAME in nodes) is installed
    assert absent(wanted).get(airflow_metrics.NAME) == (None if installed else airflow_metrics.REMEDY)
    assert nodes["airflow-scheduler"].environment["AIRFLOW__METRICS__STATSD_PORT"] == str(wanted.statsd_inner_port)
    assert nodes["airflow-scheduler"].environment["AIRFLOW__METRICS__STATSD_HOST"] == "127.0.0.1"


def test_it_listens_on_this_machine_only(wanted):
    server = airflow_metrics.server(wanted)
    listeners = [word.partition("=")[2] for word in server.command if ".listen" in word]
    assert [one.rpartition(":")[0] for one in listeners] == ["127.0.0.1", "", "127.0.0.1"]


def test_labels_are_names_and_no_runs():
    """The ids of runs and jobs would make new series with each of them."""
    settings = secrets.read(ROOT / "stack" / "airflow.env")
    assert settings["AIRFLOW__METRICS__STATSD_DISABLED_TAGS"] == "job_id,run_id"
    assert settings["AIRFLOW__METRICS__LEGACY_NAMES_ON"] == "False"
