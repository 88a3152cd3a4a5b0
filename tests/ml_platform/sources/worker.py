"""`python -m tests.ml_platform.sources.worker pull|load SPEC CONNECTION`: do it for ever, in a process to be killed.

What passes is tried again, as Airflow does. Both arguments are JSON.
"""

import json
import sys
import time

import psycopg2
from pydantic import SecretStr

from ml_platform.exceptions import PlatformError
from ml_platform.ingestion import inbox, uploads
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.pull import pull
from ml_platform.sources.ranges import Feed
from ml_platform.specs.spec import Dataset

PAUSE = 0.1  # seconds


def load_all(feed: Feed) -> None:
    """Load the files that wait."""
    for version in inbox.look(feed.table, "train").due:
        uploads.ingest(feed.table, version.key)


def main(what: str, spec: str, fields: str) -> None:
    """Pull or load for ever."""
    table, given = Dataset.model_validate_json(spec), json.loads(fields)
    source = table.source_of("train")
    if source is None:
        raise SystemExit("the spec has no source")
    feed = Feed(table, "train", source)
    connection = SourceConnection(**(given | {"password": SecretStr(given["password"])}))
    while True:
        try:
            if what == "pull":
                pull(feed, connection, by="a test")
            else:
                load_all(feed)
        except (PlatformError, psycopg2.Error) as error:
            sys.stderr.write(f"{what}: {error}\n")
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(*sys.argv[1:])
