"""The guard in front of the home page: its own address, pages of its own, and people who are logged in."""

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_platform.home.login import sessions
from ml_platform.home.settings import HomeSettings

LOGIN, HEALTH = "/login", "/live"
OPEN = (LOGIN, HEALTH)  # the paths without a login
PROTECTION = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"same-origin",
}


class Guard:
    """Middleware that refuses a request of another address or page, and sends people without a session to log in."""

    def __init__(self, app: ASGIApp, settings: HomeSettings) -> None:
        """Guard an application."""
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, _protected(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, request: HTTPConnection) -> Response | None:
        hosts, headers = self._settings.hosts, request.headers
        if headers.get("host") not in hosts:
            return PlainTextResponse(f"this is not {_names(hosts)}\n", 403)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] not in hosts:
            return PlainTextResponse(f"pages of other addresses have no access; only those of {_names(hosts)}\n", 403)
        path = request.scope["path"]
        if path in OPEN or sessions.user_of(self._settings, request.cookies.get(sessions.COOKIE)):
            return None
        return _to_login(path, request.scope.get("query_string", b"").decode("latin-1"), headers)


def _to_login(path: str, query: str, headers: Headers) -> Response:
    if "text/html" not in headers.get("accept", ""):
        return PlainTextResponse("a login is required\n", 401)
    wanted = quote(f"{path}?{query}" if query else path, safe="")
    return RedirectResponse(f"{LOGIN}?next={wanted}", 303)


def _protected(send: Send) -> Send:
    async def send_protected(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message["headers"]}
            added = [item for item in PROTECTION.items() if item[0] not in present]
            message = {**message, "headers": [*message["headers"], *added]}
        await send(message)

    return send_protected


def _names(hosts: frozenset[str]) -> str:
    return " or ".join(sorted(hosts))
