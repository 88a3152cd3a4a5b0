"""`python -m tests.ml_platform.sources.puller SPEC CONNECTION`: pull once, in a process to be killed.

Both arguments are JSON: a spec, and the fields of a connection.
"""

import json
import sys
from importlib import import_module

from pydantic import SecretStr

from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.opening import READERS
from ml_platform.sources.pull import pull
from ml_platform.sources.ranges import Feed
from ml_platform.specs.spec import Dataset


def main(spec: str, fields: str) -> None:
    table, connection = Dataset.model_validate_json(spec), json.loads(fields)
    source = table.source_of("train")
    assert source is not None
    password = SecretStr(connection.pop("password"))
    import_module(READERS[source.kind][0])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    pull(Feed(table, "train", source), SourceConnection(**connection, password=password), by="a test")


if __name__ == "__main__":
    main(*sys.argv[1:])
