"""The addresses of files: what was recorded of an upload, to be saved, and HTML reports, to be shown in a frame."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from ml_platform.exceptions import PlatformError
from ml_platform.records import report_pages, upload_files
from ml_platform.records.files import File
from ml_platform.records.upload_files import PARTS, Part
from ml_platform.storage import object_store
from ml_platform.storage.object_store import ObjectVersion

DOWNLOAD, REPORT = "/download", "/report"
# A report may run its own scripts, but has no origin: it reaches neither the session nor any server.
SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
    " font-src data:; frame-ancestors 'self'"
)


def file_address(part: Part, file: File) -> str:
    """Return the address at which a part of a settled file is downloaded."""
    moment = file.uploaded_at.isoformat() if file.uploaded_at else ""
    query = {"bucket": file.bucket, "key": file.key, "etag": file.etag, "at": moment}
    return f"{DOWNLOAD}/{part}?{urlencode(query)}"


def report_address(key: str) -> str:
    """Return the address at which an HTML report is shown."""
    return f"{REPORT}/{quote(key)}"


def routes() -> list[Route]:
    """Return the routes; the guard in front of them lets only people in who are logged in."""
    return [
        Route(f"{DOWNLOAD}/{{part}}", _download),
        Route(f"{REPORT}/{{key:path}}", _report),
    ]


def _download(request: Request) -> Response:
    part, query = request.path_params["part"], request.query_params
    try:
        moment = datetime.fromisoformat(query.get("at", ""))
        names = (query["bucket"], query["key"], query["etag"])
    except (ValueError, KeyError):
        return _no_file()
    if part not in PARTS or moment.tzinfo is None:
        return _no_file()
    return _answer(lambda: upload_files.stored(part, *names, moment), _saved)


def _report(request: Request) -> Response:
    return _answer(lambda: report_pages.page(request.path_params["key"]), _shown)


def _answer(find: Callable[[], ObjectVersion | None], headers: Callable[[ObjectVersion], dict[str, str]]) -> Response:
    try:
        version = find()
    except PlatformError as error:
        return PlainTextResponse(f"The file cannot be read now: {error}\n", 503)
    if version is None:
        return _no_file()
    sent = {"Content-Length": str(version.size), "Cache-Control": "private, no-store", **headers(version)}
    return StreamingResponse(object_store.chunks(version), headers=sent)


def _saved(version: ObjectVersion) -> dict[str, str]:
    name = quote(version.key.rpartition("/")[2], safe="")
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
    }


def _shown(_: ObjectVersion) -> dict[str, str]:
    return {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": SANDBOX}


def _no_file() -> Response:
    return PlainTextResponse("There is no such file, or it is not kept any more.\n", 404)
