"""The pages of HTTP beside Streamlit's: log in, log out, and whether the process works."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ml_platform.home.login import sessions, users
from ml_platform.home.login.guard import HEALTH, LOGIN
from ml_platform.home.settings import HomeSettings

LOGOUT = "/logout"
PAUSE = 1.0  # seconds after a wrong password, so that guessing is slow
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
page = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template("login.html")


def routes(settings: HomeSettings, prepare: Callable[[], None]) -> list[Route]:
    """Return the routes.

    Args:
        settings: who may log in.
        prepare: makes the pages ready, while the person types the password. It may be called again.
    """

    async def show(request: Request) -> Response:
        form = _form(_own_path(request.query_params.get("next", "/")))
        form.background = BackgroundTask(prepare)
        return form

    async def log_in(request: Request) -> Response:
        form = await request.form()
        name, password, wanted = (str(form.get(field, "")) for field in ("name", "password", "next"))
        wanted = _own_path(wanted)
        user = await run_in_threadpool(users.log_in, settings, name, password)
        if user is None:
            await asyncio.sleep(PAUSE)
            return _form(wanted, "This name and this password do not belong together.", 401)
        response = RedirectResponse(wanted, 303)
        response.set_cookie(
            sessions.COOKIE, sessions.start(settings, user), max_age=sessions.HOURS * 3600,
            httponly=True, samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
        return response

    async def log_out(_: Request) -> Response:
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(sessions.COOKIE)
        return response

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route(LOGIN, show),
        Route(LOGIN, log_in, methods=["POST"]),
        Route(LOGOUT, log_out),
        Route(HEALTH, alive),
    ]


def _form(wanted: str, problem: str = "", status: int = 200) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(page.render(next=wanted, problem=problem), status, headers)


def _own_path(text: str) -> str:
    """Return a path of this server; the start page for any other address, which could be an attacker's."""
    parts = urlsplit(text)
    is_own = text.startswith("/") and not text.startswith("//") and "\\" not in text and not parts.netloc
    return text if is_own and text.isprintable() else "/"
