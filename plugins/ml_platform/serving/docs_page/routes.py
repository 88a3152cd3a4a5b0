"""The routes of the page. All that it loads comes from here, and the browser is told to load nothing else."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from ml_platform.client import platform

OWN, SWAGGER_UI = Path(__file__).parent, Path(str(files("fastapi_offline"))) / "static"
ASSETS = {
    "ml_platform_client.py": Path(platform.__file__),
    "page.js": OWN / "page.js",
    "page.css": OWN / "page.css",
    "swagger-ui.js": SWAGGER_UI / "swagger-ui-bundle.js",
    "swagger-ui.css": SWAGGER_UI / "swagger-ui.css",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # the browser asks whether its copy is the newest
}


def docs_routes() -> APIRouter:
    """Return the routes. They need no token, because they tell nothing: the page asks its user for one."""
    routes = APIRouter(include_in_schema=False)
    responses: dict[str, Any] = {"response_class": FileResponse}

    @routes.get("/docs", **responses)
    def page() -> FileResponse:
        """Return the page."""
        return FileResponse(OWN / "page.html", headers=HEADERS)

    @routes.get("/docs/{name}", **responses)
    def asset(name: str) -> FileResponse:
        """Return a file that the page loads."""
        if name not in ASSETS:
            raise HTTPException(404, "there is no such file")
        return FileResponse(ASSETS[name], headers=HEADERS)

    return routes
