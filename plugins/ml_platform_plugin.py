"""Links to the platform's other screens in Airflow's menu, the names under which its server answers, and traces."""

import os
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ml_platform.airflow import trace_listener

SCREENS = {
    "Home": "HOME_URL",
    "MLflow": "MLFLOW_URL",
    "Buckets": "CONSOLE_URL",
    "Feast": "FEAST_URL",
    "Adminer": "ADMINER_URL",
}


class MLPlatformPlugin(AirflowPlugin):
    """One menu entry for each screen whose address is in the environment, and a check of the header `Host`.

    Airflow has no setting for allowed hosts. Without them, a page anywhere could call this server under a name of its
    own that leads to this machine (DNS rebinding).
    """

    name = "ml_platform"
    listeners: ClassVar[list[Any]] = [trace_listener]
    external_views: ClassVar[list[Any]] = [
        {"name": name, "href": os.environ[variable], "destination": "nav"}
        for name, variable in SCREENS.items()
        if os.environ.get(variable)
    ]
    fastapi_root_middlewares: ClassVar[list[Any]] = [
        {
            "name": "allowed hosts",
            "middleware": TrustedHostMiddleware,
            "args": [],
            "kwargs": {"allowed_hosts": hosts.split(","), "www_redirect": False},
        }
        for hosts in filter(None, [os.environ.get("AIRFLOW_HOSTS")])
    ]
