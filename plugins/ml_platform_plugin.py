"""Links to the platform's other screens in Airflow's menu."""

import os
from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

SCREENS = {
    "MLflow": "MLFLOW_URL",
    "Buckets": "CONSOLE_URL",
    "Feast": "FEAST_URL",
    "Adminer": "ADMINER_URL",
}


class MLPlatformPlugin(AirflowPlugin):
    """One menu entry for each screen whose address is in the environment."""

    name = "ml_platform"
    external_views: ClassVar[list[Any]] = [
        {"name": name, "href": os.environ[variable], "destination": "nav"}
        for name, variable in SCREENS.items()
        if os.environ.get(variable)
    ]
