"""`python -m ml_platform.alerts`: the server of the alerts."""

import os

from ml_platform import logs
from ml_platform.alerts.environment import Environment
from ml_platform.alerts.server import serve
from ml_platform.specs.catalog import DATASETS_DIR

if __name__ == "__main__":
    logs.configure()
    serve(Environment.of(os.environ), DATASETS_DIR)
