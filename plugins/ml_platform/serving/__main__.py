"""Serve the live models over HTTP, on SERVING_HOST and SERVING_PORT."""

import gc
import importlib
import os
import sys

import uvicorn

from ml_platform import logs
from ml_platform.serving.settings import serving_settings

# By default MLflow's client waits minutes for a registry that does not answer.
MLFLOW_TIMEOUTS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}


def main() -> None:
    """Run until a signal stops it; requests in progress are answered first."""
    logs.configure()
    os.environ.update(MLFLOW_TIMEOUTS)
    from ml_platform.scoring.live_models import LiveModels
    from ml_platform.serving.app import create_app
    from ml_platform.serving.http_protocol import TimedHttpProtocol
    from ml_platform.serving.prediction_writer import log_writer
    from ml_platform.serving.tokens import Tokens
    from ml_platform.sources.status import statuses

    # Feast's import takes seconds, so it happens before the first request. It must come after the app's imports: it
    # changes the environment so that the Prometheus client would keep its numbers in files.
    importlib.import_module("ml_platform.feature_store.online_rows")
    # Imported objects stay. Without this, each full garbage collection would go through them and pause all requests
    # for a third of a second.
    gc.collect()
    gc.freeze()
    # With the default of 5 ms, a request would wait that long each time another thread is running.
    sys.setswitchinterval(0.001)

    settings = serving_settings()
    tokens = Tokens(settings.serving_token, settings.serving_files_token)
    uvicorn.run(
        create_app(LiveModels(), tokens, log_writer(), statuses),
        host=settings.serving_host,
        port=settings.serving_port,
        http=TimedHttpProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )


if __name__ == "__main__":
    main()
