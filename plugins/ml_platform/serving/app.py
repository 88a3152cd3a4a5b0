"""The HTTP routes: authorization, the limit of a body, and the response to each error."""

import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from mlflow.exceptions import MlflowException
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic_core import to_json
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect

from ml_platform import logs
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.files.formats import display_text
from ml_platform.records import models
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.live_models import LiveModels, ServedModel
from ml_platform.scoring.reasons import scale_facts
from ml_platform.scoring.scored_rows import ScoredRows
from ml_platform.serving import answers, messages, openapi
from ml_platform.serving.answers import BadRequestError
from ml_platform.serving.docs_page.routes import docs_routes
from ml_platform.serving.file_routes import file_routes
from ml_platform.serving.metrics import Metrics, MetricsMiddleware, ReadSources
from ml_platform.serving.prediction_writer import PredictionWriter, Write
from ml_platform.serving.settings import MOST_BYTES
from ml_platform.serving.tokens import Tokens
from ml_platform.specs.parts import MAX_REASONS

log = logging.getLogger(__name__)

ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": messages.Problem, "description": "The token is missing or invalid"},
    404: {"model": messages.Problem, "description": "No model of this data set is live"},
    503: {"model": messages.Problem, "description": "The model, or a server that it needs, is not available"},
}
BODY_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": messages.Problem, "description": "The parameter `explain` is not valid"},
    413: {"model": messages.Problem, "description": f"The body has more than {MOST_BYTES:,} bytes"},
    422: {"model": messages.Problem, "description": "The body is not valid, or rows of it are bad"},
}

PARAMETER_ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"model": messages.Problem, "description": "A parameter is not valid"}
}


def create_app(live: LiveModels, tokens: Tokens, write: Write, read_sources: ReadSources = list) -> FastAPI:
    """Return the service.

    Args:
        live: the models; they follow the registry while the service runs.
        tokens: the bearer tokens of callers; without one for files, the service has no part in them.
        write: writes predictions to the log.
        read_sources: returns what is known of the sources of rows, for the metrics.
    """
    metrics = Metrics(live, read_sources)
    writer = PredictionWriter(metrics.lost.inc, write)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        live.start()
        writer.start()
        yield
        await run_in_threadpool(live.stop)
        await run_in_threadpool(writer.stop)

    app = FastAPI(
        title="ML platform", version="1", description="Predictions of the live models.",
        docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan,
    )  # fmt: skip
    app.add_middleware(MetricsMiddleware, metrics=metrics, live=live)
    app.include_router(_open_routes(live, writer))
    app.include_router(docs_routes())
    app.include_router(_closed_routes(app, live, metrics, writer, tokens))
    if tokens.files:
        app.include_router(file_routes(tokens))
    app.add_exception_handler(BadRequestError, _bad_request)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    for kind in (RegistryError, ServiceError, MlflowException, psycopg.Error, SQLAlchemyError):
        app.add_exception_handler(kind, _unavailable)
    return app


def _open_routes(live: LiveModels, writer: PredictionWriter) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/health", response_model=messages.Health, responses={503: {"model": messages.Health}})
    def health() -> Response:
        """Return the state of the service: 503 if no model can answer."""
        models = {name: messages.health_of(served) for name, served in live.all().items()}
        states = {model.status for model in models.values()}
        status = "unavailable" if states <= {"unavailable"} else "ok" if states == {"ok"} else "degraded"
        body = messages.Health(status=status, models=models)
        return JSONResponse(body.model_dump(), status_code=503 if status == "unavailable" else 200)

    @routes.get("/live", responses={503: {"model": messages.Problem}})
    def alive() -> dict[str, str]:
        """Return whether the process works, with or without a model."""
        if not live.is_following:
            raise HTTPException(503, "the registry is no longer followed")
        if not writer.is_writing:
            raise HTTPException(503, "predictions are no longer logged")
        return {"status": "ok"}

    return routes


