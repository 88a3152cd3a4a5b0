"""MLflow behind the guard: the application `ml-platform` of `mlflow server --app-name`.

MLflow finds it by the entry point in `plugins/ml_platform-0.dist-info`. MLflow's own way to log in is not used:
it ignores a changed password, and lets any page of this machine write (decision 91).
"""

import os

from stack.screens.classic_view import ClassicView
from stack.screens.guard import Guard, Rules


def create_app() -> Guard:
    """Return MLflow's application with the guard in front of it.

    Environment: MLFLOW_SERVER_ALLOWED_HOSTS, which `--allowed-hosts` sets; user and password of people and of the
    pipelines.
    """
    from mlflow.server.fastapi_app import app  # in the server only: the process that starts it just looks at the name

    environment = os.environ
    passwords = {
        environment["MLFLOW_ADMIN_USER"]: environment["MLFLOW_ADMIN_PASSWORD"],
        environment["MLFLOW_PIPELINES_USER"]: environment["MLFLOW_PIPELINES_PASSWORD"],
    }
    return Guard(ClassicView(app), Rules(frozenset(environment["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")), passwords))
