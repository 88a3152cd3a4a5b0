"""A guard in front of a page: it answers only its own address, only pages of its own, and only who has a login."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

READS = ("GET", "HEAD", "OPTIONS")
HEALTH = "/health"  # the one path without a login


@dataclass(frozen=True)
class Rules:
    """What the guard lets through.

    Attributes:
        hosts: allowed values of the header `Host`, with port. Any other is an attack by DNS rebinding.
        passwords: by user.
        is_read_only: whether only requests that change nothing are allowed.
    """

    hosts: frozenset[str]
    passwords: Mapping[str, str]
    is_read_only: bool = False

    def refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        """Return the answer to a request that is not let through; None for one that is."""
        if headers.get("host") not in self.hosts:
            return PlainTextResponse(f"this is not {_names(self.hosts)}\n", 403)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] not in self.hosts:
            return PlainTextResponse(f"pages of {origin} have no access; only those of {_names(self.hosts)}\n", 403)
        if path == HEALTH and method in READS:
            return None
        if not self._has_login(headers.get("authorization", "")):
            return PlainTextResponse("a login is required; it is in .env\n", 401, {"WWW-Authenticate": "Basic"})
        if self.is_read_only and method not in READS:
            return PlainTextResponse(f"{method} is not allowed: this page only shows\n", 405, {"Allow": "GET, HEAD"})
        return None

    def _has_login(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            user, _, password = base64.b64decode(encoded, validate=True).partition(b":")
        except ValueError:  # not Base64, or not ASCII
            return False
        expected = self.passwords.get(user.decode("utf-8", "replace"), "")
        return scheme.lower() == "basic" and expected != "" and hmac.compare_digest(password, expected.encode())


class Guard:
    """The ASGI application that has a guard in front of another one."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        """Guard an application by these rules."""
        self._app, self._rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on. The pages use no websockets, so none is opened."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            refusal = self._rules.refusal(scope["method"], scope["path"], Headers(scope=scope))
            if refusal:
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _names(hosts: frozenset[str]) -> str:
    return " or ".join(sorted(hosts))