def _closed_routes(
    app: FastAPI, live: LiveModels, metrics: Metrics, writer: PredictionWriter, tokens: Tokens
) -> APIRouter:
    routes = APIRouter(dependencies=[Depends(tokens.authorize)])

    @routes.post(
        "/v1/{dataset}/predict", tags=["models"], response_model=messages.Predictions, responses=ERRORS | BODY_ERRORS,
        openapi_extra=openapi.REQUEST,
    )  # fmt: skip
    async def predict(dataset: str, request: Request) -> Response:
        """Score rows, which are checked like rows of a file, or entities by their newest loaded rows."""
        _, model = _served(live, dataset)
        logs.bind(dataset=model.name, model=model.version)
        n_reasons = _n_reasons(request)
        body = await _body(request)
        scored = await run_in_threadpool(_answer, model, body, n_reasons, writer)
        metrics.rows.labels(dataset, str(model.version)).inc(scored.rows.num_rows)
        return Response(_text(scored), media_type="application/json")

    @routes.get("/v1/{dataset}/model", tags=["models"], response_model=messages.Model, responses=ERRORS)
    def model(dataset: str) -> messages.Model:
        """Return which model answers, whether it is the live one, and how it was trained."""
        return messages.model_of(*_served(live, dataset))

    if tokens.files:  # it reads the records, as the routes of files do

        @routes.get(
            "/v1/{dataset}/models",
            tags=["records"],
            response_model=messages.VersionList,
            responses=ERRORS | PARAMETER_ERRORS,
        )
        def versions(
            dataset: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
            offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        ) -> Response:  # fmt: skip
            """List the versions of a model, the newest first: scores, decisions, and who made which live."""
            found = models.versions(dataset, limit=limit, offset=offset)
            return Response(to_json({"models": found}, inf_nan_mode="null"), media_type="application/json")

    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    @routes.get("/metrics", tags=["service"], response_class=PlainTextResponse,
                responses={401: {"description": ERRORS[401]["description"], "content": problem}})  # fmt: skip
    def prometheus() -> Response:
        """Return the metrics in Prometheus' text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/openapi.json", include_in_schema=False)
    def description() -> Response:
        """Return the OpenAPI description, with the rows of the live models."""
        return JSONResponse(openapi.description(app, live))

    return routes


def _served(live: LiveModels, dataset: str) -> tuple[ServedModel, LoadedModel]:
    """Return the state of a data set's model, and the model itself."""
    models = live.all()
    if dataset not in models:
        names = ", ".join(models) or "none"
        raise HTTPException(404, f"no model of {display_text(dataset)!r} is live; live are: {names}")
    served = models[dataset]
    if served.model is None:
        raise HTTPException(503, f"{dataset}: {served.problem}")
    return served, served.model


def _n_reasons(request: Request) -> int:
    """Return the parameter `explain`, the number of reasons per prediction."""
    text = request.query_params.get("explain", "0")
    if re.fullmatch("[0-9]{1,2}", text) and int(text) <= MAX_REASONS:
        return int(text)
    raise HTTPException(400, f"explain is {display_text(text)!r}; allowed are whole numbers from 0 to {MAX_REASONS}")


def _answer(model: LoadedModel, body: bytes, n_reasons: int, writer: PredictionWriter) -> ScoredRows:
    requested = datetime.now(UTC)
    rows = answers.typed_rows(model.dataset, answers.parse_request(body))
    scored = answers.score(model, rows, requested, n_reasons)
    writer.add(scored, requested)
    return scored


def _text(scored: ScoredRows) -> bytes:
    """Return the answer as JSON; each float is written so that it reads back exactly the same."""
    model = scored.model
    answer = {"model": model.name, "model_version": model.version, **model.task.facts()}
    if scored.reasons:
        answer["reasons_scale"] = scale_facts(model)["scale"]
    return json.dumps(answer | {"predictions": list(scored.by_row())}, allow_nan=False).encode()


async def _body(request: Request) -> bytes:
    """Return a request's body; never keep more than `MOST_BYTES` of it in memory."""
    too_large = HTTPException(413, f"the body has more than {MOST_BYTES:,} bytes")
    if int(request.headers.get("content-length", "0")) > MOST_BYTES:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise too_large
    except ClientDisconnect:
        raise HTTPException(400, "the caller closed the connection") from None
    return bytes(body)


def _bad_request(_: Request, error: Exception) -> Response:
    bad = error.bad if isinstance(error, BadRequestError) else ()
    errors = [messages.BadRow(row=b.line, field=b.column, value=b.value, reason=b.reason) for b in bad]
    return JSONResponse(messages.Problem(detail=str(error), errors=errors).model_dump(), status_code=422)


def _bad_parameter(_: Request, error: Exception) -> Response:
    mistakes = error.errors() if isinstance(error, RequestValidationError) else []
    texts = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in mistakes]
    return JSONResponse({"detail": "; ".join(texts), "errors": []}, status_code=422)


def _unavailable(request: Request, error: Exception) -> Response:
    log.error("%s failed: %s: %s", request.url.path, type(error).__name__, error)
    detail = str(error) if isinstance(error, RegistryError) else "a server that the answer needs is not available"
    return JSONResponse({"detail": detail, "errors": []}, status_code=503)
