"""The routes about files and results: drop a file, what became of it, and fetch a result."""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote

from anyio import CapacityLimiter, from_thread, to_thread
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json
from starlette.requests import ClientDisconnect

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.formats import display_text
from ml_platform.ingestion import dropping
from ml_platform.ingestion.dropping import Kind, Place
from ml_platform.records import files, results
from ml_platform.records.files import File, State
from ml_platform.records.results import Result
from ml_platform.scoring.result_files import CONTENT_TYPES
from ml_platform.scoring.result_keys import BUCKET
from ml_platform.serving import messages
from ml_platform.serving.settings import MOST_FILE_BYTES
from ml_platform.serving.tokens import Tokens
from ml_platform.specs import catalog
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store

UPLOADS_AT_ONCE = 8  # each keeps two parts in memory, and a thread of its own: predictions wait for none
PROBLEM = {"model": messages.Problem}
ERRORS: dict[int | str, dict[str, Any]] = {
    401: {**PROBLEM, "description": "The token is missing or invalid"},
    403: {**PROBLEM, "description": "The token is for predictions only"},
    404: {**PROBLEM, "description": "There is no such data set, file or result"},
    422: {**PROBLEM, "description": "The name of the file, or a parameter, is not valid"},
    503: {**PROBLEM, "description": "A server that the answer needs is not available"},
}
PUT_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {**PROBLEM, "description": "The caller closed the connection"},
    409: {**PROBLEM, "description": "A file of this name waits in the inbox"},
    413: {**PROBLEM, "description": f"The file has more than {MOST_FILE_BYTES:,} bytes"},
}
BODY = {
    "requestBody": {
        "required": True, "description": "the bytes of the file",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}  # fmt: skip
Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10**9)]


def file_routes(tokens: Tokens) -> APIRouter:
    """Return the routes; all need the token of files."""
    allowed: dict[str, Any] = {"tags": ["files"], "dependencies": [Depends(tokens.authorize_files)]}
    routes, by_name = APIRouter(prefix="/v1/{dataset}", **allowed), APIRouter(prefix="/v1", **allowed)
    places = CapacityLimiter(UPLOADS_AT_ONCE)

    @routes.put(
        "/files/{name}", status_code=201, response_model=messages.Dropped, responses=ERRORS | PUT_ERRORS,
        openapi_extra=BODY,
    )  # fmt: skip
    async def drop(
        dataset: str, name: str, request: Request, kind: Annotated[Kind | None, Query(alias="as")] = None
    ) -> Response:
        """Drop a file; its name says what it is for (`train_…`, `test_…`, `label_…`), or the parameter `as` does."""
        return await _drop(await to_thread.run_sync(_place, dataset, name, kind), request, places)

    @by_name.put(
        "/files/{name}", status_code=201, response_model=messages.Dropped, responses=ERRORS | PUT_ERRORS,
        openapi_extra=BODY,
    )  # fmt: skip
    async def drop_by_name(name: str, request: Request) -> Response:
        """Drop a file whose name says data set and kind: `train_auto.csv`, `test_auto_may.csv`, `label_auto.csv`."""
        return await _drop(await to_thread.run_sync(_place, None, name, None), request, places)

    @routes.get("/files", response_model=messages.FileList, responses=ERRORS)
    def list_files(
        dataset: str,
        kind: Annotated[list[Kind], Query()] = [],  # noqa: B006 – FastAPI copies it
        state: Annotated[list[State], Query()] = [],  # noqa: B006
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        """List the files of a data set: those in the inbox, then the settled ones, the newest first."""
        page = files.files(_table(dataset), kinds=kind, states=state, limit=limit, offset=offset)
        return _json({"files": page.files, "total": page.total})

    @routes.get("/files/{kind}/{name}", response_model=messages.Dropped, responses=ERRORS)
    def file(dataset: str, kind: Kind, name: str, etag: str | None = None) -> Response:
        """Return what became of a file. With its ETag, as the drop returned it, an older or newer one is not meant."""
        table = _table(dataset)
        bucket, key = dropping.address_of(kind, name)
        found = files.find(table, bucket, key, etag) if key.startswith(dropping.prefix_of(table, kind)[1]) else None
        if found is None:
            raise HTTPException(404, f"{dataset} has no {kind} file {display_text(name)!r}")
        return _json({"file": found})

    @routes.get("/results", response_model=messages.ResultList, responses=ERRORS)
    def list_results(dataset: str, limit: Limit = 100, offset: Offset = 0) -> Response:
        """List the results of a data set, the newest first."""
        return _json({"results": results.results(_table(dataset).name, limit=limit, offset=offset)})

    binary = {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in CONTENT_TYPES.values()}}

    @routes.get("/results/{name}", response_class=StreamingResponse, responses={200: binary, **ERRORS})
    def fetch_result(dataset: str, name: str) -> Response:
        """Return a result, by the last part of its key."""
        return _object(_result(dataset, name).key)

    @routes.get("/results/{name}/card", responses=ERRORS)
    def fetch_card(dataset: str, name: str) -> dict[str, Any]:
        """Return the facts beside a result: model, threshold, numbers of rows."""
        return _object(_result(dataset, name).card_key)  # type: ignore[return-value] # FastAPI passes it on

    both = APIRouter()
    both.include_router(by_name)
    both.include_router(routes)
    return both


