"""The sensor of the DAGs that take files: it waits in the triggerer, without a worker, and says nothing meanwhile."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Table

if TYPE_CHECKING:
    from ml_platform.ingestion.inbox import Waiting

POLL = 2.0  # seconds
LOOK_AGAIN = 30.0  # seconds; while files wait for another spec, which only a look can notice


class InboxTrigger(BaseTrigger):
    """Fires as soon as there is a file that is not held back, or after some seconds.

    Args:
        bucket: of the inbox.
        prefixes: of the keys; a key that ends in a slash is a folder.
        others: more places to look at, each as bucket and prefix.
        held: ETags of the files that wait for their next attempt, by key.
        seconds: until it fires without a file; None is never.
        connection: id of Airflow's connection to the object store.
    """

    def __init__(  # noqa: D107 – see the class
        self,
        bucket: str,
        prefixes: list[str],
        held: dict[str, str],
        seconds: float | None,
        connection: str,
        others: Sequence[Sequence[str]] = (),
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bucket = bucket
        self.prefixes = prefixes
        self.held = held
        self.seconds = seconds
        self.connection = connection
        self.others = [list(place) for place in others]

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as the triggerer stores them."""
        arguments = {
            "bucket": self.bucket,
            "prefixes": self.prefixes,
            "held": self.held,
            "seconds": self.seconds,
            "connection": self.connection,
            "others": self.others,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look into the bucket until it is time to fire."""
        wake = time.monotonic() + (math.inf if self.seconds is None else self.seconds)
        hook: Any = S3Hook(aws_conn_id=self.connection)
        async with await hook.get_async_conn() as client:
            while not await self._has_new_files(client) and time.monotonic() < wake:
                await asyncio.sleep(POLL)
        yield TriggerEvent(None)  # type: ignore[no-untyped-call]

    async def _has_new_files(self, client: Any) -> bool:
        places = [*((self.bucket, prefix) for prefix in self.prefixes), *self.others]
        return any(await asyncio.gather(*(self._has_new_file(client, *place) for place in places)))

    async def _has_new_file(self, client: Any, bucket: str, prefix: str) -> bool:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        async for page in pages:
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/") and self.held.get(entry["Key"]) != entry["ETag"]:
                    return True
        return False


class InboxSensor(BaseOperator):
    """Waits until an inbox has a file that can be taken.

    Args:
        table: the spec.
        purpose: also the name of the bucket.
        connection: id of Airflow's connection to the object store.
    """

    def __init__(  # noqa: D107 – see the class
        self, *, table: Table, purpose: Purpose, connection: str, **arguments: Any
    ) -> None:
        super().__init__(**arguments)
        self.table = table
        self.purpose = purpose
        self.connection = connection

    def execute(self, context: Any, event: Any = None) -> None:
        """Succeed if there is a file; else hand over to the trigger, which calls this again."""
        from ml_platform.ingestion import inbox  # only in the task: DAG files are parsed often

        waiting = inbox.look(self.table, self.purpose)
        if waiting.due:
            self.log.info("In the inbox: %s", inbox.names(waiting.due))
            return
        if waiting.pauses:
            self.log.info("These files wait for their next attempt: %s", inbox.names(waiting.pauses))
        self.defer(trigger=self._trigger(waiting), method_name="execute")

    def _trigger(self, waiting: "Waiting") -> InboxTrigger:
        return InboxTrigger(
            bucket=self.purpose,
            prefixes=list(self.table.inbox_prefixes(self.purpose)),
            held={version.key: version.etag for version in waiting.pauses},
            seconds=min(waiting.next_attempt, LOOK_AGAIN) if waiting.pauses else None,
            connection=self.connection,
            others=[list(one) for one in self.table.inboxes(self.purpose) if one.bucket != self.purpose],
        )
