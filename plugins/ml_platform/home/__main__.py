"""Serve the home page, on HOME_HOST and HOME_PORT."""

import logging
import os

import uvicorn

from ml_platform import logs
from ml_platform.home.settings import home_settings

# By default MLflow's client waits minutes for a server that does not answer; a person does not.
MLFLOW_TIMEOUTS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


def main() -> None:
    """Run until a signal stops it."""
    logs.configure()
    logging.getLogger("httpx").setLevel("WARNING")  # else each look at Airflow is an entry
    os.environ.update(MLFLOW_TIMEOUTS)
    settings = home_settings()
    from ml_platform.home.server import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.home_host,
        port=settings.home_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
