"""Stand-ins for the servers of a backup: a bucket in memory, and programs of Postgres that need no Postgres."""

import io
import os
from datetime import UTC, datetime

from botocore.exceptions import ClientError

# Answers as psql gives them to the scripts of `stack.backup.databases`; a dump is the name of its database.
PROGRAMS = r"""#!/bin/sh
name=$1; shift
for database; do :; done
case $name in
psql) while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        *pg_export_snapshot*) echo '"00000003-00000002-1"' ;;
        *server_version*) echo '"18.6"' ;;
        *"count(*)"*) echo '["features.auto", 8161]' ;;
        *"json 'null'"*) echo null ;;
        esac
      done ;;
pg_dump) echo "dump of $database" ;;
pg_restore) cat >"$RESTORED/$database" ;;
esac
"""


class Store:
    """S3 in memory; some objects are removed or truncated when they are read."""

    def __init__(self, objects=None):
        self.objects = dict(objects or {})
        self.removed, self.truncated = set(), set()

    def get_paginator(self, name):
        return self

    def paginate(self, Bucket):  # noqa: N803 – boto3's names
        keys = sorted(self.objects)
        for key in keys:  # one a page
            yield {"Contents": [{"Key": key, "Size": len(self.objects[key][0])}]}
        if not keys:
            yield {}

    def get_object(self, Bucket, Key):  # noqa: N803
        if Key in self.removed:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "no such key"}}, "GetObject")
        data, properties = self.objects[Key]
        body = io.BytesIO(data[:-1] if Key in self.truncated else data)
        return {
            "Body": body,
            "ContentLength": len(data),
            "LastModified": datetime(2026, 1, 2, tzinfo=UTC),
            "ETag": '"1"',
            **properties,
        }

    def upload_fileobj(self, file, bucket, key, ExtraArgs, Config):  # noqa: N803
        self.objects[key] = (file.read(), ExtraArgs)


class Platform:
    """A runner that records its calls; its programs of Postgres run `script`."""

    def __init__(self, folder, *, running=(), script=PROGRAMS):
        self.calls = []
        self.restored = folder / "restored"
        self.restored.mkdir()
        self._running = set(running)
        self._program = folder / "postgres-program"
        self._program.write_text(script)

    def running(self, config):
        return self._running

    def postgres_program(self, config, name, *arguments):
        return ["sh", str(self._program), name, *arguments], {**os.environ, "RESTORED": str(self.restored)}

    def __getattr__(self, name):
        return lambda config, *arguments: self.calls.append((name, *arguments))
