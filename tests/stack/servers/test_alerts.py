"""The server of the alerts runs where a channel is named, and has its own role and the channels' secrets only."""

import json

import pytest

from stack.servers import alerts
from stack.servers.inventory import all_nodes, optional

CHANNEL = "kind: platform\nalerts: {channels: {chat: {kind: url, url_variable: ALERTS_URL}}}\n"


@pytest.fixture
def wanted(config, tmp_path):
    """Settings of a platform with one channel, and its secret in `.env`."""
    (tmp_path / "platform.yaml").write_text(CHANNEL)
    config.env_file.write_text(config.env_file.read_text() + "ALERTS_URL=json://hook\nALERTS_EMPTY=\n")
    return config.model_copy(update={"datasets_dir": tmp_path, "state_dir": tmp_path})


def test_it_runs_only_where_a_channel_is_named(wanted, tmp_path):
    assert alerts.NAME in all_nodes(wanted)
    assert alerts.NAME not in optional(wanted)
    for text in ("kind: platform\n", "alerts: {channels: {}}\n", "alerts: [\n", "- 1\n"):
        (tmp_path / "platform.yaml").write_text(text)
        assert alerts.NAME not in all_nodes(wanted)
    (tmp_path / "platform.yaml").unlink()
    assert optional(wanted)[alerts.NAME] == alerts.NOT_WANTED


def test_it_has_its_role_and_the_secrets_of_channels_and_no_other(wanted):
    environment = alerts.server(wanted).environment
    assert environment["ALERTS_URL"] == "json://hook"
    assert "ALERTS_EMPTY" not in environment
    assert "ALERTS_DB_PASSWORD" not in environment
    assert "//alerts:" in environment["ALERTS_DATABASE"]
    watched = set(json.loads(environment["ALERTS_SERVERS"]))
    assert watched == {"airflow-api", "feast", "mlflow", "objects", "serving", "home"}
    text = " ".join(environment.values())
    secrets = {name for name in type(wanted).model_fields if name.endswith(("_password", "_token", "_key"))}
    shown = {
        name for name in secrets if (v := getattr(wanted, name)) and str(getattr(v, "get_secret_value", str)()) in text
    }
    assert {name for name in shown if name.endswith(("_password", "_secret_key", "_token"))} == {"alerts_db_password"}


def test_it_is_healthy_while_it_looks(wanted, tmp_path):
    probe = alerts.server(wanted).probe
    assert "has not looked" in probe()
    (tmp_path / "alerts-health").touch()
    assert probe() is None
