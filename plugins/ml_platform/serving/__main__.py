"""Serve the live models over HTTP, on SERVING_HOST and SERVING_PORT."""

import gc
import importlib
import logging
import os
import sys

import uvicorn

from ml_platform.serving.settings import serving_settings

# A registry that is away must be noticed between two looks; MLflow's client would wait for it for minutes.
PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


def main() -> None:
    """Run until it is told to stop; requests that have begun are answered."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.environ.update(PATIENCE)
    from ml_platform.serving.app import create_app
    from ml_platform.serving.live_models import LiveModels
    from ml_platform.serving.prediction_writer import log_writer

    # Feast's import takes seconds, which no caller shall wait for. Done before the app's, it would have the client of
    # Prometheus keep its figures in files.
    importlib.import_module("ml_platform.feature_store.online_rows")
    # What is imported stays: to look through it for garbage now and then would stop all answers for a third of a
    # second.
    gc.collect()
    gc.freeze()
    # Else an answer waits 5 ms for each turn while another thread follows the registry or writes the log.
    sys.setswitchinterval(0.001)

    settings = serving_settings()
    uvicorn.run(
        create_app(LiveModels(), settings.serving_token, log_writer()),
        host=settings.serving_host,
        port=settings.serving_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
