"""The home page: where it listens, and which users it knows."""

import json

import pytest

from stack.servers import home


def test_it_listens_on_this_machine_only(config):
    environment = home.server(config).environment
    assert (environment["HOME_HOST"], environment["HOME_PORT"]) == ("127.0.0.1", str(config.home_port))
    assert environment["HOME_HOSTS"] == f"127.0.0.1:{config.home_port},localhost:{config.home_port}"


def test_it_knows_the_administrator_and_at_first_no_other_user(config):
    environment = home.server(config).environment
    assert environment["HOME_ADMIN_PASSWORD"] == config.home_admin_password.get_secret_value()
    assert json.loads(environment["HOME_USERS"]) == {}


def test_it_acts_as_the_pipelines_do(config):
    environment = home.server(config).environment
    assert environment["PLATFORM_DB_USER"] == "platform"
    assert environment["MLFLOW_TRACKING_USERNAME"] == config.mlflow_pipelines_user


@pytest.mark.sockets
def test_it_is_healthy_without_the_other_servers(config, http_server):
    config = config.model_copy(update={"home_port": http_server.server_port})
    assert home.server(config).probe() is None
    assert http_server.paths == ["/live"]
