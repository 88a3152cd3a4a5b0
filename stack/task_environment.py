"""`python -m stack.task_environment COMMAND ...`: run a command with the settings that Airflow's tasks have."""

import os
import sys

from stack.config import load
from stack.errors import StackError
from stack.servers import airflow
from stack.servers.inventory import all_nodes


def main(command: list[str]) -> None:
    """Become the command."""
    if not command:
        sys.exit("usage: python -m stack.task_environment COMMAND ...")
    try:
        environment = task_environment()
    except StackError as error:
        sys.exit(str(error))
    os.execvpe(command[0], command, environment)  # noqa: S606 – the command is the user's own


def task_environment() -> dict[str, str]:
    """Return this process's environment, and over it that of the scheduler, which forks the tasks.

    Here no api-server gives the task `logs` the connection `logs`, so it is in the environment. People read the output.

    Raises:
        StackError: the settings are wrong, or those of containers.
    """
    config = load()
    if config.target == "compose":
        raise StackError("In containers: `docker compose exec airflow-scheduler COMMAND ...`.")
    logs = {"AIRFLOW_CONN_LOGS": airflow.logs_connection(config), "AIRFLOW__LOGGING__JSON_LOGS": "False"}
    return dict(os.environ) | dict(all_nodes(config)["airflow-scheduler"].environment) | logs


if __name__ == "__main__":
    main(sys.argv[1:])
