"""The trigger of the DAGs that pull: it asks a source for new rows, in the triggerer, and uses no worker."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from ml_platform.airflow.connections import async_source_connection
from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.specs.parts import Purpose

log = logging.getLogger(__name__)


class SourceTrigger(BaseEventTrigger):
    """Fires when the newest positions of a source change, or why it cannot be read.

    It fires once when it starts, too, because it does not know what was read before.

    Args:
        source: the spec of the source as JSON: a text stays the same when Airflow stores it.
        dataset: the name of its data set, which keeps the triggers of two data sets apart.
        purpose: what the rows are for.
    """

    def __init__(self, source: str, dataset: str, purpose: Purpose) -> None:  # noqa: D107 – see the class
        super().__init__()  # type: ignore[no-untyped-call]
        self.source = source
        self.dataset = dataset
        self.purpose = purpose

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, as the triggerer stores them."""
        arguments = {"source": self.source, "dataset": self.dataset, "purpose": self.purpose}
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the source until the triggerer ends."""
        from ml_platform.sources.look import Look  # only here: DAG files are parsed often

        look, seen = Look(self.source), None
        try:
            while True:
                if (state := await self._state(look)) != seen and state is not None:
                    seen = state
                    yield TriggerEvent({"dataset": self.dataset, "purpose": self.purpose})  # type: ignore[no-untyped-call]
                await asyncio.sleep(look.period)
        finally:
            await asyncio.to_thread(look.close)

    async def _state(self, look: Any) -> str | None:
        """Return the state of the source as a text; None while it is away, so that its return is a change."""
        try:
            connection = await async_source_connection(look.connection)
            return str(await asyncio.to_thread(look.state, connection))
        except ConfigurationError as error:
            return str(error)
        except SourceAwayError as error:
            log.warning("%s: it is waited for", error)
            return None
