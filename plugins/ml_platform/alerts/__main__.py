"""`python -m ml_platform.alerts`: the server of the alerts."""

import logging
import os

from ml_platform.alerts.environment import Environment
from ml_platform.alerts.server import serve
from ml_platform.specs.catalog import DATASETS_DIR

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    serve(Environment.of(os.environ), DATASETS_DIR)
