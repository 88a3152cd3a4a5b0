import os

import pytest

from stack import config, task_environment


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    path = tmp_path / ".env"
    path.write_text(f"STATE_DIR={tmp_path / 'state'}\n")
    monkeypatch.setenv("ENV_FILE", str(path))
    return path


def test_a_command_gets_what_the_tasks_of_airflow_get(env_file, monkeypatch) -> None:
    monkeypatch.setenv("EDITOR", "ed")
    calls = []
    monkeypatch.setattr(os, "execvpe", lambda *arguments: calls.append(arguments))
    task_environment.main(["airflow", "tasks", "test", "train_auto", "search"])
    program, command, environment = calls[0]
    assert (program, command[1:]) == ("airflow", ["tasks", "test", "train_auto", "search"])
    loaded = config.load()
    assert environment["MLFLOW_TRACKING_PASSWORD"] == loaded.mlflow_pipelines_password.get_secret_value()
    assert environment["AIRFLOW_HOME"] == str(loaded.state_dir / "airflow")
    assert environment["AIRFLOW_CONN_S3"]
    assert environment["AIRFLOW_CONN_LOGS"]
    assert environment["AIRFLOW__LOGGING__JSON_LOGS"] == "False", "a person reads the output"
    assert environment["EDITOR"] == "ed", "the user's own variables stay: a debugger may need them"


def test_without_a_command_it_says_how_it_is_used() -> None:
    with pytest.raises(SystemExit, match="COMMAND"):
        task_environment.main([])


def test_for_containers_it_names_the_command_that_works_there(env_file, monkeypatch) -> None:
    monkeypatch.setenv("TARGET", "compose")
    with pytest.raises(SystemExit, match="docker compose exec airflow-scheduler"):
        task_environment.main(["airflow", "version"])
