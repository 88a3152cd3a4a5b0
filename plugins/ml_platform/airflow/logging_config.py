"""The logging of Airflow's processes, which `stack/airflow.env` names: Airflow's own, but for the logs of tasks."""

from copy import deepcopy

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG

from ml_platform.airflow.task_logs import BucketLogs, TaskLogHandler

LOGGING_CONFIG = deepcopy(DEFAULT_LOGGING_CONFIG)
LOGGING_CONFIG["handlers"]["task"]["class"] = f"{TaskLogHandler.__module__}.{TaskLogHandler.__qualname__}"

REMOTE_TASK_LOG = BucketLogs.from_config()  # Airflow looks for this name beside the configuration
