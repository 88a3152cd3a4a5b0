"""The server of the streams runs where a data set asks for it, and is healthy while its scorers work."""

import json

from stack.servers import stream
from stack.servers.inventory import all_nodes, optional


def ask_for(config) -> None:
    (config.datasets_dir / "orders.yaml").write_text("name: orders\nstream: true\n")


def test_it_runs_only_where_a_data_set_asks_for_it(config, tmp_path):
    config = config.model_copy(update={"datasets_dir": tmp_path})
    assert stream.NAME not in all_nodes(config)
    assert optional(config)[stream.NAME] == stream.NOT_WANTED
    ask_for(config)
    assert {stream.NAME, "kafka"} <= set(all_nodes(config))
    assert stream.NAME not in optional(config)


def test_it_has_the_rights_of_the_service_and_its_role_in_kafka(config, tmp_path):
    environment = stream.server(config).environment
    assert environment["PLATFORM_DB_USER"] == "serving"
    assert environment["S3_SECRET_KEY"] == ""
    assert json.loads(environment["KAFKA_STREAM_SETTINGS"])["sasl.username"] == "stream"
    assert "SERVING_TOKEN" not in environment


def test_it_is_healthy_while_its_scorers_work(config, tmp_path):
    config = config.model_copy(update={"state_dir": tmp_path})
    probe = stream.server(config).probe
    assert probe() is not None
    (tmp_path / "stream-health.json").touch()
    assert probe() is None
