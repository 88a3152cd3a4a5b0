"""MLflow: its hosts, its stores and its secrets."""

from stack.servers import mlflow


def option(command, name):
    return command[command.index(name) + 1]


def test_it_listens_on_this_machine_only_and_answers_to_its_own_names(config):
    command = mlflow.server(config).command
    port = config.mlflow_port
    assert (option(command, "--host"), option(command, "--port")) == ("127.0.0.1", str(port))
    assert option(command, "--allowed-hosts") == f"127.0.0.1:{port},localhost:{port}"


def test_the_guard_is_in_front_of_it_with_a_login_for_people_and_one_for_the_pipelines(config):
    server = mlflow.server(config)
    assert option(server.command, "--app-name") == "ml-platform"
    logins = {name: value for name, value in server.environment.items() if name.endswith(("_USER", "_PASSWORD"))}
    assert logins == {
        "MLFLOW_ADMIN_USER": "admin", "MLFLOW_ADMIN_PASSWORD": config.mlflow_admin_password.get_secret_value(),
        "MLFLOW_PIPELINES_USER": "pipelines",
        "MLFLOW_PIPELINES_PASSWORD": config.mlflow_pipelines_password.get_secret_value(),
    }  # fmt: skip


def test_artifacts_go_through_the_server_to_its_own_bucket(config):
    server = mlflow.server(config)
    assert "--serve-artifacts" in server.command
    assert option(server.command, "--artifacts-destination") == "s3://mlflow"
    assert server.environment["AWS_ACCESS_KEY_ID"] == config.mlflow_s3_access_key
    assert server.environment["MLFLOW_S3_ENDPOINT_URL"] == config.s3_url


def test_it_reports_nothing_and_starts_no_job_executor(config):
    environment = mlflow.server(config).environment
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_it_starts_after_its_database_and_its_bucket_exist(config):
    assert set(mlflow.server(config).needs) == {"dbinit", "objects"}