async def _drop(place: Place, request: Request, places: CapacityLimiter) -> Response:
    if not places.available_tokens:
        raise HTTPException(503, "too many files come in at once; try again", {"Retry-After": "10"})
    etag = await to_thread.run_sync(dropping.drop, place, _chunks(request), limiter=places)
    if etag is None:
        raise HTTPException(409, f"{place.bucket}/{place.key}: a file of this name waits there")
    file = File(place.table.name, place.kind, "waiting", place.bucket, place.key, etag=etag)
    where = f"/v1/{file.dataset}/files/{file.kind}/{quote(file.key.rpartition('/')[2])}"
    return _json({"file": file}, 201, {"Location": where})


def tables() -> Collection[Table]:
    """Return all data sets and feature tables; their YAML files are read again when one has changed."""
    known = [(path, path.stat().st_mtime_ns) for path in catalog.spec_files(catalog.DATASETS_DIR)]
    return _tables(tuple(known))


@lru_cache(maxsize=1)
def _tables(_: tuple[Any, ...]) -> list[Table]:
    known = catalog.catalog()
    return [*known.datasets, *known.tables]


def _table(name: str) -> Table:
    for table in tables():
        if table.name == name:
            return table
    names = ", ".join(table.name for table in tables())
    raise HTTPException(404, f"there is no data set {display_text(name)!r}; there are: {names}")


def _place(dataset: str | None, name: str, kind: Kind | None) -> Place:
    known = _table(dataset).name if dataset else None
    try:
        return dropping.place_of(name, tables(), kind, known)
    except ConfigurationError as error:
        raise HTTPException(422, str(error)) from None


def _chunks(request: Request) -> Iterator[bytes]:
    """Yield the body of a request, in a thread beside the one that takes it in."""
    stream, size = aiter(request.stream()), 0
    while True:
        try:
            chunk = from_thread.run(anext, stream, None)
        except ClientDisconnect:
            raise HTTPException(400, "the caller closed the connection") from None
        if chunk is None:
            return
        size += len(chunk)
        if size > MOST_FILE_BYTES:
            raise HTTPException(413, f"the file has more than {MOST_FILE_BYTES:,} bytes")
        yield chunk


def _result(dataset: str, name: str) -> Result:
    found = results.result(_table(dataset).name, f"{dataset}/{name}")
    if found is None:
        raise HTTPException(404, f"{dataset} has no result {display_text(name)!r}")
    return found


def _object(key: str) -> Response:
    version = object_store.head(BUCKET, key)
    if version is None:
        raise HTTPException(404, f"{BUCKET}/{key} is not there any more")
    headers = {
        "Content-Length": str(version.size),
        "Content-Disposition": f'attachment; filename="{key.rpartition("/")[2]}"',  # safe: the platform made the name
    }
    return StreamingResponse(object_store.chunks(version), headers=headers, media_type=_media_type(key))


def _media_type(key: str) -> str:
    if key.endswith(".json"):
        return "application/json"
    return CONTENT_TYPES["parquet" if key.endswith(".parquet") else "csv"]


def _json(document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(document, inf_nan_mode="null"), status, headers, "application/json")
