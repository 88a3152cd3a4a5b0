"""HTTP as uvicorn speaks it, with a limit on the time that a request may take to come in.

Uvicorn closes connections that are idle between requests, but waits for ever for the rest of a request: a few hundred
slow callers would hold as many connections.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 30.0  # from the connection, or a request's first byte, to its last; of a file, between two parts


class TimedHttpProtocol(HttpToolsProtocol):
    """A connection that is closed if a request has not come in whole after `REQUEST_SECONDS`."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Take the arguments of uvicorn's protocol."""
        super().__init__(*arguments, **keywords)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; the time starts again only with the next request."""
        super().data_received(data)
        if not self._is_awaited():
            self._stop()
        elif self._deadline is None:
            self._start()
        elif self._is_file():
            self._stop()
            self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._stop()
        super().connection_lost(exc)

    def _is_awaited(self) -> bool:
        """Return whether a part of a request is missing; an answered request is an earlier one."""
        return self.cycle is None or self.cycle.more_body or self.cycle.response_complete

    def _is_file(self) -> bool:
        """Return whether a file comes in, which may take its time as long as it does not stall."""
        cycle = self.cycle
        return cycle is not None and not cycle.response_complete and cycle.scope["method"] == "PUT"

    def _start(self) -> None:
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
