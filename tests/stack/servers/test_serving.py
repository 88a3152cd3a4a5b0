"""The service that predicts over HTTP: its own role in the database, and its own key of the inboxes."""

import pytest

from stack.servers import serving


def test_it_has_a_key_of_its_own_for_files_and_a_stream_has_none(config):
    environment = serving.server(config).environment
    key = config.files_s3_secret_key.get_secret_value()
    assert (environment["S3_ACCESS_KEY"], environment["S3_SECRET_KEY"]) == (config.files_s3_access_key, key)
    stream = serving.client_environment(config)
    assert {stream[name] for name in ("S3_ENDPOINT_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY")} == {""}


@pytest.mark.parametrize("database", ["FEAST", "PLATFORM"])
def test_it_logs_in_to_the_database_with_its_own_role(config, database):
    environment = serving.server(config).environment
    assert environment[f"{database}_DB_USER"] == "serving"
    assert environment[f"{database}_DB_PASSWORD"] == config.serving_db_password.get_secret_value()


def test_it_reads_feasts_registry_with_its_own_role(config):
    uri = serving.server(config).environment["FEAST_REGISTRY_URI"]
    assert uri.startswith("postgresql+psycopg2://serving:")
    assert uri.endswith(f"@127.0.0.1:{config.postgres_port}/feast")


def test_it_listens_on_this_machine_only(config):
    environment = serving.server(config).environment
    assert (environment["SERVING_HOST"], environment["SERVING_PORT"]) == ("127.0.0.1", str(config.serving_port))


@pytest.mark.sockets
def test_it_is_healthy_without_a_model(config, http_server):
    config = config.model_copy(update={"serving_port": http_server.server_port})
    assert serving.server(config).probe() is None
    assert http_server.paths == ["/live"]
