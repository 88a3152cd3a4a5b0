"""MLflow's pages begin in their view for trained models, not in that for language models.

MLflow 3.17 keeps the choice in each browser, and begins with the other view; the kind of an experiment is not asked
(decision 163). The start page sets the choice where a browser has none yet, so a person's own choice stays.
"""

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEY, CHOICE = "mlflow.workflowType_v1", '"machine_learning"'  # MLflow's own
SCRIPT = f"<script>localStorage.getItem('{KEY}')||localStorage.setItem('{KEY}','{CHOICE}')</script>".encode()
HEAD = b"<head>"
# With them the server would say that the page in the browser's cache, which has no script, has not changed.
CONDITIONS = (b"if-none-match", b"if-modified-since", b"range", b"accept-encoding")
OF_FILE = (b"content-length", b"etag", b"last-modified", b"accept-ranges")


class ClassicView:
    """The ASGI application that adds the script to the start page of another one."""

    def __init__(self, app: ASGIApp) -> None:
        """Serve an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", "/"):
            await self._app(scope, receive, send)
            return
        headers = [header for header in scope["headers"] if header[0] not in CONDITIONS]
        await self._app({**scope, "headers": headers}, receive, _Page(send))


class _Page:
    """Collects the parts of a page, then sends it with the script."""

    def __init__(self, send: Send) -> None:
        self._send, self._body = send, b""
        self._start: dict[str, Any] = {}

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = dict(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = self._body.replace(HEAD, HEAD + SCRIPT, 1)
        kept = [header for header in self._start["headers"] if header[0].lower() not in OF_FILE]
        await self._send({**self._start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await self._send({**message, "body": body})
