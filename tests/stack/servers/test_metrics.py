"""The server of the metrics runs with METRICS=1, and has the password of its own role only."""

import pytest

from stack.servers import metrics
from stack.servers.inventory import all_nodes, optional


def test_it_runs_only_where_it_is_asked_for(config):
    assert metrics.NAME not in all_nodes(config)
    assert optional(config)[metrics.NAME] == metrics.NOT_WANTED
    wanted = config.model_copy(update={"metrics": "1"})
    assert metrics.NAME in all_nodes(wanted)
    assert metrics.NAME not in optional(wanted)


def test_it_listens_on_this_machine_only_with_its_own_role(config):
    server = metrics.server(config)
    assert server.environment["METRICS_HOST"] == "127.0.0.1"
    assert server.ports == {"METRICS_PORT": config.metrics_port}
    text = " ".join(server.environment.values())
    secrets = {name for name in type(config).model_fields if name.endswith(("_password", "_token", "_secret_key"))}
    shown = {name for name in secrets if getattr(config, name).get_secret_value() in text}
    assert shown == {"metrics_db_password"}


@pytest.mark.sockets
def test_its_probe_reads_the_page(config):
    nowhere = config.model_copy(update={"metrics_port": 1})
    assert "127.0.0.1:1/metrics" in metrics.server(nowhere).probe()
