"""`python -m tests.compose.live_model NAME`: train a small model of a data set like `shop`, and make it the champion.

The environment names the servers: those of a platform in containers, beside that of the tests.
"""

import sys

from ml_platform.specs.catalog import dataset
from tests.ml_platform.scoring.test_batch import train

if __name__ == "__main__":
    train(dataset(sys.argv[1]))
