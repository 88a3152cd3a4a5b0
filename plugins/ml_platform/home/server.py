"""The server of the home page: Streamlit's application behind the guard, with the pages of login and the downloads."""

import logging
from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from ml_platform.home import documents, downloads, navigation
from ml_platform.home.login import routes
from ml_platform.home.login.guard import Guard
from ml_platform.home.settings import HomeSettings

SCRIPT = Path(__file__).with_name("app.py")

log = logging.getLogger(__name__)


def create_app(settings: HomeSettings) -> App:
    """Return the application, for an ASGI server."""
    return App(
        SCRIPT,
        routes=[*routes.routes(settings, navigation.import_pages), *downloads.routes(), *documents.routes()],
        middleware=[Middleware(Guard, settings=settings)],
        on_script_error=_log_error,
    )


def _log_error(error: Exception) -> None:
    """Log an error of a page, whose reader sees only that there was one."""
    log.error("a page failed: %s: %s", type(error).__name__, error, exc_info=error)
