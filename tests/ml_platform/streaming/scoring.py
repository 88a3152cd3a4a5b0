"""`python -m tests.ml_platform.streaming.scoring SPEC VERSION`: score the stream of a spec, in a process to be killed.

The model needs no registry: it is fitted here, to data that depend on its version.
"""

import signal
import sys
import threading
from contextlib import closing

from ml_platform.scoring.live_models import LiveModels
from ml_platform.specs.spec import Dataset
from ml_platform.streaming.log import StreamLog
from ml_platform.streaming.scorer import StreamScorer
from ml_platform.streaming.topics import client_settings
from tests.ml_platform.serving.models import Registry, make_model


def main(spec: str, version: str) -> None:
    dataset = Dataset.model_validate_json(spec)
    registry = Registry(make_model(dataset, int(version)))
    live = LiveModels(registry.champions, registry.load, registry.last_live)
    live.refresh()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with closing(StreamLog()) as log:
        StreamScorer(dataset, client_settings("stream"), lambda: live.model(dataset.name), log.write).run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
