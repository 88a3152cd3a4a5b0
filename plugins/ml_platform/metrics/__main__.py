"""`python -m ml_platform.metrics`: the server of the metrics."""

import logging
import os

from ml_platform.metrics.environment import Environment
from ml_platform.metrics.server import serve
from ml_platform.specs.catalog import DATASETS_DIR

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    serve(Environment.of(os.environ), DATASETS_DIR)
